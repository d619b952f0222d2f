using Lm.Agent.Tests.HostMetrics;
using Lm.Agent.Upload;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Queue;

/// <summary>An agent that is offline for a month: what its queue holds, and how many requests that is.</summary>
public sealed class MonthOfHeartbeatsTests
{
    private const int Measured = 480; // two hours, with the help texts that come once an hour
    private const int Month = 30 * 24 * 60 * 4; // every 15 seconds
    private const long QueueBytesMax = 512L << 20; // max_queue_bytes as it is by default

    [Fact]
    public async Task Thirty_days_of_whole_heartbeats_fit_the_queue_and_drain_within_minutes()
    {
        using var tree = ProcTree.Of("sixteen-cpus");
        using var sampler = tree.NewSampler();
        await using var bench = new QueueBench(sizeMax: QueueBytesMax);
        await bench.OpenAsync();
        var encoder = new BatchEncoder();
        var seriesCount = 0;
        for (var tick = 0; tick < Measured; tick++)
        {
            var at = new UnixMillis(1_700_000_000_000 + (tick * 15_000L));
            encoder.Begin(at, 15_000, [new Label("site", "lab")]);
            encoder.IncludeMetadata = tick % 240 == 0;
            var sink = new MovingSink(encoder, tick);
            sampler.Collect(sink);
            sink.Fill();
            seriesCount = encoder.SeriesCount;
            Assert.NotNull(await bench.Queue.AppendAsync(encoder, at, default, TestContext.Current.CancellationToken));
        }

        Assert.Equal(Limits.SeriesPerBatchFloor, seriesCount);
        var bytes = (double)bench.Queue.Status().SizeBytes / Measured;
        Assert.True(bytes * Month < QueueBytesMax, $"{bytes:0} bytes a heartbeat are {bytes * Month / (1 << 20):0} MiB a month");
        var requests = (double)CountRequests(bench) / Measured * Month;
        var pauses = requests * Uploader.BacklogPause;
        Assert.True(pauses < TimeSpan.FromMinutes(5), $"{requests:0} requests with a pause of {pauses.TotalMinutes:0.0} minutes in all");
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes:0} bytes a heartbeat, {bytes * Month / (1 << 20):0} MiB a month; {requests:0} requests, {pauses.TotalMinutes:0.0} minutes of pauses");
    }

    private static int CountRequests(QueueBench bench)
    {
        var (count, cursor) = (0, default(Lm.Journal.JournalPosition));
        while (bench.Queue.Read(cursor, Uploader.FramesPerRequestMax, Uploader.RequestBytesMax, _ => false, out cursor).Count > 0)
        {
            count++;
        }

        return count;
    }

    /// <summary>Gives every sample another value at each tick: a host that is busy everywhere.</summary>
    private sealed class MovingSink(BatchEncoder to, int tick) : ISampleSink
    {
        private readonly Random random = new(tick);

        public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value) =>
            to.Add(metric, labels, metric.Type == MetricType.Counter ? value + (tick * 15) + (random.Next(1500) / 100.0) : value + random.Next(1 << 20));

        // Up to the most that a heartbeat has, with what costs most: processes, whose labels are the longest.
        public void Fill()
        {
            var metric = new MetricDescriptor("lightmetrics_host_process_cpu_seconds_total", MetricType.Counter, "seconds", "");
            while (to.SeriesCount < Limits.SeriesPerBatchFloor)
            {
                to.Add(metric, [new Label("pid", $"{40_000 + to.SeriesCount}"), new Label("start_time", $"{1_699_000_000 + to.SeriesCount}"), new Label("comm", $"systemd-worker{to.SeriesCount}")],
                    (tick * 15) + (random.Next(1500) / 100.0));
            }
        }
    }
}
