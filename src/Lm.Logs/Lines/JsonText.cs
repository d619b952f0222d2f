using System.Buffers;

namespace Lm.Logs.Lines;

/// <summary>Text inside a JSON string, in the one form that stored lines use.</summary>
/// <remarks>Each byte is escaped on its own, whatever stands beside it: quotation mark, backslash, control characters up to 0x1f, and 0x7f; all else stands as it
/// is. So the escaped form of a part of a text is a part of the escaped text: what is searched for need only be escaped to be found in a frame. Source: RFC 8259, section 7.</remarks>
internal static class JsonText
{
    private const string Digits = "0123456789abcdef";

    private static readonly SearchValues<byte> Escaped = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(static value => (byte)value), (byte)'"', (byte)'\\', 0x7f]);

    /// <summary>Adds a text, escaped where it must be.</summary>
    public static void Append(ByteBuffer to, ReadOnlySpan<byte> utf8)
    {
        while (true)
        {
            var plain = utf8.IndexOfAny(Escaped);
            if (plain < 0)
            {
                to.Add(utf8);
                return;
            }

            to.Add(utf8[..plain]);
            AppendEscaped(to, utf8[plain]);
            utf8 = utf8[(plain + 1)..];
        }
    }

    /// <summary>The length of the text up to its closing quotation mark.</summary>
    /// <param name="json">What follows the opening one.</param>
    /// <param name="hasEscapes">Whether there are escapes in it.</param>
    /// <returns>-1 when it is not closed.</returns>
    public static int LengthOf(ReadOnlySpan<byte> json, out bool hasEscapes)
    {
        hasEscapes = false;
        var at = 0;
        while (true)
        {
            var found = json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (found < 0)
            {
                return -1;
            }

            at += found;
            if (json[at] == '"')
            {
                return at;
            }

            hasEscapes = true;
            at += 2;
            if (at > json.Length)
            {
                return -1;
            }
        }
    }

    /// <summary>Adds what an escaped text stands for.</summary>
    /// <returns>False when it is not in the form that <see cref="Append"/> writes.</returns>
    public static bool TryAppendPlain(ByteBuffer to, ReadOnlySpan<byte> escaped)
    {
        while (true)
        {
            var plain = escaped.IndexOf((byte)'\\');
            if (plain < 0)
            {
                to.Add(escaped);
                return true;
            }

            to.Add(escaped[..plain]);
            escaped = escaped[plain..];
            if (!TryReadEscape(escaped, out var value, out var length))
            {
                return false;
            }

            to.Add(value);
            escaped = escaped[length..];
        }
    }

    private static void AppendEscaped(ByteBuffer to, byte value)
    {
        var letter = value switch { (byte)'\n' => 'n', (byte)'\r' => 'r', (byte)'\t' => 't', (byte)'"' => '"', (byte)'\\' => '\\', _ => '\0' };
        if (letter != '\0')
        {
            to.Add([(byte)'\\', (byte)letter]);
            return;
        }

        to.Add("\\u00"u8);
        to.Add([(byte)Digits[value >> 4], (byte)Digits[value & 15]]);
    }

    private static bool TryReadEscape(ReadOnlySpan<byte> escape, out byte value, out int length)
    {
        (value, length) = (0, 2);
        if (escape.Length < 2)
        {
            return false;
        }

        switch (escape[1])
        {
            case (byte)'n':
                value = (byte)'\n';
                return true;
            case (byte)'r':
                value = (byte)'\r';
                return true;
            case (byte)'t':
                value = (byte)'\t';
                return true;
            case (byte)'"' or (byte)'\\':
                value = escape[1];
                return true;
        }

        length = 6;
        if (escape.Length < length || !escape.StartsWith("\\u00"u8))
        {
            return false;
        }

        var (high, low) = (Digits.IndexOf((char)escape[4]), Digits.IndexOf((char)escape[5]));
        value = (byte)((high << 4) | (low & 15));
        return high is >= 0 and < 8 && low >= 0;
    }
}
