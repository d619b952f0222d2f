using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>Reads <c>[[variables]]</c> of a definition.</summary>
/// <param name="semantics">Whose PromQL.</param>
internal sealed class VariableReader(PromSemantics semantics)
{
    private const int VariablesMax = 20;
    private const int ValuesMax = 200;
    private const int NameMax = 64;

    private readonly List<DashboardVariable> variables = [];

    /// <summary>Reads them all; a variable may use those before it.</summary>
    public IReadOnlyList<DashboardVariable> Read(TomlTable root)
    {
        foreach (var table in BoundedText.ReadTables(root, "variables", VariablesMax))
        {
            Add(table);
        }

        return variables;
    }

    private void Add(TomlTable table)
    {
        var name = table.ReadRequiredString("name");
        if (name.Length > NameMax || !IsName(name) || name.StartsWith("__", StringComparison.Ordinal))
        {
            table.Fault("name", $"name is {GoText.Quote(BoundedText.Cut(name))}; a letter or _, then letters, digits and _ are allowed, at most {NameMax}, and not __ at its beginning");
        }
        else if (variables.Exists(other => other.Name == name))
        {
            table.Fault("name", $"name is {name}, which an earlier variable has");
        }

        BoundedText.Read(table, "label", BoundedText.NameMax);
        var kind = BoundedText.ReadKind(table, "kind", "label_values", "query", "list", "interval", "text");
        var isMany = false;
        var sample = "x";
        BoundedText.Read(table, "default", BoundedText.NameMax);
        switch (kind)
        {
            case "label_values":
                ReadLabelName(table, "of");
                ReadMatch(table);
                isMany = ReadChoices(table);
                break;
            case "query":
                PanelQueryReader.CheckPromql(table, "promql", variables, null, semantics);
                ReadLabelName(table, "label_name");
                isMany = ReadChoices(table);
                break;
            case "list":
                sample = ReadValues(table) is [var first, ..] ? first : sample;
                isMany = ReadChoices(table);
                break;
            case "interval":
                sample = ReadIntervals(table);
                break;
        }

        variables.Add(new DashboardVariable(name, kind == "interval", isMany, sample));
    }

    private static bool ReadChoices(TomlTable table)
    {
        table.ReadChoice("sort", "asc", "asc", "desc", "none");
        return table.ReadBoolean("multi", false) | table.ReadBoolean("all", false);
    }

    private static IReadOnlyList<string> ReadValues(TomlTable table)
    {
        var values = BoundedText.ReadList(table, "values", ValuesMax, BoundedText.NameMax);
        if (values.Count == 0)
        {
            table.Fault("values", "values is missing or empty; an array of strings is expected");
        }

        return values;
    }

    private static string ReadIntervals(TomlTable table)
    {
        var values = ReadValues(table);
        if (values.FirstOrDefault(value => BoundedText.FaultOfDuration(value) is not null) is { } wrong)
        {
            table.Fault("values", $"values has {GoText.Quote(BoundedText.Cut(wrong))}; durations as 30s or 1h30m are expected");
            return "1m";
        }

        return values is [var first, ..] ? first : "1m";
    }

    private void ReadMatch(TomlTable table)
    {
        var match = BoundedText.Read(table, "match", BoundedText.BodyMax);
        if (match.Length == 0)
        {
            return;
        }

        if (!QueryFill.TryFill(match, variables, null, out var filled, out var fault))
        {
            table.Fault("match", $"match: {fault}");
        }
        else if (!PromParser.TryParseSelector(filled, semantics, out _, out var parseFault))
        {
            table.Fault("match", $"match: {parseFault}");
        }
    }

    private static void ReadLabelName(TomlTable table, string key)
    {
        var name = table.ReadRequiredString(key);
        if (name.Length > BoundedText.NameMax || !IsName(name))
        {
            table.Fault(key, $"{key} is {GoText.Quote(BoundedText.Cut(name))}; the name of a label is expected");
        }
    }

    private static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(static each => char.IsAsciiLetterOrDigit(each) || each == '_');
}
