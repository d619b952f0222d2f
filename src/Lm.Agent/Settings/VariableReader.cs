using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lm.Agent.Exposition;
using Lm.Agent.Programs;
using Lm.Protocol;
using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>[[commands.variables]]</c>.</summary>
internal static class VariableReader
{
    private const int VariablesMax = 64;
    private const int StepsMax = 32;
    private const int PlaceMax = 100_000;

    public static List<CommandVariable> ReadAll(TomlTable owner)
    {
        var tables = owner.ReadTables("variables");
        if (tables.Count > VariablesMax)
        {
            owner.Fault("variables", $"variables has {tables.Count} entries; allowed are {VariablesMax}");
        }

        var variables = new List<CommandVariable>();
        foreach (var table in tables)
        {
            if (Read(table, variables) is { } variable)
            {
                variables.Add(variable);
            }
        }

        return variables;
    }

    private static CommandVariable? Read(TomlTable table, List<CommandVariable> earlier)
    {
        var name = table.ReadRequiredString("name");
        if (!ExpositionLine.IsName(Encoding.UTF8.GetBytes(name)))
        {
            table.Fault("name", $"name is {AgentSettingsReader.Show(name)}; letters, digits and _ are expected");
        }
        else if (earlier.Exists(other => other.Name == name))
        {
            table.Fault("name", $"name {AgentSettingsReader.Show(name)} stands in an earlier variable of this command too; each needs its own");
        }

        var metric = table.ReadString("metric", Command.VariableMetric);
        if (!ExpositionLine.IsName(Encoding.UTF8.GetBytes(metric)))
        {
            table.Fault("metric", $"metric is {AgentSettingsReader.Show(metric)}; a metric's name is expected: letters, digits, _ and :");
        }

        var type = table.ReadChoice("type", "gauge", "gauge", "counter") == "counter" ? MetricType.Counter : MetricType.Gauge;
        return ReadCut(table) is { } cut ? new CommandVariable(name, metric, type, cut) : null;
    }

    private static ValueCut? ReadCut(TomlTable table)
    {
        var pattern = table.ReadString("regex", "");
        var group = (int)table.ReadInteger("group", 1, 0, 99);
        var row = (int)table.ReadInteger("row", 0, -PlaceMax, PlaceMax);
        var rowPattern = table.ReadString("row_match", "");
        var column = (int)table.ReadInteger("column", 0, -PlaceMax, PlaceMax);
        var rowDelimiter = table.ReadString("row_delimiter", "\n");
        var columnDelimiter = table.ReadString("column_delimiter", @"[ \t,]+");
        var path = table.ReadString("json", "");
        var ways = (table.Has("regex") ? 1 : 0) + (table.Has("column") ? 1 : 0) + (table.Has("json") ? 1 : 0);
        if (ways != 1)
        {
            table.Fault("name", "a variable needs one of regex, column (with row or row_match) and json");
            return null;
        }

        return table.Has("regex") ? ReadByPattern(table, pattern, group)
            : table.Has("json") ? ReadByJson(table, path)
            : ReadByCell(table, row, rowPattern, column, rowDelimiter, columnDelimiter);
    }

    private static ValueCut.ByPattern? ReadByPattern(TomlTable table, string pattern, int group)
    {
        if (ReadRegex(table, "regex", pattern) is not { } regex)
        {
            return null;
        }

        if (!regex.GetGroupNumbers().Contains(group))
        {
            table.Fault(table.Has("group") ? "group" : "regex", $"regex has no group {group}; put ( ) around the number, or set group = 0 for the whole match");
            return null;
        }

        return new ValueCut.ByPattern(regex, group);
    }

    private static ValueCut.ByCell? ReadByCell(TomlTable table, int row, string rowPattern, int column, string rowDelimiter, string columnDelimiter)
    {
        if (table.Has("row") == table.Has("row_match") || (table.Has("row") && row == 0) || column == 0)
        {
            table.Fault("column", "a cell needs column and either row or row_match; both count from 1, or from -1 at the end");
            return null;
        }

        if (rowDelimiter.Length == 0)
        {
            table.Fault("row_delimiter", "row_delimiter is empty; a text that stands between rows is expected");
            return null;
        }

        var delimiter = ReadRegex(table, "column_delimiter", columnDelimiter);
        var match = table.Has("row_match") ? ReadRegex(table, "row_match", rowPattern) : null;
        return delimiter is null || (match is null && table.Has("row_match"))
            ? null
            : new ValueCut.ByCell(row, match, column, rowDelimiter, delimiter);
    }

    private static ValueCut.ByJson? ReadByJson(TomlTable table, string path)
    {
        var steps = ParsePath(path);
        if (steps is null || steps.Count > StepsMax)
        {
            table.Fault("json", $"json is {AgentSettingsReader.Show(path)}; a path is expected such as load.average[0], at most {StepsMax} steps");
            return null;
        }

        return new ValueCut.ByJson(steps);
    }

    /// <summary>Reads <c>a.b[0].c</c>; null when it is none.</summary>
    public static List<JsonStep>? ParsePath(string path)
    {
        var steps = new List<JsonStep>();
        foreach (var part in path.Split('.'))
        {
            var bracket = part.IndexOf('[', StringComparison.Ordinal);
            var key = bracket < 0 ? part : part[..bracket];
            if (key.Length > 0)
            {
                steps.Add(new JsonStep(key, 0));
            }
            else if (bracket < 0 || steps.Count > 0)
            {
                return null;
            }

            for (var rest = bracket < 0 ? "" : part[bracket..]; rest.Length > 0;)
            {
                var close = rest.IndexOf(']', StringComparison.Ordinal);
                if (rest[0] != '[' || close < 0 || !int.TryParse(rest.AsSpan(1, close - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
                {
                    return null;
                }

                steps.Add(new JsonStep(null, index));
                rest = rest[(close + 1)..];
            }
        }

        return steps;
    }

    private static Regex? ReadRegex(TomlTable table, string key, string text)
    {
        try
        {
            return new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Multiline);
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            table.Fault(key, $"{key} is {AgentSettingsReader.Show(text)}: {failure.Message}; a regular expression without look-arounds and back references is expected");
            return null;
        }
    }
}
