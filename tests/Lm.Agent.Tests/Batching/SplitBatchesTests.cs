using System.Globalization;
using Lm.Agent.Batching;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Batching;

public sealed class SplitBatchesTests
{
    private static readonly MetricDescriptor Metric = new("m", MetricType.Gauge, "", "Help.");

    private readonly SplitBatches split = new();

    [Theory]
    [InlineData(0, "0")]
    [InlineData(107, "107")]
    [InlineData(108, "107 1")]
    [InlineData(500, "107 107 107 107 72")]
    public void Until_the_collectors_limits_are_known_a_batch_has_the_heartbeats_number_of_series(int count, string expected)
    {
        Fill(count, limits: null);

        Assert.Equal(expected, Counts());
    }

    [Fact]
    public void What_the_collector_announced_holds_series_and_samples_alike()
    {
        Fill(500, new Limits { SeriesPerBatchMax = 2048 });
        Assert.Equal("500", Counts());

        Fill(500, new Limits { SeriesPerBatchMax = 200 });
        Assert.Equal("200 200 100", Counts());

        Fill(500, new Limits { SamplesPerBatchMax = 250 });
        Assert.Equal("250 250", Counts());
    }

    [Fact]
    public void A_batch_ends_before_its_bytes_are_over_the_limit()
    {
        Fill(500, new Limits { BatchBytesMax = 4000 });

        Assert.Equal(500, split.Batches.Sum(batch => batch.SeriesCount));
        Assert.All(split.Batches, batch => Assert.InRange(batch.EncodePayload(new BatchKey("a", default, new SequenceRange(1, 1))).Length, 1, 4000));
    }

    private void Fill(int count, Limits? limits)
    {
        split.Begin(new UnixMillis(1), 1000, [new Label("site", "lab")], hasMetadata: false, limits);
        for (var i = 0; i < count; i++)
        {
            split.Add(Metric, [new Label("n", i.ToString(CultureInfo.InvariantCulture))], i);
        }

        split.End();
    }

    private string Counts() => string.Join(' ', split.Batches.Select(batch => batch.SeriesCount));
}
