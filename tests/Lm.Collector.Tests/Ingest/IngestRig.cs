using System.Security.Cryptography.X509Certificates;
using Lm.Collector.Agents;
using Lm.Collector.Ingest;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Ingest;

/// <summary>The collector without its network: pipeline, ledger, spool over a file system in memory and a clock that tests move.</summary>
internal sealed class IngestRig : IAsyncDisposable
{
    private const string Folder = "/spool";
    private const string SnapshotPath = "/spool/ledger.snapshot";

    private readonly IngestPipeline pipeline;
    private readonly RemoteWritePipeline writes;

    public IngestRig(MemoryFileSystem? files = null, ManualTime? time = null, Limits? limits = null, long spoolSizeMax = 1 << 30, long segmentSizeMax = 64 << 20, Func<IngestRig, IAcceptance>? acceptance = null)
    {
        Files = files ?? new MemoryFileSystem();
        Time = time ?? new ManualTime();
        SpoolSizeMax = spoolSizeMax;
        Ledger = new SequenceLedger { FloorsWait = acceptance is not null };
        Settings = SettingsOf(limits ?? new Limits());
        Clock = new ClockGuard(Time);
        Files.CreateDirectory(Folder);
        Spool = BatchSpool.Open(
            Files,
            Folder + "/journal",
            new BatchSpoolParts(Ledger, Clock, SpoolMetrics, NullLogger.Instance, () => SpoolSizeMax) { SegmentSizeMax = segmentSizeMax });
        Ups = new UpWriter(Time, agent => Settings.Tokens.HasAgent(agent), Spool.AppendAsync);
        var state = new StateFile(Files, Folder + "/state.json", [Ups, Spool.Ages], NullLogger.Instance);
        state.Read(Spool.Incarnation);
        Trim = new SpoolTrim(Files, SnapshotPath, Spool, new SpoolTrimParts(Ledger, Clock, state, () => StoredBefore), SpoolMetrics, NullLogger.Instance);
        Trim.ReadSnapshot();
        IBatchConsumer[] consumers = [Consumer, Store, Ups];
        Spool.Replay(default, consumers, Time, CancellationToken.None);
        Spool.Start(consumers);
        Ups.Start();
        Budget = new MemoryBudget(() => MemoryMax);
        var bound = new SeriesBound(Store, int.MaxValue, NullLogger.Instance);
        Acceptance = acceptance?.Invoke(this) ?? Spool;
        pipeline = new IngestPipeline(() => Settings, Ledger, Acceptance, Clock, Leases.ForBatches(Budget), bound, Metrics);
        writes = new RemoteWritePipeline(Acceptance, Clock, Leases.ForWrites(Budget), bound, Time, Metrics);
        Settings.Tokens.TryAdd("token-of-a1", new TokenOwner("a1", RemoteWrite: false), out _);
        Endpoint = new IngestEndpoint(new IngestEndpointParts(() => Settings, pipeline, writes, Budget, Metrics, Reports: null, Time, NullLogger.Instance));
    }

    public MemoryFileSystem Files { get; }

    /// <summary>What answers requests; knows the token <c>token-of-a1</c>.</summary>
    public IngestEndpoint Endpoint { get; }

    public ManualTime Time { get; }

    public UnixMillis Now => UnixMillis.Now(Time);

    public IngestSettings Settings { get; set; }

    public long SpoolSizeMax { get; set; }

    /// <summary>Bytes that requests may hold.</summary>
    public long MemoryMax { get; set; } = 1 << 30;

    public SequenceLedger Ledger { get; }

    public ClockGuard Clock { get; }

    public BatchSpool Spool { get; }

    /// <summary>Where what was judged goes: the spool, unless a test has another.</summary>
    public IAcceptance Acceptance { get; }

    public SpoolTrim Trim { get; }

    public MemoryBudget Budget { get; }

    public RecordingConsumer Consumer { get; } = new();

    /// <summary>What remote write and <see cref="Ups"/> brought.</summary>
    public SeriesRig Store { get; } = new(takesBatches: false);

    /// <summary>The first segment with samples that the head has not made durable; by default none has.</summary>
    public uint StoredBefore { get; set; } = uint.MaxValue;

    public UpWriter Ups { get; }

    public SpoolMetrics SpoolMetrics { get; } = new();

    public IngestMetrics Metrics { get; } = new();

    public QueueState State => Assert.Single(Ledger.Snapshot());

    public static IngestSettings SettingsOf(Limits limits) => new()
    {
        Listen = new ListenAddress(System.Net.IPAddress.Loopback, 0),
        Limits = limits,
        Backfill = TimeSpan.FromDays(35),
        Tokens = new TokenTable(),
        Tls = new IngestTls { Certificate = null!, ClientAuth = ClientAuth.None, ClientRoots = new X509Certificate2Collection(), ClientCertificateBindsAgent = true },
    };

    public byte[] Frame(ulong sequence, double value = 1, QueueId? queue = null, string agent = "a1") => FrameMaker.Frame(sequence, Now, value, agent, queue);

    /// <summary>Sends one new batch.</summary>
    public Task<FrameAck> SendAsync(ulong sequence, double value = 1, ulong floor = 0, QueueId? queue = null) =>
        SendFrameAsync(sequence, Frame(sequence, value, queue), floor);

    public async Task<FrameAck> SendFrameAsync(ulong sequence, byte[] frame, ulong floor = 0, UnixMillis? sentAt = null, ulong? end = null) =>
        Assert.Single((await SendBodyAsync(sequence, end ?? sequence, frame, floor, sentAt)).Frames);

    public async Task<IngestOutcome> SendBodyAsync(ulong start, ulong end, byte[] body, ulong floor = 0, UnixMillis? sentAt = null) =>
        await pipeline.ProcessAsync(
            new IngestRequest { AgentId = "a1", SeqStart = start, SeqEnd = end, SeqFloor = floor, SentAt = sentAt, ReceivedAt = Now }, body);

    /// <summary>Sends a remote-write request.</summary>
    public async Task<WriteRefusal?> WriteAsync(byte[] body, string sender = "prom") => await writes.ProcessAsync(sender, Now, body, Settings);

    /// <summary>Waits until the consumer has seen everything acknowledged.</summary>
    public Task AppliedAsync() => Spool.WaitForAcknowledgedAsync(TestContext.Current.CancellationToken).AsTask();

    /// <summary>The collector as it comes up after kill -9.</summary>
    public IngestRig AfterKill(Limits? limits = null) => new(Files.Kill(), Time, limits);

    /// <summary>The collector as it comes up after a power cut.</summary>
    public IngestRig AfterPowerCut(int seed) => new(Files.PowerCut(new Random(seed)), Time);

    public ValueTask DisposeAsync() => Spool.DisposeAsync();
}
