using System.Buffers;
using System.Text;

namespace Lm.Agent.HostMetrics;

/// <summary>Names that the kernel gives as bytes, made into label values.</summary>
internal static class LabelText
{
    /// <summary>UTF-8 bytes of the longest value: what every collector accepts (<see cref="Lm.Protocol.Limits.LabelValueBytesFloor"/>).</summary>
    public const int ValueBytesMax = Lm.Protocol.Limits.LabelValueBytesFloor;

    /// <summary>UTF-8 bytes of the longest value beyond the heartbeat: what a collector accepts by default.</summary>
    public const int LongValueBytesMax = 512;

    /// <summary>Makes a label value of a name.</summary>
    /// <param name="name">The name, any bytes.</param>
    /// <returns>Valid Unicode of at most <see cref="ValueBytesMax"/> UTF-8 bytes; what is not UTF-8, and control characters, became U+FFFD.</returns>
    /// <remarks>Control characters go because a process names itself: a newline or an escape sequence has no business in a terminal or a table.</remarks>
    public static string From(ReadOnlySpan<byte> name) => From(name, ValueBytesMax);

    /// <summary>Makes a label value of a name.</summary>
    /// <param name="name">The name, any bytes.</param>
    /// <param name="bytesMax">The most UTF-8 bytes, <see cref="LongValueBytesMax"/> at most.</param>
    public static string From(ReadOnlySpan<byte> name, int bytesMax)
    {
        Span<char> text = stackalloc char[LongValueBytesMax]; // a character needs no fewer UTF-8 bytes than UTF-16 units
        var length = 0;
        var bytes = 0;
        while (name.Length > 0)
        {
            var isRune = Rune.DecodeFromUtf8(name, out var rune, out var consumed) == OperationStatus.Done && !Rune.IsControl(rune);
            rune = isRune ? rune : Rune.ReplacementChar;
            bytes += rune.Utf8SequenceLength;
            if (bytes > bytesMax)
            {
                break;
            }

            length += rune.EncodeToUtf16(text[length..]);
            name = name[consumed..];
        }

        return new string(text[..length]);
    }
}
