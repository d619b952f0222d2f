using Lm.Platform;
using Lm.Tsdb;

namespace Lm.Collector.Series;

/// <summary>The series in memory as the query engine reads them.</summary>
internal sealed class StoreReader(ISeriesStore store) : ISeriesReader
{
    /// <inheritdoc/>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        new Selection(Select(matchers, from, until, int.MaxValue, cancellationToken));

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var found = Select(matchers, from, until, 1, cancellationToken);
        for (var i = 0; i < found.Count; i++)
        {
            foreach (ref readonly var label in found.Labels(i).Labels)
            {
                names.Add(label.Name);
            }
        }

        return [.. names];
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        var values = new SortedSet<string>(StringComparer.Ordinal);
        var found = Select(matchers, from, until, 1, cancellationToken);
        for (var i = 0; i < found.Count; i++)
        {
            values.Add(found.Labels(i).ValueOf(name));
        }

        values.Remove("");
        return [.. values];
    }

    private SeriesSelection Select(IReadOnlyList<LabelMatcher> matchers, long from, long until, int newest, CancellationToken cancellationToken) => store.Select(
        new SeriesRange
        {
            Matchers = matchers,
            After = new UnixMillis(from == long.MinValue ? from : from - 1), // its left end is open
            Until = new UnixMillis(until),
            NewestMax = newest,
        },
        cancellationToken);

    private sealed class Selection(SeriesSelection found) : ISeriesSelection
    {
        public int Count => found.Count;

        public LabelSet Labels(int index) => found.Labels(index);

        public void Read(int index, long from, long until, SampleBuffer into)
        {
            var times = found.Times(index);
            var values = found.Values(index);
            var start = times.BinarySearch(from);
            for (var i = start < 0 ? ~start : start; i < times.Length && times[i] <= until; i++)
            {
                into.Add(times[i], values[i]);
            }
        }

        public void Dispose()
        {
        }
    }
}
