using System.Collections.Immutable;
using System.Text;
using Lm.Collector.Changes;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>What changes come to, taken one after the other: the dashboards that are there in the end.</summary>
internal sealed class DashboardFold
{
    private readonly SortedDictionary<string, string> texts = new(StringComparer.Ordinal);

    /// <summary>Whether changes of an earlier journal were being taken over, and the end of them is not there.</summary>
    public bool IsRestoring { get; private set; }

    /// <summary>Takes the next change.</summary>
    public void Take(Change change)
    {
        if (change.Kind == Change.Recovery)
        {
            IsRestoring = change.Id == Change.RecoveryBegins;
            return;
        }

        if (change.Kind != SavedDashboards.Kind)
        {
            return; // kinds of later versions
        }

        if (change.After is { } text)
        {
            texts[change.Id] = text;
        }
        else
        {
            texts.Remove(change.Id);
        }
    }

    /// <summary>Reads the definitions; those that this program does not take are logged and left out.</summary>
    public ImmutableSortedDictionary<string, Dashboard> Read(PromSemantics semantics, ILogger logger)
    {
        var all = ImmutableSortedDictionary.CreateBuilder<string, Dashboard>(StringComparer.Ordinal);
        foreach (var (id, text) in texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var document = TomlDocument.Parse(bytes, id);
            if (DashboardReader.Read(document, bytes, DashboardOrigin.Console, semantics) is { } dashboard)
            {
                all.Add(id, dashboard);
            }
            else
            {
                DashboardsLog.NotTaken(logger, id, document.Faults.All[0].ToString());
            }
        }

        return all.ToImmutable();
    }
}
