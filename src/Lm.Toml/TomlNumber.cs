using System.Globalization;

namespace Lm.Toml;

/// <summary>Integers and floats.</summary>
/// <remarks>Source: TOML 1.0.0, "Integer" and "Float". A fault never quotes the text: it may be a secret that lost its quotes.</remarks>
internal static class TomlNumber
{
    private const string IntegerOutOfRange = "the integer does not fit in 64 bits; allowed is -9223372036854775808 to 9223372036854775807";

    /// <summary>Whether a value can only be meant as a number: after a sign comes a digit, <c>inf</c> or <c>nan</c>.</summary>
    public static bool LooksLike(ReadOnlySpan<char> token)
    {
        var unsigned = WithoutSign(token);
        return unsigned is "inf" or "nan" || (unsigned.Length > 0 && char.IsAsciiDigit(unsigned[0]));
    }

    /// <summary>The number at a place, or a <see cref="TomlSyntaxException"/>.</summary>
    public static TomlValue Parse(ReadOnlySpan<char> token, TomlPosition position)
    {
        var unsigned = WithoutSign(token);
        return unsigned switch
        {
            "inf" => new TomlValue.Float(token[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity, position),
            "nan" => new TomlValue.Float(double.NaN, position),
            ['0', 'x' or 'o' or 'b', ..] => new TomlValue.Integer(ParsePrefixed(token, position), position),
            _ when unsigned.ContainsAny('.', 'e', 'E') => new TomlValue.Float(ParseFloat(token, position), position),
            _ => new TomlValue.Integer(ParseDecimal(token, position), position),
        };
    }

    private static ReadOnlySpan<char> WithoutSign(ReadOnlySpan<char> token) => token is ['+' or '-', ..] ? token[1..] : token;

    private static long ParsePrefixed(ReadOnlySpan<char> token, TomlPosition position)
    {
        if (token[0] != '0')
        {
            throw new TomlSyntaxException(position, "a hexadecimal, octal or binary integer has no sign");
        }

        var bitsPerDigit = token[1] switch { 'x' => 4, 'o' => 3, _ => 1 };
        var digits = Digits(token[2..], 1 << bitsPerDigit, position);
        ulong value = 0;
        foreach (var digit in digits)
        {
            if (value >> (63 - bitsPerDigit) != 0)
            {
                throw new TomlSyntaxException(position, IntegerOutOfRange);
            }

            value = (value << bitsPerDigit) | (uint)Convert.ToInt32(digit.ToString(), 16);
        }

        return (long)value;
    }

    private static long ParseDecimal(ReadOnlySpan<char> token, TomlPosition position)
    {
        var digits = Digits(WithoutSign(token), 10, position);
        RefuseLeadingZero(digits, position);
        var text = token[0] == '-' ? "-" + digits : digits;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new TomlSyntaxException(position, IntegerOutOfRange);
    }

    private static double ParseFloat(ReadOnlySpan<char> token, TomlPosition position)
    {
        var rest = WithoutSign(token);
        var exponentAt = rest.IndexOfAny('e', 'E');
        var exponent = "0";
        if (exponentAt >= 0)
        {
            var signed = rest[(exponentAt + 1)..];
            var sign = signed is ['-', ..] ? "-" : "";
            exponent = sign + Digits(WithoutSign(signed), 10, position);
            rest = rest[..exponentAt];
        }

        var fraction = "0";
        var pointAt = rest.IndexOf('.');
        if (pointAt >= 0)
        {
            fraction = Digits(rest[(pointAt + 1)..], 10, position);
            rest = rest[..pointAt];
        }

        var whole = Digits(rest, 10, position);
        RefuseLeadingZero(whole, position);
        var minus = token[0] == '-' ? "-" : "";
        var value = double.Parse($"{minus}{whole}.{fraction}e{exponent}", NumberStyles.Float, CultureInfo.InvariantCulture);
        // Infinity that nobody wrote would be a silent lie.
        return double.IsFinite(value)
            ? value
            : throw new TomlSyntaxException(position, "the float does not fit in 64 bits; its size is at most about 1.8e308");
    }

    /// <summary>The digits without their underscores, each of which must stand between two digits.</summary>
    private static string Digits(ReadOnlySpan<char> token, int numberBase, TomlPosition position)
    {
        var isAfterDigit = false;
        foreach (var character in token)
        {
            if (character == '_' ? !isAfterDigit : !IsDigit(character, numberBase))
            {
                throw NotANumber(position);
            }

            isAfterDigit = character != '_';
        }

        return isAfterDigit ? token.ToString().Replace("_", "", StringComparison.Ordinal) : throw NotANumber(position);
    }

    private static bool IsDigit(char character, int numberBase) => numberBase switch
    {
        16 => char.IsAsciiHexDigit(character),
        _ => character >= '0' && character < '0' + numberBase,
    };

    private static void RefuseLeadingZero(string digits, TomlPosition position)
    {
        if (digits is ['0', _, ..])
        {
            throw new TomlSyntaxException(position, "a number has no leading zeros");
        }
    }

    private static TomlSyntaxException NotANumber(TomlPosition position) => new(
        position,
        "neither a number nor a date: a number has digits, single underscores between them, 0x 0o 0b before other digits, "
        + "digits on both sides of a point; text needs quotes");
}
