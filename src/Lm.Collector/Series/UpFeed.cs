using Lm.Collector.Spool;
using Lm.Tsdb;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>Feeds the collector's own <c>up</c> of the agents into the head.</summary>
internal sealed class UpFeed(Head head)
{
    // More agents than the directory remembers: it is emptied then, and series are found by their labels again.
    private const int KnownMax = 32_768;

    private readonly Dictionary<string, int> known = new(StringComparer.Ordinal);
    private int knownGeneration;

    /// <summary>Takes the samples of one moment.</summary>
    public void Apply(AcceptedUps ups)
    {
        using var scope = head.EnterBatch(ups.At);
        if (known.Count >= KnownMax || knownGeneration != head.RemovalGeneration)
        {
            known.Clear();
            knownGeneration = head.RemovalGeneration;
        }

        foreach (var agent in ups.Agents)
        {
            if (!known.TryGetValue(agent.AgentId, out var series))
            {
                LabelSet labels = new(new Label(LabelSet.MetricNameLabel, "up"), new Label("instance", agent.AgentId), new Label("job", "lightmetrics"));
                known[agent.AgentId] = series = head.FindOrAdd(labels);
            }

            head.Append(series, agent.TimeAt(ups.At), agent.IsUp ? 1 : 0);
        }
    }
}
