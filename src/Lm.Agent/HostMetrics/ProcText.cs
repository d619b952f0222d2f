namespace Lm.Agent.HostMetrics;

/// <summary>What the texts of /proc are made of: lines, fields between blanks, and decimal numbers.</summary>
internal static class ProcText
{
    // 10^0 to 10^15: every one of them, and every sum of digits below, is exact in a double.
    private const int DecimalDigitsMax = 15;

    /// <summary>Takes the next line off a text.</summary>
    /// <param name="text">The text; what is left of it afterwards.</param>
    /// <param name="line">The line, without its newline.</param>
    /// <param name="isWhole">False when the text ends before the line does: its last number may be cut.</param>
    /// <returns>False when nothing is left.</returns>
    public static bool TryNextLine(scoped ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> line, out bool isWhole)
    {
        var end = text.IndexOf((byte)'\n');
        isWhole = end >= 0;
        line = isWhole ? text[..end] : text;
        var isAny = text.Length > 0;
        text = isWhole ? text[(end + 1)..] : default;
        return isAny;
    }

    /// <summary>Takes the next field off a line.</summary>
    /// <param name="line">The line; what is left of it afterwards.</param>
    /// <param name="field">The field, without blanks.</param>
    /// <returns>False when only blanks are left.</returns>
    public static bool TryNextField(scoped ref ReadOnlySpan<byte> line, out ReadOnlySpan<byte> field)
    {
        line = line.TrimStart(" \t"u8);
        var end = line.IndexOfAny((byte)' ', (byte)'\t', (byte)'\n');
        field = end < 0 ? line : line[..end];
        line = line[field.Length..];
        return field.Length > 0;
    }

    /// <summary>Takes the next field off a line, which is a number.</summary>
    /// <param name="line">The line; what is left of it afterwards.</param>
    /// <param name="number">The number.</param>
    /// <returns>False when there is no field, or it is not a number from 0 to 2^64 - 1.</returns>
    public static bool TryNextNumber(scoped ref ReadOnlySpan<byte> line, out ulong number)
    {
        number = 0;
        return TryNextField(ref line, out var field) && TryParseNumber(field, out number);
    }

    /// <summary>Parses a decimal number.</summary>
    /// <param name="digits">Digits and nothing else.</param>
    /// <param name="number">The number; 0 when it is none.</param>
    /// <returns>False when it is no number from 0 to 2^64 - 1.</returns>
    public static bool TryParseNumber(ReadOnlySpan<byte> digits, out ulong number)
    {
        number = 0;
        if (digits.IsEmpty)
        {
            return false;
        }

        var sum = 0UL;
        foreach (var character in digits)
        {
            var digit = (uint)(character - '0');
            if (digit > 9 || sum > (ulong.MaxValue - digit) / 10)
            {
                return false;
            }

            sum = (sum * 10) + digit;
        }

        number = sum;
        return true;
    }

    /// <summary>Parses a decimal number with a fraction: <c>0.20</c>.</summary>
    /// <param name="text">Digits, and at most one point among them, not at either end.</param>
    /// <param name="number">The nearest double; 0 when it is no such number.</param>
    /// <returns>False when it is no number, or has more than 15 digits.</returns>
    public static bool TryParseDecimal(ReadOnlySpan<byte> text, out double number)
    {
        number = 0;
        var point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        var fraction = point < 0 ? default : text[(point + 1)..];
        if (whole.Length + fraction.Length > DecimalDigitsMax || !TryParseNumber(whole, out var units))
        {
            return false;
        }

        var parts = 0UL;
        if (point >= 0 && !TryParseNumber(fraction, out parts))
        {
            return false;
        }

        var scale = 1UL;
        for (var i = 0; i < fraction.Length; i++)
        {
            scale *= 10;
        }

        // One division of two exact doubles, so the result is the double nearest to the text.
        number = ((units * scale) + parts) / (double)scale;
        return true;
    }
}
