using System.Text;
using Lm.Logs.Query;
using Lm.Tsdb;

namespace Lm.Collector.Live;

/// <summary>What a listener wants to hear. Listeners that ask for the same share the work.</summary>
internal sealed class LiveFilter
{
    private readonly HashSet<string> agents;
    private readonly List<(byte[] Name, IReadOnlyList<LabelMatcher> Matchers)> selectors;
    private readonly LogQuery query;
    private LogLineFilter? lines;

    /// <summary>Takes what was asked for.</summary>
    /// <param name="kinds">Which events.</param>
    /// <param name="agents">Whose; none for everyone's.</param>
    /// <param name="selectors">Samples of which series, any of the sets; none for all.</param>
    /// <param name="query">Which lines.</param>
    /// <param name="key">Equal for filters that ask for the same.</param>
    public LiveFilter(LiveKinds kinds, IEnumerable<string> agents, IReadOnlyList<IReadOnlyList<LabelMatcher>> selectors, LogQuery query, string key)
    {
        (Kinds, Key, this.query) = (kinds, key, query);
        this.agents = agents.ToHashSet(StringComparer.Ordinal);
        this.selectors = [.. selectors.Select(matchers => (NameOf(matchers), matchers))];
    }

    /// <summary>Which events.</summary>
    public LiveKinds Kinds { get; }

    /// <summary>Equal for filters that ask for the same.</summary>
    public string Key { get; }

    /// <summary>Takes the lines that are wanted. For one thread at a time.</summary>
    public LogLineFilter Lines => lines ??= query.CreateFilter();

    /// <summary>Whether all series are wanted.</summary>
    public bool WantsAllSeries => selectors.Count == 0;

    /// <summary>Whether events of a kind are wanted.</summary>
    public bool Wants(LiveKinds kind) => (Kinds & kind) != 0;

    /// <summary>Whether an agent's events are wanted.</summary>
    public bool WantsAgent(string agent) => agents.Count == 0 || agents.Contains(agent);

    /// <summary>Whether a series of this metric could be wanted: saves looking at the others' labels.</summary>
    public bool MayWantMetric(ReadOnlySpan<byte> name)
    {
        foreach (var selector in selectors)
        {
            if (selector.Name.Length == 0 || name.SequenceEqual(selector.Name))
            {
                return true;
            }
        }

        return WantsAllSeries;
    }

    /// <summary>Whether a series is wanted.</summary>
    public bool WantsSeries(LabelSet labels)
    {
        foreach (var (_, matchers) in selectors)
        {
            if (matchers.All(matcher => matcher.Matches(labels.ValueOf(matcher.Name))))
            {
                return true;
            }
        }

        return WantsAllSeries;
    }

    private static byte[] NameOf(IReadOnlyList<LabelMatcher> matchers) => Encoding.UTF8.GetBytes(
        matchers.FirstOrDefault(matcher => matcher is { Kind: MatchKind.Equal, Name: LabelSet.MetricNameLabel })?.Value ?? "");
}

/// <summary>Kinds of events.</summary>
[Flags]
internal enum LiveKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>An agent's batch came.</summary>
    Batch = 1,

    /// <summary>A sample of a series.</summary>
    Sample = 2,

    /// <summary>A log line.</summary>
    Log = 4,

    /// <summary>An alert record of an agent.</summary>
    Alert = 8,

    /// <summary>A log line in the form of Loki's <c>tail</c>; not for the public stream.</summary>
    Entry = 16,

    /// <summary>All of the public ones.</summary>
    All = Batch | Sample | Log | Alert,
}
