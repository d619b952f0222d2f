using Lm.Agent.Gathering;
using Lm.Agent.Tests.LogTail;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Agent.Tests.Gathering;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class GatherBatchesTests
{
    private static readonly MetricDescriptor Metric = new("m", MetricType.Gauge, "", "Help.");

    [Fact]
    public async Task What_came_since_the_last_tick_is_queued_once_at_its_own_time()
    {
        await using var bench = new TailBench();
        await bench.StartAsync();
        var (outlet, batches) = (new HarvestOutlet(), new GatherBatches(bench.Time));
        outlet.Put(Harvest(1000, 1));
        outlet.Put(Harvest(2000, 1, ended: 1));

        var first = await AppendAsync(bench, batches, outlet, new Limits());
        Assert.Equal((1, true), (first.Count, first.IsWhole));
        Assert.InRange(first.Bytes, 150, 1000);
        Assert.Equal(GatheredBatches.None, await AppendAsync(bench, batches, outlet, new Limits()));

        var samples = bench.Queue.ReadAll().SelectMany(SamplesOf).ToList();
        Assert.Equal([(1000, 0.0), (2000, 0.0)], samples.Take(2));
        Assert.Equal(2000, samples[2].Time);
        Assert.Equal(0x7FF0000000000002, BitConverter.DoubleToInt64Bits(samples[2].Value));
    }

    [Fact]
    public async Task Batches_are_cut_to_the_collectors_limit_and_all_of_them_leave_ahead_of_a_backlog()
    {
        await using var bench = new TailBench();
        await bench.StartAsync();
        await bench.Queue.AppendAsync(1);
        var (outlet, batches) = (new HarvestOutlet(), new GatherBatches(bench.Time));
        outlet.Put(Harvest(1000, 250));

        Assert.Equal(3, (await AppendAsync(bench, batches, outlet, limits: null)).Count); // 107, 107, 36

        Assert.Equal([107, 107, 36], bench.Queue.ReadAll().Skip(1).Select(batch => SamplesOf(batch).Count));
        Assert.Equal([2UL, 3, 4], Enumerable.Range(0, 3).Select(_ => bench.Queue.Queue.TakeNewest()!.Number.Sequence));
        Assert.Null(bench.Queue.Queue.TakeNewest());
    }

    [Fact]
    public async Task What_the_queue_does_not_take_is_told()
    {
        await using var bench = new TailBench();
        await bench.StartAsync();
        var (outlet, batches) = (new HarvestOutlet(), new GatherBatches(bench.Time));
        outlet.Put(Harvest(1000, 1));
        bench.Files.Capacity = 0;

        Assert.Equal(new GatheredBatches(0, 0, IsWhole: false), await AppendAsync(bench, batches, outlet, new Limits()));
    }

    [Fact]
    public void Readings_that_no_tick_takes_are_bounded_and_counted()
    {
        var outlet = new HarvestOutlet();
        for (var i = 0; i < 10; i++)
        {
            outlet.Put(Harvest(i, 1));
        }

        Assert.Equal(6, outlet.MissedCount);
        Assert.Equal(6, outlet.Take()!.At.Value);
        Assert.Equal(9, outlet.Last!.At.Value);
    }

    private static Task<GatheredBatches> AppendAsync(TailBench bench, GatherBatches batches, HarvestOutlet outlet, Limits? limits) =>
        batches.AppendAsync([outlet], bench.Queue.Queue, bench.Settings(), limits, new UnixMillis(5000), CancellationToken.None);

    private static Harvest Harvest(long at, int count, int ended = 0) => new(
        new UnixMillis(at),
        [.. Enumerable.Range(0, count).Select(i => new GatheredSample(Metric, [new Label("i", $"{i}")], i))],
        [.. Enumerable.Range(0, ended).Select(i => new GatheredSample(Metric, [new Label("gone", $"{i}")], i))]);

    private static List<(long Time, double Value)> SamplesOf(Lm.Agent.Queue.QueuedBatch batch)
    {
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(batch.Frame.Span, 64 << 20, out var found));
        var payload = new byte[found.PayloadLength];
        Assert.Equal(FrameStatus.Ok, FrameReader.ReadPayload(batch.Frame.Span, found, payload));
        var decoded = new DecodedBatch();
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, new Limits(), decoded, out _));
        var samples = new List<(long, double)>();
        foreach (ref readonly var series in decoded.Series)
        {
            var times = decoded.Times(series);
            var values = decoded.Values(series);
            for (var i = 0; i < times.Length; i++)
            {
                samples.Add((times[i], values[i]));
            }
        }

        return samples;
    }
}
