using System.Globalization;
using System.Text;

namespace Lm.Toml.Tests;

/// <summary>Writes values as TOML, just enough of it to prove that the parser gives back what was written.</summary>
internal static class TomlWriter
{
    /// <summary>The document of a top table: plain keys first, then headers, as TOML needs it.</summary>
    public static string Write(TomlValue.Table top)
    {
        var text = new StringBuilder();
        WriteEntries(text, top, path: "");
        return text.ToString();
    }

    private static void WriteEntries(StringBuilder text, TomlValue.Table table, string path)
    {
        foreach (var (key, entry) in table.Entries.Where(entry => !HasHeader(entry.Value.Value)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{Key(key)} = {Inline(entry.Value)} # {key.Length} units\n");
        }

        foreach (var (key, entry) in table.Entries.Where(entry => HasHeader(entry.Value.Value)))
        {
            var header = path.Length == 0 ? Key(key) : $"{path} . {Key(key)}";
            foreach (var element in entry.Value is TomlValue.Array array ? array.Items : [entry.Value])
            {
                text.Append(CultureInfo.InvariantCulture, $"\n{(entry.Value is TomlValue.Array ? $"[[{header}]]" : $"[ {header} ]")}\r\n");
                WriteEntries(text, (TomlValue.Table)element, header);
            }
        }
    }

    private static bool HasHeader(TomlValue value) => value
        is TomlValue.Table { Origin: TomlValue.TableOrigin.Header }
        or TomlValue.Array { GrowsByHeaders: true };

    private static string Inline(TomlValue value) => value switch
    {
        TomlValue.Text text => Text(text.Value),
        TomlValue.Integer integer => Integer(integer.Value),
        TomlValue.Float number => Float(number.Value),
        TomlValue.Truth truth => truth.Value ? "true" : "false",
        TomlValue.Moment moment => Moment(moment.Value),
        TomlValue.Array array => $"[{string.Join(",\n\t# next\n", array.Items.Select(Inline))}\n]",
        TomlValue.Table table =>
            $"{{ {string.Join(" , ", table.Entries.Select(entry => $"{Key(entry.Key)}={Inline(entry.Value.Value)}"))} }}",
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };

    private static string Key(string key) => key.Length > 0 && key.All(unit => TomlKey.IsBare(unit)) ? key : Basic(key);

    // The kinds of strings take turns by length, each where it can hold the text.
    private static string Text(string text) => (text.Length % 3) switch
    {
        0 when !text.Any(unit => unit is '\'' or < ' ' or (char)0x7F) => $"'{text}'",
        1 when !text.Contains("'''", StringComparison.Ordinal) && !text.EndsWith('\'')
            && !text.Any(unit => unit is (< ' ' and not '\n') or (char)0x7F) => $"'''\n{text}'''",
        2 => $"\"\"\"\n{string.Concat(text.EnumerateRunes().Select(EscapedInLines))}\"\"\"",
        _ => Basic(text),
    };

    private static string Basic(string text) => $"\"{string.Concat(text.EnumerateRunes().Select(Escaped))}\"";

    // Line feeds as they are, and a joined line before each backslash.
    private static string EscapedInLines(Rune rune) => rune.Value switch
    {
        '\n' => "\n",
        '\\' => "\\\n  \\\\",
        _ => Escaped(rune),
    };

    private static string Escaped(Rune rune) => rune.Value switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        < ' ' or 0x7F => $"\\u{rune.Value:x4}",
        > 0xFFFF => $"\\U{rune.Value:X8}",
        _ => rune.ToString(),
    };

    private static string Integer(long value) => (value & 3) switch
    {
        0 when value >= 0 => $"0x{value:x}",
        1 when value >= 0 => $"0o{Convert.ToString(value, 8)}",
        2 when value >= 0 => $"0b0_{Convert.ToString(value, 2)}",
        _ => value.ToString("N0", CultureInfo.InvariantCulture).Replace(',', '_'),
    };

    private static string Float(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "+inf" : "-inf";
        }

        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.ContainsAny('.', 'E') ? text : text + ".0";
    }

    private static string Moment(TomlDateTime value)
    {
        var date = value.Date is { } day ? $"{day.Year:0000}-{day.Month:00}-{day.Day:00}" : "";
        var time = value.Time is { } at ? $"{at.Hour:00}:{at.Minute:00}:{at.Second:00}.{at.Nanosecond:000000000}99" : "";
        var separator = date.Length > 0 && time.Length > 0 ? (value.Date!.Value.Day % 2 == 0 ? "T" : " ") : "";
        var offset = value.OffsetMinutes switch
        {
            null => "",
            0 => "z",
            var minutes => $"{(minutes < 0 ? '-' : '+')}{Math.Abs(minutes.Value) / 60:00}:{Math.Abs(minutes.Value) % 60:00}",
        };
        return date + separator + time + offset;
    }
}
