using Lm.Collector.Series;
using Lm.Platform;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Series;

/// <summary>Short ways to look into a store.</summary>
internal static class StoreReading
{
    public static SeriesSelection All(this ISeriesStore store, params LabelMatcher[] matchers)
    {
        var found = store.Select(
            new SeriesRange { Matchers = matchers, After = new UnixMillis(long.MinValue), Until = new UnixMillis(long.MaxValue) }, CancellationToken.None);
        found.Sort();
        return found;
    }

    public static (long Time, double Value)[] Samples(this SeriesSelection selection, int index) =>
        [.. selection.Times(index).ToArray().Zip(selection.Values(index).ToArray())];

    public static string[] Names(this SeriesSelection selection) => [.. Enumerable.Range(0, selection.Count).Select(i => selection.Labels(i).ToString())];
}
