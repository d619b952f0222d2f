using Lm.Logs.Query;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>Reads a panel's queries and checks that each can be read with its variables filled in.</summary>
internal static class PanelQueryReader
{
    private const int QueriesMax = 8;

    /// <summary>Reads <c>queries</c>.</summary>
    /// <returns>How many there are.</returns>
    public static int Read(TomlTable panel, string kind, IReadOnlyList<DashboardVariable> variables, string? repeated, PromSemantics semantics)
    {
        var queries = BoundedText.ReadTables(panel, "queries", QueriesMax);
        if (kind == "text" && queries.Count > 0)
        {
            panel.Fault("queries", "a panel of the kind text has no queries");
        }
        else if (kind is not ("text" or "") && queries.Count == 0)
        {
            panel.Fault("queries", $"queries is missing; a panel of the kind {kind} needs one at least");
        }

        foreach (var query in queries)
        {
            ReadQuery(query, kind, variables, repeated, semantics);
        }

        return queries.Count;
    }

    /// <summary>Reads a key's PromQL, which must be there.</summary>
    public static void CheckPromql(TomlTable table, string key, IReadOnlyList<DashboardVariable> variables, string? repeated, PromSemantics semantics)
    {
        var text = BoundedText.ReadRequired(table, key, BoundedText.BodyMax);
        if (text.Length == 0)
        {
            return; // said already
        }

        if (!QueryFill.TryFill(text, variables, repeated, out var filled, out var fault))
        {
            table.Fault(key, $"{key}: {fault}");
        }
        else if (!PromParser.TryParse(filled, semantics, out var expression, out var parseFault))
        {
            table.Fault(key, $"{key}: {parseFault}");
        }
        else if (expression.Kind is ValueKind.Matrix or ValueKind.Text)
        {
            table.Fault(key, $"{key} gives {(expression.Kind == ValueKind.Text ? "a string" : "a range vector")}; a panel draws scalars and instant vectors");
        }
    }

    private static void ReadQuery(TomlTable query, string kind, IReadOnlyList<DashboardVariable> variables, string? repeated, PromSemantics semantics)
    {
        var isLogql = query.Has("logql");
        if (isLogql && query.Has("promql"))
        {
            query.ReadString("promql", "");
            query.Fault("promql", "a query has promql or logql, not both");
        }
        else if (!isLogql && kind == "logs")
        {
            query.ReadString("promql", "");
            query.Fault("logql", "logql is missing: a panel of the kind logs shows lines");
        }

        if (isLogql)
        {
            CheckLogql(query, kind, variables, repeated);
        }
        else if (kind != "logs")
        {
            CheckPromql(query, "promql", variables, repeated, semantics);
        }

        BoundedText.Read(query, "legend", BoundedText.NameMax);
        query.ReadBoolean("instant", false);
        BoundedText.ReadDuration(query, "min_step", "");
        query.ReadBoolean("hidden", false);
        query.ReadChoice("axis", "left", "left", "right");
    }

    private static void CheckLogql(TomlTable query, string kind, IReadOnlyList<DashboardVariable> variables, string? repeated)
    {
        var text = BoundedText.ReadRequired(query, "logql", BoundedText.BodyMax);
        if (text.Length == 0)
        {
            return; // said already
        }

        if (!QueryFill.TryFill(text, variables, repeated, out var filled, out var fault))
        {
            query.Fault("logql", $"logql: {fault}");
        }
        else if (!LogQuery.TryParse(filled, out var parsed, out var parseFault))
        {
            query.Fault("logql", $"logql: {parseFault}");
        }
        else if (parsed!.IsMetric == (kind == "logs"))
        {
            query.Fault("logql", kind == "logs" ? "logql gives numbers; a panel of the kind logs shows lines" : $"logql gives lines; a panel of the kind {kind} draws numbers, as of count_over_time");
        }
    }
}
