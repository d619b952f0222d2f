using System.Globalization;
using System.Text;

namespace Lm.Logs.Query.Templates;

/// <summary>The functions that templates may call: those of Loki that work on texts, numbers and comparisons.</summary>
internal static class TemplateFunctions
{
    private const int ManyMax = 64;

    // Longest text that one call makes.
    private const int MadeMax = 256 * 1024;

    private static readonly Dictionary<string, TemplateFunction> All = Make().ToDictionary(function => function.Name, StringComparer.Ordinal);

    /// <summary>All names, for messages.</summary>
    public static string Names { get; } = string.Join(", ", All.Keys.Order(StringComparer.Ordinal));

    /// <summary>Finds a function; null when there is none.</summary>
    public static TemplateFunction? Find(string name) => All.GetValueOrDefault(name);

    private static IEnumerable<TemplateFunction> Make() =>
    [
        .. Texts(), .. Cuts(), .. Expressions(), .. Numbers(), .. Comparisons(), .. Conversions(), .. Times(), .. Documents(),
        new("__line__", 0, 0, static (_, run) => new(run.Line)),
        new("__timestamp__", 0, 0, static (_, run) => new(DateTimeOffset.FromUnixTimeMilliseconds(run.Time))),
    ];

    private static IEnumerable<TemplateFunction> Texts()
    {
        foreach (var name in (string[])["ToLower", "lower"])
        {
            yield return Of(name, static text => text.ToLowerInvariant());
        }

        foreach (var name in (string[])["ToUpper", "upper"])
        {
            yield return Of(name, static text => text.ToUpperInvariant());
        }

        foreach (var name in (string[])["trim", "TrimSpace"])
        {
            yield return Of(name, static text => text.Trim());
        }

        yield return Of("title", static text => CultureInfo.InvariantCulture.TextInfo.ToTitleCase(text));
        yield return Of("b64enc", static text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));
        yield return Of("b64dec", static text => FromBase64(text));
        yield return Of("urlencode", static text => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal));
        yield return Of("urldecode", static text => Uri.UnescapeDataString(text.Replace('+', ' ')));
        yield return new("repeat", 2, 2, static (values, _) => new(Repeat(values[1].ToString(), values[0].AsCount())));
        yield return new("len", 1, 1, static (values, _) => new((long)Encoding.UTF8.GetByteCount(values[0].ToString())));
        yield return new("contains", 2, 2, static (values, _) => new(values[1].ToString().Contains(values[0].ToString(), StringComparison.Ordinal)));
        yield return new("hasPrefix", 2, 2, static (values, _) => new(values[1].ToString().StartsWith(values[0].ToString(), StringComparison.Ordinal)));
        yield return new("hasSuffix", 2, 2, static (values, _) => new(values[1].ToString().EndsWith(values[0].ToString(), StringComparison.Ordinal)));
        yield return new("default", 2, 2, static (values, _) => values[1].IsTrue ? values[1] : values[0]);
        yield return new("printf", 1, ManyMax, static (values, _) => new(Printf.Format(values[0].ToString(), values.AsSpan(1))));
        yield return new("print", 0, ManyMax, static (values, _) => new(string.Concat(values.Select(value => value.ToString()))));
    }

    private static IEnumerable<TemplateFunction> Cuts()
    {
        yield return new("trunc", 2, 2, static (values, _) => new(Truncate(values[1].ToString(), values[0].AsCount())));
        yield return new("substr", 3, 3, static (values, _) => new(Substring(values[2].ToString(), values[0].AsCount(), values[1].AsCount())));
        yield return new("trimAll", 2, 2, static (values, _) => new(values[1].ToString().Trim(values[0].ToString().ToCharArray())));
        yield return new("Trim", 2, 2, static (values, _) => new(values[0].ToString().Trim(values[1].ToString().ToCharArray())));
        yield return new("TrimLeft", 2, 2, static (values, _) => new(values[0].ToString().TrimStart(values[1].ToString().ToCharArray())));
        yield return new("TrimRight", 2, 2, static (values, _) => new(values[0].ToString().TrimEnd(values[1].ToString().ToCharArray())));
        yield return new("trimPrefix", 2, 2, static (values, _) => new(TrimPrefix(values[1].ToString(), values[0].ToString())));
        yield return new("trimSuffix", 2, 2, static (values, _) => new(TrimSuffix(values[1].ToString(), values[0].ToString())));
        yield return new("TrimPrefix", 2, 2, static (values, _) => new(TrimPrefix(values[0].ToString(), values[1].ToString())));
        yield return new("TrimSuffix", 2, 2, static (values, _) => new(TrimSuffix(values[0].ToString(), values[1].ToString())));
        yield return new("alignLeft", 2, 2, static (values, _) => new(Align(values[1].ToString(), values[0].AsCount(), isLeft: true)));
        yield return new("alignRight", 2, 2, static (values, _) => new(Align(values[1].ToString(), values[0].AsCount(), isLeft: false)));
        yield return new("indent", 2, 2, static (values, _) => new(Indent(values[1].ToString(), values[0].AsCount())));
        yield return new("nindent", 2, 2, static (values, _) => new("\n" + Indent(values[1].ToString(), values[0].AsCount())));
    }

    private static IEnumerable<TemplateFunction> Expressions()
    {
        yield return new("replace", 3, 3, static (values, _) => new(Replace(values[2].ToString(), values[0].ToString(), values[1].ToString())));
        yield return new("Replace", 4, 4, static (values, _) => new(Replace(values[0].ToString(), values[1].ToString(), values[2].ToString(), values[3].AsCount())));
        yield return new("regexReplaceAll", 3, 3, static (values, run) => new(ReplaceMatches(values, run, isLiteral: false)));
        yield return new("regexReplaceAllLiteral", 3, 3, static (values, run) => new(ReplaceMatches(values, run, isLiteral: true)));
        yield return new("count", 2, 2, static (values, run) => new((long)run.Expression(values[0].ToString()).Count(values[1].ToString())));
    }

    private static IEnumerable<TemplateFunction> Numbers()
    {
        yield return new("add", 1, ManyMax, static (values, _) => new(values.Aggregate(0L, (sum, value) => unchecked(sum + value.AsWhole()))));
        yield return new("sub", 2, 2, static (values, _) => new(unchecked(values[0].AsWhole() - values[1].AsWhole())));
        yield return new("mul", 1, ManyMax, static (values, _) => new(values.Aggregate(1L, (product, value) => unchecked(product * value.AsWhole()))));
        yield return new("div", 2, 2, static (values, _) => new(values[0].AsWhole() / NotZero(values[1].AsWhole())));
        yield return new("mod", 2, 2, static (values, _) => new(values[0].AsWhole() % NotZero(values[1].AsWhole())));
        yield return new("addf", 1, ManyMax, static (values, _) => new(values.Sum(value => value.AsNumber())));
        yield return new("subf", 1, ManyMax, static (values, _) => new(values[0].AsNumber() - values.Skip(1).Sum(value => value.AsNumber())));
        yield return new("mulf", 1, ManyMax, static (values, _) => new(values.Aggregate(1.0, (product, value) => product * value.AsNumber())));
        yield return new("divf", 1, ManyMax, static (values, _) => new(values.Skip(1).Aggregate(values[0].AsNumber(), (rest, value) => rest / value.AsNumber())));
        yield return new("max", 1, ManyMax, static (values, _) => new(values.Max(value => value.AsWhole())));
        yield return new("min", 1, ManyMax, static (values, _) => new(values.Min(value => value.AsWhole())));
        yield return new("maxf", 1, ManyMax, static (values, _) => new(values.Max(value => value.AsNumber())));
        yield return new("minf", 1, ManyMax, static (values, _) => new(values.Min(value => value.AsNumber())));
        yield return new("ceil", 1, 1, static (values, _) => new(Math.Ceiling(values[0].AsNumber())));
        yield return new("floor", 1, 1, static (values, _) => new(Math.Floor(values[0].AsNumber())));
        yield return new("round", 1, 2, static (values, _) => new(Math.Round(values[0].AsNumber(), Math.Clamp(values.Length > 1 ? values[1].AsCount() : 0, 0, 15), MidpointRounding.AwayFromZero)));
        yield return new("int", 1, 1, static (values, _) => new(values[0].AsWhole()));
        yield return new("float64", 1, 1, static (values, _) => new(values[0].AsNumber()));
    }

    private static IEnumerable<TemplateFunction> Comparisons()
    {
        yield return new("eq", 2, ManyMax, static (values, _) => new(values.Skip(1).Any(value => Compare(values[0], value) == 0)));
        yield return new("ne", 2, 2, static (values, _) => new(Compare(values[0], values[1]) != 0));
        yield return new("lt", 2, 2, static (values, _) => new(Compare(values[0], values[1]) < 0));
        yield return new("le", 2, 2, static (values, _) => new(Compare(values[0], values[1]) <= 0));
        yield return new("gt", 2, 2, static (values, _) => new(Compare(values[0], values[1]) > 0));
        yield return new("ge", 2, 2, static (values, _) => new(Compare(values[0], values[1]) >= 0));
        yield return new("not", 1, 1, static (values, _) => new(!values[0].IsTrue));
        yield return new("and", 1, ManyMax, static (values, _) => values.All(value => value.IsTrue) ? values[^1] : Array.Find(values, value => !value.IsTrue));
        yield return new("or", 1, ManyMax, static (values, _) => values.Any(value => value.IsTrue) ? Array.Find(values, value => value.IsTrue) : values[^1]);
    }

    private static IEnumerable<TemplateFunction> Conversions()
    {
        yield return new("bytes", 1, 1, static (values, _) => Amount(QuantityKind.Bytes, values[0], 1));
        yield return new("duration", 1, 1, static (values, _) => Amount(QuantityKind.Duration, values[0], 1e9));
        yield return new("duration_seconds", 1, 1, static (values, _) => Amount(QuantityKind.Duration, values[0], 1e9));
    }

    private static IEnumerable<TemplateFunction> Times()
    {
        yield return new("date", 2, 2, static (values, _) => new(GoTime.Format(values[1].AsTime(), values[0].ToString())));
        yield return new("toDate", 2, 2, static (values, _) => new(TimeOf(values[0].ToString(), TimeSpan.Zero, values[1].ToString())));
        yield return new("toDateInZone", 3, 3, static (values, _) => new(TimeInZone(values[0].ToString(), values[1].ToString(), values[2].ToString())));
        yield return new("unixToTime", 1, 1, static (values, _) => new(FromUnix(values[0].ToString())));
        yield return new("unixEpoch", 1, 1, static (values, _) => new(Text(values[0].AsTime().ToUnixTimeSeconds())));
        yield return new("unixEpochMillis", 1, 1, static (values, _) => new(Text(values[0].AsTime().ToUnixTimeMilliseconds())));
        yield return new("unixEpochNanos", 1, 1, static (values, _) => new(Text((values[0].AsTime() - DateTimeOffset.UnixEpoch).Ticks) + "00"));
    }

    private static IEnumerable<TemplateFunction> Documents()
    {
        yield return new("fromJson", 1, 1, static (values, _) => TemplateJson.Read(values[0].ToString()));
        yield return new("index", 1, ManyMax, static (values, _) => values.Skip(1).Aggregate(values[0], ElementOf));
    }

    private static TemplateValue ElementOf(TemplateValue of, TemplateValue key)
    {
        if (of.Elements is not { } elements)
        {
            return of.Member(key.ToString());
        }

        var index = key.AsWhole();
        return index >= 0 && index < elements.Length ? elements[index] : throw new TemplateException($"index: there is no element {index} of {elements.Length}");
    }

    // What cannot be read is Go's time of nothing.
    private static DateTimeOffset TimeOf(string layout, TimeSpan zone, string text) => GoTime.TryParse(text, layout, zone, out var time) ? time : default;

    private static DateTimeOffset TimeInZone(string layout, string zone, string text)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) || !GoTime.TryParse(text, layout, TimeSpan.Zero, out var time))
        {
            return default;
        }

        var local = DateTime.SpecifyKind(time.DateTime, DateTimeKind.Unspecified);
        return time.Offset == TimeSpan.Zero ? new DateTimeOffset(local, found.GetUtcOffset(local)) : time;
    }

    // How many digits it has tells the unit.
    private static DateTimeOffset FromUnix(string text)
    {
        long? ticks = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? text.Length switch
            {
                5 => number * TimeSpan.TicksPerDay,
                10 => number * TimeSpan.TicksPerSecond,
                13 => number * TimeSpan.TicksPerMillisecond,
                16 => number * TimeSpan.TicksPerMicrosecond,
                19 => number / TimeSpan.NanosecondsPerTick,
                _ => null,
            }
            : null;
        return ticks is { } found
            ? DateTimeOffset.UnixEpoch.AddTicks(found)
            : throw new TemplateException($"unixToTime: {QuotedString.Quote(Truncate(text, 32))} is neither days (5 digits), seconds (10), milliseconds (13), microseconds (16) nor nanoseconds (19)");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static TemplateFunction Of(string name, Func<string, string> call) => new(name, 1, 1, (values, _) => new TemplateValue(call(values[0].ToString())));

    private static TemplateValue Amount(QuantityKind kind, TemplateValue value, double unit) =>
        Pipeline.QuantityTest.TryRead(kind, Encoding.UTF8.GetBytes(value.ToString()), out var amount)
            ? new TemplateValue(amount / unit)
            : throw new TemplateException($"{QuotedString.Quote(Truncate(value.ToString(), 32))} is no {(kind == QuantityKind.Bytes ? "size as 20MB" : "duration as 1.5s")}");

    private static int Compare(TemplateValue left, TemplateValue right) => left.IsText && right.IsText
        ? string.CompareOrdinal(left.ToString(), right.ToString())
        : left.AsNumber().CompareTo(right.AsNumber());

    private static long NotZero(long divisor) => divisor != 0 ? divisor : throw new TemplateException("a division by 0");

    private static string FromBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : throw new TemplateException("the text is no base64");
    }

    private static string Repeat(string text, int count)
    {
        Check((long)text.Length * Math.Max(0, count));
        return string.Concat(Enumerable.Repeat(text, Math.Max(0, count)));
    }

    private static string Replace(string text, string old, string with, int count = -1)
    {
        Check(text.Length + ((text.Length + 1L) / Math.Max(1, old.Length) * with.Length));
        if (count < 0)
        {
            return old.Length == 0 ? text : text.Replace(old, with, StringComparison.Ordinal);
        }

        var made = new StringBuilder(text.Length);
        var start = 0;
        while (count-- > 0 && old.Length > 0 && text.IndexOf(old, start, StringComparison.Ordinal) is >= 0 and var found)
        {
            made.Append(text, start, found - start).Append(with);
            start = found + old.Length;
        }

        return made.Append(text, start, text.Length - start).ToString();
    }

    // $1, ${1} and $$ in the text that is put in.
    private static string ReplaceMatches(TemplateValue[] values, TemplateRun run, bool isLiteral)
    {
        var (text, with) = (values[1].ToString(), values[2].ToString());
        Check((text.Length + 1L) * (with.Length + 1L) > MadeMax && text.Length > 4096 ? MadeMax + 1L : 0);
        return run.Expression(values[0].ToString()).Replace(text, match => isLiteral ? with : Expand(with, match));
    }

    private static string Expand(string with, System.Text.RegularExpressions.Match match)
    {
        var made = new StringBuilder(with.Length);
        for (var i = 0; i < with.Length; i++)
        {
            if (with[i] != '$' || i + 1 == with.Length)
            {
                made.Append(with[i]);
                continue;
            }

            var isBraced = with[i + 1] == '{';
            var start = i + (isBraced ? 2 : 1);
            var end = start;
            while (end < with.Length && char.IsAsciiDigit(with[end]) && end - start < 4)
            {
                end++;
            }

            if (with[i + 1] == '$')
            {
                made.Append('$');
                i++;
            }
            else if (end > start && (!isBraced || (end < with.Length && with[end] == '}')))
            {
                made.Append(match.Groups[int.Parse(with.AsSpan(start, end - start), CultureInfo.InvariantCulture)].Value);
                i = isBraced ? end : end - 1;
            }
            else
            {
                made.Append('$');
            }
        }

        return made.ToString();
    }

    private static string Truncate(string text, int length)
    {
        // In characters, without parting a surrogate pair.
        var runes = text.EnumerateRunes().Count();
        return Math.Abs((long)length) >= runes ? text : length >= 0 ? Substring(text, 0, length) : Substring(text, runes + length, -1);
    }

    private static string Substring(string text, int start, int end)
    {
        var made = new StringBuilder();
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (at >= start && (end < 0 || at < end))
            {
                made.Append(rune.ToString());
            }

            at++;
        }

        return made.ToString();
    }

    private static string TrimPrefix(string text, string prefix) => text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;

    private static string TrimSuffix(string text, string suffix) => text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text;

    private static string Align(string text, int width, bool isLeft)
    {
        Check(width);
        var length = text.EnumerateRunes().Count();
        return width < 0 ? text
            : length > width ? (isLeft ? Substring(text, 0, width) : Substring(text, length - width, -1))
            : isLeft ? text + new string(' ', width - length) : new string(' ', width - length) + text;
    }

    private static string Indent(string text, int width)
    {
        Check(Math.Max(0, (long)width) * (text.Count(c => c == '\n') + 1));
        var blanks = new string(' ', Math.Max(0, width));
        return blanks + text.Replace("\n", "\n" + blanks, StringComparison.Ordinal);
    }

    private static void Check(long length)
    {
        if (length > MadeMax)
        {
            throw new TemplateException($"a function would make more than {MadeMax} characters");
        }
    }
}
