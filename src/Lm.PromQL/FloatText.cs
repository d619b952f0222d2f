using System.Globalization;
using System.Text;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>Numbers and texts written and read as Prometheus does: label values and messages are made of them.</summary>
internal static class FloatText
{
    /// <summary>The shortest digits that read back as the same number, never with an exponent: <c>count_values</c>.</summary>
    public static string Plain(double value)
    {
        if (!double.IsFinite(value))
        {
            return NotFinite(value);
        }

        var (sign, digits, point) = Digits(value);
        return point <= 0 ? sign + "0" + (digits == "0" ? "" : "." + new string('0', -point) + digits)
            : point >= digits.Length ? sign + digits + new string('0', point - digits.Length)
            : $"{sign}{digits[..point]}.{digits[point..]}";
    }

    /// <summary>The shortest digits, with an exponent below 1e-4 and from 1e6 on (<c>%g</c>).</summary>
    public static string General(double value)
    {
        if (!double.IsFinite(value))
        {
            return NotFinite(value);
        }

        var (sign, digits, point) = Digits(value);
        return point - 1 is < -4 or >= 6 ? Exponential(sign, digits, point - 1) : Plain(value);
    }

    /// <summary>Two significant digits (<c>%.2g</c>).</summary>
    public static string TwoDigits(double value)
    {
        if (!double.IsFinite(value) || value == 0)
        {
            return value == 0 ? "0" : NotFinite(value);
        }

        var rounded = double.Parse(value.ToString("E1", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var (sign, digits, point) = Digits(rounded);
        return point - 1 is < -4 or >= 2 ? Exponential(sign, digits, point - 1) : Plain(rounded);
    }

    /// <summary>Six digits behind the point (<c>%f</c>).</summary>
    public static string Fixed(double value) => double.IsFinite(value) ? value.ToString("F6", CultureInfo.InvariantCulture) : NotFinite(value);

    /// <summary>Reads a bucket's bound: a decimal number, or infinity in any spelling that Prometheus takes.</summary>
    public static bool TryParse(string text, out double value)
    {
        var bare = text.AsSpan();
        var isNegative = bare.StartsWith("-");
        bare = isNegative || bare.StartsWith("+") ? bare[1..] : bare;
        if (bare.Equals("inf", StringComparison.OrdinalIgnoreCase) || bare.Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            value = isNegative ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        if (bare.Equals("nan", StringComparison.OrdinalIgnoreCase) && bare.Length == text.Length)
        {
            value = double.NaN;
            return true;
        }

        const NumberStyles Styles = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowLeadingSign;
        value = 0;
        return bare.Length > 0 && (char.IsAsciiDigit(bare[0]) || bare[0] == '.')
            && double.TryParse(text, Styles, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    /// <summary>A text in quotes, what does not print escaped (<c>%q</c>).</summary>
    public static string Quote(string text)
    {
        var quoted = new StringBuilder("\"", text.Length + 2);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append(@"\\"),
                '\a' => quoted.Append(@"\a"),
                '\b' => quoted.Append(@"\b"),
                '\f' => quoted.Append(@"\f"),
                '\n' => quoted.Append(@"\n"),
                '\r' => quoted.Append(@"\r"),
                '\t' => quoted.Append(@"\t"),
                '\v' => quoted.Append(@"\v"),
                < 0x20 or 0x7f => quoted.Append(CultureInfo.InvariantCulture, $@"\x{rune.Value:x2}"),
                _ => quoted.Append(rune.ToString()),
            };
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>A label set as messages show it.</summary>
    public static string Of(LabelSet labels)
    {
        var text = new StringBuilder("{");
        foreach (ref readonly var label in labels.Labels)
        {
            text.Append(text.Length > 1 ? ", " : "").Append(LabelNames.IsLegacy(label.Name) ? label.Name : Quote(label.Name)).Append('=').Append(Quote(label.Value));
        }

        return text.Append('}').ToString();
    }

    private static string NotFinite(double value) => double.IsNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";

    private static string Exponential(string sign, string digits, int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[..1]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    // The shortest digits, and how many of them stand before the point.
    private static (string Sign, string Digits, int Point) Digits(double value)
    {
        if (value == 0)
        {
            return (double.IsNegative(value) ? "-" : "", "0", 1);
        }

        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture); // the shortest: 1234.5, 1E+21, 1.5E-07
        var at = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = at < 0 ? 0 : int.Parse(text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        text = at < 0 ? text : text[..at];
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var point = (dot < 0 ? text.Length : dot) + exponent;
        var all = text.Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        return (value < 0 ? "-" : "", digits.TrimEnd('0'), point - (all.Length - digits.Length));
    }
}

/// <summary>Which names labels may have.</summary>
internal static class LabelNames
{
    /// <summary>A letter or underscore, then letters, digits and underscores.</summary>
    public static bool IsLegacy(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>Whether a function may make a label of this name: since Prometheus 3 any text will do that is not empty and is Unicode.</summary>
    /// <remarks>The parser turns a byte that is no UTF-8 into the replacement character, or a half of a surrogate pair.</remarks>
    public static bool IsValid(string name, PromSemantics semantics) => semantics == PromSemantics.V2
        ? IsLegacy(name)
        : name.Length > 0 && !name.Contains('\uFFFD', StringComparison.Ordinal) && name.EnumerateRunes().All(rune => rune != Rune.ReplacementChar);
}
