using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>Reads <c>[[panels]]</c> of a definition.</summary>
/// <param name="variables">The dashboard's variables.</param>
/// <param name="semantics">Whose PromQL.</param>
internal sealed class PanelReader(IReadOnlyList<DashboardVariable> variables, PromSemantics semantics)
{
    /// <summary>Units of a grid's width.</summary>
    public const int GridWidth = 24;

    private const int PanelsMax = 100;
    private const int RowsMax = 10_000;
    private const int HeightMax = 100;
    private const int ListMax = 20;
    private const int RowLimitMax = 5000;

    private static readonly string[] Units =
        ["none", "percent", "ratio", "bytes", "bytes_si", "bytes_per_second", "bits_per_second", "seconds", "celsius", "hertz", "ops", "count", "timestamp"];

    private readonly List<(string Id, Area Area)> placed = [];

    /// <summary>Reads them all.</summary>
    /// <returns>How many there are.</returns>
    public int Read(TomlTable root)
    {
        var panels = BoundedText.ReadTables(root, "panels", PanelsMax);
        foreach (var panel in panels)
        {
            ReadPanel(panel);
        }

        return panels.Count;
    }

    private void ReadPanel(TomlTable panel)
    {
        var id = BoundedText.ReadId(panel, "id");
        if (placed.Exists(other => other.Id == id))
        {
            panel.Fault("id", $"id is {id}, which an earlier panel has");
        }

        BoundedText.Read(panel, "title", BoundedText.NameMax);
        BoundedText.Read(panel, "description", BoundedText.DescriptionMax);
        var kind = BoundedText.ReadKind(panel, "kind", "timeseries", "stat", "gauge", "table", "logs", "status", "heatmap", "text");
        ReadGrid(panel, id);
        panel.ReadChoice("unit", "none", Units);
        panel.ReadInteger("decimals", 0, 0, 10);
        ReadScale(panel, kind);
        var repeated = BoundedText.Read(panel, "repeat", BoundedText.NameMax);
        if (repeated.Length > 0 && !variables.Any(variable => variable.Name == repeated))
        {
            panel.Fault("repeat", $"repeat is {GoText.Quote(BoundedText.Cut(repeated))}, which is no variable of this dashboard");
        }

        foreach (var link in BoundedText.ReadTables(panel, "links", ListMax))
        {
            BoundedText.ReadRequired(link, "title", BoundedText.NameMax);
            ReadLink(link, "url", isRequired: true);
        }

        if (panel.Has("show_if"))
        {
            PanelQueryReader.CheckPromql(panel, "show_if", variables, repeated, semantics);
        }

        ReadThresholds(panel);
        var queries = PanelQueryReader.Read(panel, kind, variables, repeated, semantics);
        ReadOfKind(panel, kind, queries);
    }

    private void ReadGrid(TomlTable panel, string id)
    {
        var grid = panel.ReadTable("grid");
        if (!grid.IsPresent)
        {
            panel.Fault("grid", "grid is missing; { x, y, w, h } is expected");
            return;
        }

        foreach (var key in (ReadOnlySpan<string>)["x", "y", "w", "h"])
        {
            if (!grid.Has(key))
            {
                grid.Fault(key, $"{key} is missing in grid; x, y, w and h are expected");
            }
        }

        var area = new Area(
            (int)grid.ReadInteger("x", 0, 0, GridWidth - 1), (int)grid.ReadInteger("y", 0, 0, RowsMax), (int)grid.ReadInteger("w", 1, 1, GridWidth), (int)grid.ReadInteger("h", 1, 1, HeightMax));
        if (area.X + area.W > GridWidth)
        {
            grid.Fault("w", $"x is {area.X} and w {area.W}: the panel ends at {area.X + area.W} of {GridWidth}");
        }
        else if (placed.Find(other => other.Area.Overlaps(area)) is { Id: not null } other)
        {
            panel.Fault("grid", $"grid overlaps with panel {other.Id}, which has x = {other.Area.X}, y = {other.Area.Y}, w = {other.Area.W}, h = {other.Area.H}");
        }

        placed.Add((id, area));
    }

    private static void ReadScale(TomlTable panel, string kind)
    {
        var (min, max) = (panel.ReadNumber("min"), panel.ReadNumber("max"));
        if (min >= max)
        {
            panel.Fault("max", "max must be more than min");
        }
        else if (kind == "gauge" && (min is null || max is null))
        {
            panel.Fault(min is null ? "min" : "max", "a panel of the kind gauge needs min and max");
        }
    }

    private static void ReadThresholds(TomlTable panel)
    {
        foreach (var threshold in BoundedText.ReadTables(panel, "thresholds", ListMax))
        {
            BoundedText.ReadKind(threshold, "level", "ok", "warn", "crit");
            var (above, below) = (threshold.ReadNumber("above"), threshold.ReadNumber("below"));
            if (threshold.Has("above") == threshold.Has("below"))
            {
                threshold.Fault(above is null ? "below" : "above", "a threshold has above or below");
            }
        }
    }

