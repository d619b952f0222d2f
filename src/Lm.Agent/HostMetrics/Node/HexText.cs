using System.Buffers.Text;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Hexadecimal columns, without a prefix.</summary>
internal static class HexText
{
    /// <summary>Takes the next field off a line, which is a number.</summary>
    /// <returns>False when there is no field, or it is not a hexadecimal number of 64 bits.</returns>
    public static bool TryNext(ref ReadOnlySpan<byte> line, out ulong number)
    {
        number = 0;
        return ProcText.TryNextField(ref line, out var field) && TryParse(field, out number);
    }

    /// <summary>Parses a number.</summary>
    public static bool TryParse(ReadOnlySpan<byte> digits, out ulong number) =>
        Utf8Parser.TryParse(digits, out number, out var consumed, 'x') && consumed == digits.Length;
}
