using Lm.Collector.Listeners;
using Lm.PromQL;

namespace Lm.Collector.Dashboards;

/// <summary>Every dashboard that there is now: of files, built in, and saved.</summary>
/// <remarks>Of one id a file's goes before a built-in one (which it must say), and both before a saved one, which is seen again when the file goes.</remarks>
/// <param name="fromFiles">Those of <c>[dashboards]</c>, as the settings have them now.</param>
/// <param name="saved">Those that people saved.</param>
/// <param name="semantics">Whose PromQL; a reload may change it.</param>
internal sealed class DashboardLibrary(Func<IReadOnlyList<Dashboard>> fromFiles, SavedDashboards saved, Func<PromSemantics> semantics)
{
    /// <summary>Those that people saved.</summary>
    public SavedDashboards Saved => saved;

    /// <summary>Whose PromQL.</summary>
    public PromSemantics Semantics => semantics();

    /// <summary>All of them, by title.</summary>
    public IReadOnlyList<Dashboard> List()
    {
        var all = new Dictionary<string, Dashboard>(StringComparer.Ordinal);
        foreach (var dashboard in fromFiles().Concat(BuiltinDashboards.Of(Semantics)).Concat(saved.All.Values))
        {
            all.TryAdd(dashboard.Id, dashboard);
        }

        return [.. all.Values.OrderBy(dashboard => dashboard.Title, StringComparer.OrdinalIgnoreCase).ThenBy(dashboard => dashboard.Id, StringComparer.Ordinal)];
    }

    /// <summary>The one of this id; null when there is none.</summary>
    public Dashboard? Find(string id) =>
        FindReadOnly(id) ?? (saved.All.TryGetValue(id, out var mine) ? mine : null);

    /// <summary>The one of this id that cannot be changed here: a file's or a built-in one.</summary>
    public Dashboard? FindReadOnly(string id) =>
        fromFiles().FirstOrDefault(dashboard => dashboard.Id == id) ?? BuiltinDashboards.Of(Semantics).FirstOrDefault(dashboard => dashboard.Id == id);

    /// <summary>How many there are, for <c>/metrics</c>.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        const string help = "Dashboards, by where they come from.";
        yield return new CollectorMetric("lm_collector_dashboards", help, false, "origin=\"builtin\"", BuiltinDashboards.Of(Semantics).Count);
        yield return new CollectorMetric("lm_collector_dashboards", help, false, "origin=\"file\"", fromFiles().Count);
        yield return new CollectorMetric("lm_collector_dashboards", help, false, "origin=\"console\"", saved.All.Count);
        yield return new CollectorMetric("lm_collector_changes_bytes", "Size of the journal of changes.", false, "", saved.ChangesBytes);
    }
}
