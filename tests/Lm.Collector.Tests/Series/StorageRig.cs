using Lm.Collector.Agents;
using Lm.Collector.Bucket;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.LogRecords;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Ingest;
using Lm.Logs;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Series;

/// <summary>Spool, ledger, head, blocks, agents and state file, put together as the collector does it, over a file system in memory.</summary>
internal sealed class StorageRig : IAsyncDisposable
{
    private const string Folder = "/spool";

    private readonly IngestPipeline pipeline;
    private readonly RemoteWritePipeline writes;
    private readonly StateFile state;
    private readonly long segmentSizeMax;
    private bool isDisposed;

    public StorageRig(
        MemoryFileSystem? files = null, ManualTime? time = null, StorageSettings? settings = null, StorageTruth? truth = null, long segmentSizeMax = 2048, int seriesMax = int.MaxValue,
        Func<LogStoreOptions, LogStoreOptions>? logOptions = null, BucketReader? bucket = null)
    {
        this.segmentSizeMax = segmentSizeMax;
        (Files, Time, Settings, Truth) = (files ?? new MemoryFileSystem(), time ?? new ManualTime(), settings ?? Usual, truth ?? new StorageTruth());
        Files.CreateDirectory(Folder);
        Clock = new ClockGuard(Time);
        var spoolParts = new BatchSpoolParts(Ledger, Clock, SpoolMetrics, Log, () => 1 << 30) { SegmentSizeMax = segmentSizeMax };
        Spool = BatchSpool.Open(Files, Folder + "/journal", spoolParts);
        var space = new LocalSpace();
        Series = SeriesStorage.Open(Files, Spool.Incarnation, Spool.End, new SeriesStorageParts(() => Settings, Clock, space, Time, Log)
        {
            MayMerge = block => Lander?.MayMerge(block) ?? true,
            MayGo = block => Lander?.MayGo(block) ?? true,
            Elsewhere = bucket?.Blocks,
        });
        Logs = LogStorage.Open(Files, Spool.Incarnation, Spool.End, new LogStorageParts(() => Settings, Spool.Reread, Clock, space, Time, Log)
        {
            Options = logOptions ?? (static options => options),
            MayGo = file => Lander?.MayGo(file) ?? true,
            SpoolDamage = () => Spool.DamageFound,
            Elsewhere = bucket?.Logs,
        });
        Agents = new AgentDirectory(Time, () => [], () => TimeSpan.FromMinutes(10));
        Ups = new UpWriter(Time, static _ => true, Spool.AppendAsync);
        state = new StateFile(Files, Folder + "/state.json", [Agents, Series.Catalog, Ups, Clock, Spool.Ages], Log);
        var trimParts = new SpoolTrimParts(Ledger, Clock, state, () => Math.Min(Series.StoredBefore, Logs.StoredBefore));
        Trim = new SpoolTrim(Files, Folder + "/ledger.snapshot", Spool, trimParts, SpoolMetrics, Log);
        state.Read(Spool.Incarnation);
        Trim.ReadSnapshot();
        Agents.SpoolEndsAt(Spool.End);
        Ledger.SpoolEndsAt(Spool.End);
        IBatchConsumer[] consumers = [Series, Logs, Ups, Agents];
        Spool.Replay(new[] { Series.ReplayFrom, Logs.ReplayFrom, Agents.AppliedUpTo, Ledger.Covered }.Min(), consumers, Time, CancellationToken.None);
        Series.ReplayDone();
        Logs.ReplayDone();
        Spool.Start(consumers);
        Trim.Run(Settings);
        Ups.Start();
        var budget = new MemoryBudget(static () => 1 << 30);
        var ingest = IngestRig.SettingsOf(new Limits());
        Bound = new SeriesBound(Series, seriesMax, Log);
        pipeline = new IngestPipeline(() => ingest, Ledger, Spool, Clock, Leases.ForBatches(budget), Bound, Metrics);
        writes = new RemoteWritePipeline(Spool, Clock, Leases.ForWrites(budget), Bound, Time, Metrics);
    }

    public static StorageSettings Usual => new()
    {
        CollectorId = "c1",
        SpoolDirectory = Folder,
        CacheDirectory = "/cache",
        SpoolSizeMax = 1 << 30,
        LocalSizeMax = 1L << 40,
        BlockHours = 2,
        LocalRetention = TimeSpan.FromDays(90),
        Backfill = TimeSpan.FromDays(35),
    };

    public MemoryFileSystem Files { get; }

    public ManualTime Time { get; }

    public UnixMillis Now => UnixMillis.Now(Time);

    public StorageSettings Settings { get; set; }

    /// <summary>Says what may be merged and deleted, when there is an object store.</summary>
    public Lander? Lander { get; set; }

    /// <summary>What it would put beside the records into an object store.</summary>
    public StateNow? StateNow() => Ledger.Covered == default ? null : new StateNow(Ledger.Covered, Ledger.ToBytes(Spool.Incarnation), state.ToBytes(Spool.Incarnation));

