using Lm.Tsdb;

namespace Lm.PromQL.Tests.Scripts;

/// <summary>Series in a list: the plainest reader that keeps the contract.</summary>
/// <param name="isSorted">Whether they come sorted by labels, as Prometheus' test scripts see them: that decides among equals. In no order of use otherwise.</param>
internal sealed class MemorySeries(bool isSorted = true) : ISeriesReader
{
    private readonly Dictionary<LabelSet, SortedList<long, double>> series = [];

    /// <summary>Adds a sample; the last one counts.</summary>
    public void Add(LabelSet labels, long time, double value)
    {
        if (!series.TryGetValue(labels, out var samples))
        {
            series.Add(labels, samples = []);
        }

        samples[time] = value;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => series.Clear();

    /// <inheritdoc/>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        new Selection([.. isSorted
            ? Matching(matchers, from, until).OrderBy(entry => entry.Key, Comparer<LabelSet>.Create(static (left, right) => left.CompareTo(right)))
            : Matching(matchers, from, until).OrderBy(entry => entry.Key.GetHashCode())]);

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        [.. Matching(matchers, from, until).SelectMany(entry => entry.Key.Labels.ToArray()).Select(label => label.Name).Distinct().Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        [.. Matching(matchers, from, until).Select(entry => entry.Key.ValueOf(name)).Where(value => value.Length > 0).Distinct().Order(StringComparer.Ordinal)];

    private IEnumerable<KeyValuePair<LabelSet, SortedList<long, double>>> Matching(IReadOnlyList<LabelMatcher> matchers, long from, long until) =>
        series.Where(entry => matchers.All(matcher => matcher.Matches(entry.Key.ValueOf(matcher.Name))) && entry.Value.Keys.Any(time => time >= from && time <= until));

    private sealed class Selection(List<KeyValuePair<LabelSet, SortedList<long, double>>> found) : ISeriesSelection
    {
        public int Count => found.Count;

        public LabelSet Labels(int index) => found[index].Key;

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            foreach (var (time, value) in found[index].Value)
            {
                if (time >= from && time <= until)
                {
                    into.Add(time, value);
                }
            }
        }

        public ISeriesSelection Another() => this; // keeps nothing between two calls

        public void Dispose()
        {
        }
    }
}
