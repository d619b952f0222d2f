using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>Series in memory, for evaluators under test.</summary>
internal sealed class MemorySeries : ISeriesReader
{
    private readonly List<(LabelSet Labels, long[] Times, double[] Values)> all = [];

    /// <summary>How often a selection's samples were read.</summary>
    public int Reads { get; private set; }

    /// <summary>Called before each read of a series.</summary>
    public Action? BeforeRead { get; set; }

    public void Add(LabelSet labels, long[] times, double[] values) => all.Add((labels, times, values));

    public void Add(LabelSet labels, long start, long step, params double[] values) =>
        Add(labels, [.. Enumerable.Range(0, values.Length).Select(i => start + (i * step))], values);

    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        new Selection(this, [.. all.Where(series => matchers.All(matcher => matcher.Matches(series.Labels.ValueOf(matcher.Name))))], from, until);

    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        throw new NotSupportedException("evaluation asks for series only");

    public IReadOnlyList<string> LabelValues(
        string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        throw new NotSupportedException("evaluation asks for series only");

    private sealed class Selection(MemorySeries owner, List<(LabelSet Labels, long[] Times, double[] Values)> found, long searchedFrom, long searchedUntil)
        : ISeriesSelection
    {
        public int Count => found.Count;

        public LabelSet Labels(int index) => found[index].Labels;

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            if (from < searchedFrom || until > searchedUntil)
            {
                throw new InvalidOperationException($"reads {from}..{until}, but searched {searchedFrom}..{searchedUntil}");
            }

            owner.Reads++;
            owner.BeforeRead?.Invoke();
            var (_, times, values) = found[index];
            var first = Array.BinarySearch(times, from);
            for (var i = first < 0 ? ~first : first; i < times.Length && times[i] <= until; i++)
            {
                into.Add(times[i], values[i]);
            }
        }

        public void Dispose()
        {
        }
    }
}