    public StorageTruth Truth { get; }

    public RecordingLogger Log { get; } = new();

    public SequenceLedger Ledger { get; } = new();

    public ClockGuard Clock { get; }

    public SpoolMetrics SpoolMetrics { get; } = new();

    public BatchSpool Spool { get; }

    public SeriesStorage Series { get; }

    public SeriesBound Bound { get; }

    public IngestMetrics Metrics { get; } = new();

    public LogStorage Logs { get; }

    public AgentDirectory Agents { get; }

    public UpWriter Ups { get; }

    public SpoolTrim Trim { get; }

    public uint OldestSegment => Spool.Segments[0].Number;

    /// <summary>Sends one sample, taken so long ago, and waits until the consumers have it.</summary>
    public Task SendAsync(TimeSpan age = default, string agent = "a1", bool hasAlert = false, params LogRecord[] logs) =>
        SendAsync([], age, agent, hasAlert, logs);

    /// <summary>The same with log records, and labels of the agent.</summary>
    public Task SendLogsAsync(Lm.Protocol.Label[] labels, params LogRecord[] logs) => SendAsync(labels, default, "a1", false, logs);

    private async Task SendAsync(Lm.Protocol.Label[] labels, TimeSpan age, string agent, bool hasAlert, LogRecord[] logs)
    {
        var sequence = Truth.Next(agent);
        var at = Now.Add(-age).Value - (long)sequence; // no time comes twice
        var encoder = new BatchEncoder { IncludeMetadata = true };
        encoder.Begin(Now, 15_000, labels);
        encoder.AddSamples(new MetricDescriptor("node_load1", MetricType.Gauge, "", "Load."), [], [new UnixMillis(at)], [sequence]);
        if (hasAlert)
        {
            encoder.AddAlert(new AlertRecord(Now, 9, "queue_dropped", "hello", []));
        }

        foreach (var log in logs)
        {
            encoder.AddLog(log);
        }

        var frame = encoder.EncodeFrame(new BatchKey(agent, FrameMaker.Queue, new SequenceRange(sequence, sequence))).ToArray();
        var request = new IngestRequest { AgentId = agent, SeqStart = sequence, SeqEnd = sequence, SeqFloor = 0, ReceivedAt = Now };
        var outcome = await pipeline.ProcessAsync(request, frame);
        Assert.Equal(FrameOutcome.Accepted, Assert.Single(outcome.Frames).Outcome);
        Truth.Acknowledged(agent, at, sequence);
        Truth.Frames[(agent, sequence)] = frame;
        await AppliedAsync();
    }

    /// <summary>Sends a batch again, or one under a number that was not used.</summary>
    public async Task<FrameOutcome> RepeatAsync(ulong sequence, string agent = "a1", QueueId? queue = null)
    {
        var request = new IngestRequest { AgentId = agent, SeqStart = sequence, SeqEnd = sequence, SeqFloor = 0, ReceivedAt = Now };
        var outcome = Assert.Single((await pipeline.ProcessAsync(request, Truth.Frames.TryGetValue((agent, sequence), out var frame) ? frame : FrameMaker.Frame(sequence, Now, sequence, agent, queue))).Frames);
        await AppliedAsync();
        return outcome.Outcome;
    }

    /// <summary>Sends one sample by remote write.</summary>
    public async Task WriteAsync(string metric, double value)
    {
        Assert.Null(await writes.ProcessAsync("prom", Now, new WriteRequestMaker().Series(metric, "j", Now.Value, value).ToBody(), IngestRig.SettingsOf(new Limits())));
        await AppliedAsync();
    }

    /// <summary>Sends one sample of each metric by remote write.</summary>
    public async Task<WriteRefusal?> WriteAllAsync(params string[] metrics)
    {
        var maker = new WriteRequestMaker();
        foreach (var metric in metrics)
        {
            maker.Series(metric, "j", Now.Value, 1);
        }

        var refusal = await writes.ProcessAsync("prom", Now, maker.ToBody(), IngestRig.SettingsOf(new Limits()));
        await AppliedAsync();
        return refusal;
    }

    /// <summary>Sends a batch with one sample of each metric.</summary>
    public async Task<FrameAck> SendAllAsync(params string[] metrics)
    {
        var sequence = Truth.Next("many");
        Time.Advance(TimeSpan.FromSeconds(15));
        var encoder = new BatchEncoder();
        encoder.Begin(Now, 15_000, []);
        foreach (var metric in metrics)
        {
            encoder.Add(new MetricDescriptor(metric, MetricType.Gauge, "", ""), [], 1);
        }

        var frame = encoder.EncodeFrame(new BatchKey("many", FrameMaker.Queue, new SequenceRange(sequence, sequence))).ToArray();
        var outcome = await pipeline.ProcessAsync(new IngestRequest { AgentId = "many", SeqStart = sequence, SeqEnd = sequence, SeqFloor = 0, ReceivedAt = Now }, frame);
        await AppliedAsync();
        return Assert.Single(outcome.Frames);
    }

