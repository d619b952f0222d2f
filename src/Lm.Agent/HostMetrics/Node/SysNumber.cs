namespace Lm.Agent.HostMetrics.Node;

/// <summary>The numbers in files of /sys: one a file, decimal or hexadecimal with <c>0x</c>, with a sign where it is below zero.</summary>
internal static class SysNumber
{
    /// <summary>Reads a file's number.</summary>
    /// <returns>False when the file is not there, the kernel has no value for it now, or it is no number.</returns>
    public static bool TryRead(KeptFile file, out double number)
    {
        number = 0;
        return file.Read(out var text) == 0 && TryParse(text, out number);
    }

    /// <summary>Parses a file's text.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out double number)
    {
        number = 0;
        text = text.Trim(" \t\n\0"u8);
        var isNegative = text.StartsWith("-"u8);
        text = isNegative ? text[1..] : text;
        ulong value;
        if (text.StartsWith("0x"u8) ? !HexText.TryParse(text[2..], out value) : !ProcText.TryParseNumber(text, out value))
        {
            return false;
        }

        number = isNegative ? -(double)value : value;
        return true;
    }
}
