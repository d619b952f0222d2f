using Lm.Tsdb;

namespace Lm.Collector.Tests.Series;

/// <summary>Series that a reader found, sorted by labels, those without samples left out.</summary>
internal sealed class FoundSeries
{
    private readonly List<(LabelSet Labels, (long Time, double Value)[] Samples)> series = [];

    public int Count => series.Count;

    public int SampleCount => series.Sum(each => each.Samples.Length);

    public static FoundSeries In(ISeriesReader reader, params LabelMatcher[] matchers)
    {
        var all = new FoundSeries();
        using var found = reader.Find(matchers, long.MinValue, long.MaxValue, CancellationToken.None);
        for (var i = 0; i < found.Count; i++)
        {
            var buffer = new SampleBuffer();
            found.Read(i, long.MinValue, long.MaxValue, buffer);
            if (buffer.Count > 0)
            {
                all.series.Add((found.Labels(i), [.. buffer.Times.ToArray().Zip(buffer.Values.ToArray())]));
            }
        }

        all.series.Sort((left, right) => left.Labels.CompareTo(right.Labels));
        return all;
    }

    public (long Time, double Value)[] Samples(int index) => series[index].Samples;

    public double[] Values(int index) => [.. series[index].Samples.Select(sample => sample.Value)];

    public string[] Names() => [.. series.Select(each => each.Labels.ToString())];
}
