using Lm.Collector.Spool;
using Lm.Tsdb;

namespace Lm.Collector.Series;

/// <summary>Feeds the collector's own <c>up</c> of the agents into the series store.</summary>
internal sealed class UpFeed(MemorySeriesStore store) : IBatchConsumer
{
    // More agents than the directory remembers: it is emptied then, and series are found by their labels again.
    private const int KnownMax = 32_768;

    private readonly Dictionary<string, MemorySeries> known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Apply(AcceptedBatch batch)
    {
        // SeriesFeed takes those.
    }

    /// <inheritdoc/>
    public void Apply(AcceptedUps ups)
    {
        using var scope = store.EnterWrite();
        if (known.Count >= KnownMax)
        {
            known.Clear();
        }

        foreach (var agent in ups.Agents)
        {
            if (!known.TryGetValue(agent.AgentId, out var series) || series.IsRemoved)
            {
                LabelSet labels = new(new Label(LabelSet.MetricNameLabel, "up"), new Label("instance", agent.AgentId), new Label("job", "lightmetrics"));
                known[agent.AgentId] = series = store.FindOrAdd(labels);
            }

            store.Append(series, agent.TimeAt(ups.At), agent.IsUp ? 1 : 0);
        }

        store.EnforceLimits();
    }
}