    private static void ReadOfKind(TomlTable panel, string kind, int queries)
    {
        switch (kind)
        {
            case "timeseries":
                panel.ReadChoice("style", "line", "line", "area", "bars", "steps", "points");
                panel.ReadChoice("stack", "none", "none", "normal", "percent");
                panel.ReadChoice("scale", "linear", "linear", "log");
                panel.ReadChoice("legend", "table", "table", "list", "none");
                panel.ReadBoolean("connect_gaps", false);
                ReadAnnotations(panel);
                break;
            case "stat":
                ReadReduce(panel);
                panel.ReadBoolean("sparkline", true);
                BoundedText.ReadDuration(panel, "compare", "");
                break;
            case "gauge":
                ReadReduce(panel);
                panel.ReadChoice("shape", "arc", "arc", "bar");
                break;
            case "table":
                ReadColumns(panel, queries);
                BoundedText.Read(panel, "sort", BoundedText.NameMax);
                panel.ReadInteger("limit", 500, 1, RowLimitMax);
                ReadLink(panel, "link", isRequired: false);
                break;
            case "logs":
                panel.ReadInteger("limit", 200, 1, RowLimitMax);
                panel.ReadBoolean("wrap", false);
                BoundedText.ReadList(panel, "fields", ListMax, BoundedText.NameMax);
                panel.ReadBoolean("live", false);
                break;
            case "status":
                ReadMap(panel);
                panel.ReadBoolean("history", false);
                break;
            case "heatmap":
                ReadBuckets(panel);
                panel.ReadChoice("scale", "linear", "linear", "log");
                panel.ReadChoice("palette", "blue", "blue", "heat", "grey");
                break;
            case "text":
                BoundedText.ReadRequired(panel, "body", BoundedText.BodyMax);
                break;
        }
    }

    private static void ReadReduce(TomlTable panel) => panel.ReadChoice("reduce", "last", "last", "min", "max", "avg", "sum");

    private static void ReadAnnotations(TomlTable panel)
    {
        string[] known = ["alerts", "events", "gaps"];
        if (panel.ReadStrings("annotations").FirstOrDefault(each => !known.Contains(each)) is { } wrong)
        {
            panel.Fault("annotations", $"annotations has {GoText.Quote(BoundedText.Cut(wrong))}; allowed are {string.Join(", ", known)}");
        }
    }

    private static void ReadColumns(TomlTable panel, int queries)
    {
        foreach (var column in BoundedText.ReadTables(panel, "columns", ListMax))
        {
            if (column.Has("label") == column.Has("query"))
            {
                column.Fault("label", "a column has label or query");
            }

            BoundedText.Read(column, "label", BoundedText.NameMax);
            column.ReadInteger("query", 0, 0, Math.Max(0, queries - 1));
            BoundedText.Read(column, "title", BoundedText.NameMax);
            column.ReadChoice("unit", "none", Units);
            column.ReadInteger("width", 0, 1, 1000);
            column.ReadBoolean("bar", false);
        }
    }

    private static void ReadMap(TomlTable panel)
    {
        foreach (var entry in BoundedText.ReadTables(panel, "map", ListMax))
        {
            var (value, from, to) = (entry.ReadNumber("value"), entry.ReadNumber("from"), entry.ReadNumber("to"));
            if (entry.Has("value") == (entry.Has("from") || entry.Has("to")))
            {
                entry.Fault(value is null ? "from" : "value", "an entry of map has value, or from and to");
            }
            else if (from > to)
            {
                entry.Fault("to", "to must not be less than from");
            }

            BoundedText.ReadKind(entry, "state", "ok", "warn", "crit");
            BoundedText.Read(entry, "text", BoundedText.NameMax);
        }
    }

    private static void ReadBuckets(TomlTable panel)
    {
        var buckets = panel.ReadChoice("buckets", "", "le");
        panel.ReadInteger("y_bins", 0, 2, 100);
        if ((buckets.Length > 0) == panel.Has("y_bins"))
        {
            panel.Fault("y_bins", "a panel of the kind heatmap has buckets = \"le\" or y_bins");
        }
    }

    // Text in front of a colon could be a scheme that runs a script.
    private static void ReadLink(TomlTable table, string key, bool isRequired)
    {
        var url = isRequired ? BoundedText.ReadRequired(table, key, BoundedText.DescriptionMax) : BoundedText.Read(table, key, BoundedText.DescriptionMax);
        var isWeb = url.StartsWith("https://", StringComparison.Ordinal) || url.StartsWith("http://", StringComparison.Ordinal);
        if (url.Length > 0 && !isWeb && (url.StartsWith('/') || url.AsSpan().IndexOfAny(":\\") >= 0))
        {
            table.Fault(key, $"{key} is {GoText.Quote(BoundedText.Cut(url))}; an address with http:// or https:// is expected, or a page of the console, as hosts/$host");
        }
    }

    private readonly record struct Area(int X, int Y, int W, int H)
    {
        public bool Overlaps(Area other) => X < other.X + other.W && other.X < X + W && Y < other.Y + other.H && other.Y < Y + H;
    }
}
