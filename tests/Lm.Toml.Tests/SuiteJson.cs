using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lm.Toml.Tests;

/// <summary>Compares values with the suite's typed JSON.</summary>
/// <remarks>Dates and times are read here by expressions of their own, so that a slip of the parser is not repeated by its judge.</remarks>
internal static partial class SuiteJson
{
    /// <summary>Where the two differ; empty when they are equal.</summary>
    public static IEnumerable<string> Differences(JsonElement expected, TomlValue actual, string path) => (actual, expected.ValueKind) switch
    {
        (TomlValue.Table table, JsonValueKind.Object) when !IsLeaf(expected) => DifferencesOfTable(expected, table, path),
        (TomlValue.Array array, JsonValueKind.Array) when array.Items.Count == expected.GetArrayLength() =>
            expected.EnumerateArray().Zip(array.Items).SelectMany((pair, at) => Differences(pair.First, pair.Second, $"{path}[{at}]")),
        (not TomlValue.Table and not TomlValue.Array, JsonValueKind.Object) when IsLeaf(expected)
            && IsEqual(expected.GetProperty("type").GetString()!, expected.GetProperty("value").GetString()!, actual) => [],
        _ => [$"{path} is {actual.Kind}; expected is {expected}"],
    };

    private static IEnumerable<string> DifferencesOfTable(JsonElement expected, TomlValue.Table table, string path)
    {
        foreach (var property in expected.EnumerateObject())
        {
            if (!table.Entries.ContainsKey(property.Name))
            {
                yield return $"{path}.{property.Name} is missing";
            }
        }

        foreach (var (key, entry) in table.Entries)
        {
            if (!expected.TryGetProperty(key, out var property))
            {
                yield return $"{path}.{key} is not expected";
                continue;
            }

            foreach (var difference in Differences(property, entry.Value, $"{path}.{key}"))
            {
                yield return difference;
            }
        }
    }

    private static bool IsLeaf(JsonElement element) =>
        element.EnumerateObject().Count() == 2
        && element.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
        && element.TryGetProperty("value", out var value) && value.ValueKind == JsonValueKind.String;

    private static bool IsEqual(string type, string value, TomlValue actual) => actual switch
    {
        TomlValue.Text text => type == "string" && text.Value == value,
        TomlValue.Integer integer => type == "integer" && integer.Value == long.Parse(value, CultureInfo.InvariantCulture),
        TomlValue.Float number => type == "float" && number.Value.Equals(Float(value)),
        TomlValue.Truth truth => type == "bool" && (truth.Value ? "true" : "false") == value,
        TomlValue.Moment moment => IsEqual(type, value, moment.Value),
        _ => false,
    };

    private static double Float(string value) => value switch
    {
        "inf" or "+inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" or "+nan" or "-nan" => double.NaN,
        _ => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static bool IsEqual(string type, string value, TomlDateTime actual)
    {
        var kind = (actual.Date, actual.Time, actual.OffsetMinutes) switch
        {
            (not null, not null, not null) => "datetime",
            (not null, not null, null) => "datetime-local",
            (not null, null, null) => "date-local",
            (null, not null, null) => "time-local",
            _ => "no kind of TOML",
        };
        var match = Moment().Match(value);
        Assert.True(match.Success, value);
        return kind == type
            && actual.Date == (Date(match) is { } date ? new TomlDate(date[0], date[1], date[2]) : null)
            && actual.Time == (Time(match) is { } time ? new TomlTime(time[0], time[1], time[2], Nanosecond(match)) : null)
            && actual.OffsetMinutes == Offset(match);
    }

    private static int[]? Date(Match match) => Numbers(match.Groups["date"].Value, '-');

    private static int[]? Time(Match match) => Numbers(match.Groups["time"].Value, ':');

    private static int[]? Numbers(string text, char separator) =>
        text.Length == 0 ? null : [.. text.Split(separator).Select(part => int.Parse(part, CultureInfo.InvariantCulture))];

    private static int Nanosecond(Match match) =>
        int.Parse(match.Groups["fraction"].Value.PadRight(9, '0')[..9], CultureInfo.InvariantCulture);

    private static int? Offset(Match match)
    {
        var offset = match.Groups["offset"].Value;
        if (offset.Length <= 1)
        {
            return offset.Length == 0 ? null : 0;
        }

        var parts = Numbers(offset[1..], ':')!;
        return (offset[0] == '-' ? -1 : 1) * ((parts[0] * 60) + parts[1]);
    }

    [GeneratedRegex(
        @"^(?<date>\d{4}-\d\d-\d\d)?T?(?<time>\d\d:\d\d:\d\d)?(\.(?<fraction>\d+))?(?<offset>Z|[+-]\d\d:\d\d)?$",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Moment();
}
