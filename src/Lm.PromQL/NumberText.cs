using System.Globalization;

namespace Lm.PromQL;

/// <summary>Numbers as queries write them: decimal, with exponent, hexadecimal, octal, binary, with underscores, <c>Inf</c>, <c>NaN</c>.</summary>
/// <remarks>Whole numbers are read as Go's <c>ParseInt</c> with base 0 reads them (a leading 0 is octal), others as <c>ParseFloat</c> does.</remarks>
internal static class NumberText
{
    /// <summary>Reads a number.</summary>
    /// <param name="text">What the lexer took for a number.</param>
    /// <param name="number">What it means.</param>
    /// <param name="fault">When false: why not.</param>
    public static bool TryParse(ReadOnlySpan<char> text, out double number, out string fault)
    {
        fault = "";
        if (TryParseWhole(text, out var whole))
        {
            number = whole;
            return true;
        }

        if (text.Equals("inf", StringComparison.OrdinalIgnoreCase))
        {
            number = double.PositiveInfinity;
            return true;
        }

        if (text.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            number = double.NaN;
            return true;
        }

        var isHex = text.Length > 1 && text[0] == '0' && text[1] is 'x' or 'X';
        var plain = text.Contains('_') ? text.ToString().Replace("_", "", StringComparison.Ordinal) : text;
        number = 0;
        if (isHex || !double.TryParse(plain, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number))
        {
            fault = $"error parsing number: strconv.ParseFloat: parsing {GoText.Quote(text)}: invalid syntax";
            return false;
        }

        if (double.IsInfinity(number))
        {
            fault = $"error parsing number: strconv.ParseFloat: parsing {GoText.Quote(text)}: value out of range";
            return false;
        }

        return true;
    }

    private static bool TryParseWhole(ReadOnlySpan<char> text, out long number)
    {
        number = 0;
        var radix = 10;
        if (text.Length > 1 && text[0] == '0')
        {
            (radix, var prefix) = text[1] switch
            {
                'x' or 'X' => (16, 2),
                'o' or 'O' => (8, 2),
                'b' or 'B' => (2, 2),
                _ => (8, 1),
            };
            text = text[prefix..];
        }

        ulong sum = 0;
        var hasDigit = false;
        foreach (var c in text)
        {
            if (c == '_')
            {
                continue;
            }

            var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : 99;
            if (digit >= radix || sum > ((ulong)long.MaxValue - (ulong)digit) / (ulong)radix)
            {
                return false;
            }

            sum = (sum * (ulong)radix) + (ulong)digit;
            hasDigit = true;
        }

        number = (long)sum;
        return hasDigit;
    }
}