    /// <summary>Sends a batch with the same samples for each metric, as an agent does with what it had queued.</summary>
    public async Task SendBacklogAsync(string agent, IReadOnlyList<string> metrics, UnixMillis[] times)
    {
        var sequence = Truth.Next(agent);
        var values = Array.ConvertAll(times, time => (double)(time.Value / 1000 % 977));
        var encoder = new BatchEncoder();
        encoder.Begin(times[^1], 15_000, []);
        foreach (var metric in metrics)
        {
            encoder.AddSamples(new MetricDescriptor(metric, MetricType.Gauge, "", ""), [], times, values);
        }

        var frame = encoder.EncodeFrame(new BatchKey(agent, FrameMaker.Queue, new SequenceRange(sequence, sequence))).ToArray();
        var outcome = await pipeline.ProcessAsync(new IngestRequest { AgentId = agent, SeqStart = sequence, SeqEnd = sequence, SeqFloor = 0, ReceivedAt = Now }, frame);
        var ack = Assert.Single(outcome.Frames);
        Assert.Equal((FrameOutcome.Accepted, 0, 0), (ack.Outcome, ack.DroppedTooOld, ack.DroppedOverLimit));
    }

    public Task AppliedAsync() => Spool.WaitForAcknowledgedAsync(TestContext.Current.CancellationToken).AsTask();

    public void Keep()
    {
        Series.Keep(TestContext.Current.CancellationToken);
        Logs.Keep(TestContext.Current.CancellationToken);
        Logs.Seal(TestContext.Current.CancellationToken);
    }

    public FoundSeries All(string metric = "node_load1") => FoundSeries.In(Series.Reader, LabelMatcher.Equal(LabelSet.MetricNameLabel, metric));

    /// <summary>Answers hold what was acknowledged, all of it and nothing else, and agents are counted right.</summary>
    public void AssertWhole()
    {
        var found = All();
        var samples = Enumerable.Range(0, found.Count).SelectMany(i => found.Samples(i).Select(sample => $"{found.Names()[i]} {sample.Time} {sample.Value}"));
        Assert.Equal(Truth.Samples, samples.Order(StringComparer.Ordinal));
        Assert.Equal(Truth.Counts, Agents.Snapshot().Where(agent => agent.Accepted > 0).Select(agent => (agent.AgentId, (ulong)agent.Accepted)));
    }

    /// <summary>The collector as it comes up after kill -9.</summary>
    public Task<StorageRig> AfterKillAsync(StorageSettings? settings = null) => AgainAsync(Files.Kill(), settings);

    /// <summary>The collector as it comes up after a power cut.</summary>
    public Task<StorageRig> AfterPowerCutAsync(int seed) => AgainAsync(Files.PowerCut(new Random(seed)), null);

    /// <summary>The collector as it comes up after it was told to stop.</summary>
    public async Task<StorageRig> AfterStopAsync(Action<MemoryFileSystem>? meanwhile = null)
    {
        await DisposeAsync();
        meanwhile?.Invoke(Files);
        return new StorageRig(Files.Kill(), Time, Settings, Truth, segmentSizeMax);
    }

    public async ValueTask DisposeAsync()
    {
        if (isDisposed)
        {
            return; // stopped or killed in the course of a test
        }

        isDisposed = true;
        await Spool.DisposeAsync();
        Series.Dispose();
        Logs.Dispose();
        state.TryWrite(Spool.Incarnation);
        Trim.TryWriteSnapshot();
    }

    private async Task<StorageRig> AgainAsync(MemoryFileSystem files, StorageSettings? settings)
    {
        await DisposeAsync(); // on a dead machine: nothing of it is durable
        return new StorageRig(files, Time, settings ?? Settings, Truth, segmentSizeMax);
    }
}

/// <summary>What was acknowledged, over restarts.</summary>
internal sealed class StorageTruth
{
    private readonly SortedDictionary<string, ulong> sequences = new(StringComparer.Ordinal);
    private readonly List<string> samples = [];

    /// <summary>What was sent, by agent and sequence.</summary>
    public Dictionary<(string Agent, ulong Sequence), byte[]> Frames { get; } = [];

    public IEnumerable<string> Samples => samples.Order(StringComparer.Ordinal);

    public IEnumerable<(string Agent, ulong Count)> Counts => sequences.Select(agent => (agent.Key, agent.Value));

    public ulong Next(string agent) => sequences[agent] = sequences.GetValueOrDefault(agent) + 1;

    public void Acknowledged(string agent, long time, double value) =>
        samples.Add($"{{__name__=\"node_load1\", instance=\"{agent}\", job=\"lightmetrics\"}} {time} {value}");
}
