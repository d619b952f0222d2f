using System.Globalization;
using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary><c>printf</c> of templates: <c>%s %v %d %f %g %e %x %q %t %%</c> with <c>-</c>, <c>0</c>, <c>+</c>, width and precision.</summary>
/// <remarks>Source: https://pkg.go.dev/fmt.</remarks>
internal static class Printf
{
    private const int WidthMax = 1024;

    /// <summary>Fills a format.</summary>
    /// <exception cref="TemplateException">The format cannot be used, or asks for more values than there are.</exception>
    public static string Format(string format, ReadOnlySpan<TemplateValue> values)
    {
        var made = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%')
            {
                made.Append(format[i]);
                continue;
            }

            i++;
            var flagsStart = i;
            while (i < format.Length && format[i] is '-' or '0' or '+' or ' ')
            {
                i++;
            }

            var flags = format[flagsStart..Math.Min(i, format.Length)];
            var width = ReadNumber(format, ref i, 0);
            var precision = -1;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = ReadNumber(format, ref i, 0);
            }

            var verb = i < format.Length ? format[i] : throw new TemplateException("printf: the format ends in the middle of a %");
            if (verb == '%')
            {
                made.Append('%');
                continue;
            }

            var value = next < values.Length ? values[next++] : throw new TemplateException("printf: the format asks for more values than there are");
            made.Append(Pad(Print(verb, value, precision, flags.Contains('+', StringComparison.Ordinal)), width, flags));
        }

        return made.ToString();
    }

    private static string Print(char verb, TemplateValue value, int precision, bool wantsSign)
    {
        switch (verb)
        {
            case 's' or 'v' or 't':
                var text = value.ToString();
                return precision >= 0 && precision < text.Length ? text[..precision] : text;
            case 'q':
                return QuotedString.Quote(value.ToString());
            case 'd':
                var whole = value.AsWhole();
                return (wantsSign && whole >= 0 ? "+" : "") + whole.ToString(CultureInfo.InvariantCulture);
            case 'x':
                return value.IsText ? Convert.ToHexStringLower(Encoding.UTF8.GetBytes(value.ToString())) : value.AsWhole().ToString("x", CultureInfo.InvariantCulture);
            case 'f' or 'g' or 'e':
                var number = value.AsNumber();
                var form = verb switch
                {
                    'f' => "F" + (precision < 0 ? 6 : precision).ToString(CultureInfo.InvariantCulture),
                    'e' => "0." + new string('0', precision < 0 ? 6 : Math.Min(precision, 30)) + "e+00",
                    _ => precision < 0 ? "R" : "G" + precision.ToString(CultureInfo.InvariantCulture),
                };
                return (wantsSign && number >= 0 ? "+" : "") + number.ToString(form, CultureInfo.InvariantCulture);
            default:
                throw new TemplateException($"printf: %{verb} is not there; %s %v %d %f %g %e %x %q %t and %% are");
        }
    }

    private static string Pad(string text, int width, string flags) =>
        flags.Contains('-', StringComparison.Ordinal) ? text.PadRight(width)
        : flags.Contains('0', StringComparison.Ordinal) && text is ['-' or '+', ..] ? text[0] + text[1..].PadLeft(Math.Max(0, width - 1), '0')
        : text.PadLeft(width, flags.Contains('0', StringComparison.Ordinal) ? '0' : ' ');

    private static int ReadNumber(string format, ref int at, int otherwise)
    {
        var start = at;
        while (at < format.Length && char.IsAsciiDigit(format[at]))
        {
            at++;
        }

        if (at == start)
        {
            return otherwise;
        }

        return int.TryParse(format.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= WidthMax
            ? number
            : throw new TemplateException($"printf: widths and precisions are at most {WidthMax}");
    }
}
