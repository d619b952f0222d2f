using System.Reflection;
using System.Threading.Channels;
using Lm.Collector.Agents;
using Lm.Collector.Bucket;
using Lm.Collector.Changes;
using Lm.Collector.Dashboards;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Listeners;
using Lm.Collector.Live;
using Lm.Collector.LogRecords;
using Lm.Collector.Query;
using Lm.Collector.Recovery;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Collector.SharedLog;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.Tsdb.Blocks;

namespace Lm.Collector;

/// <summary>Builds every part, reads the spool back, starts both listeners, and stops in order.</summary>
/// <remarks>Order of the start: lock, spool, head and blocks, log files, private listener (which says that it is replaying), state and ledger, replay, what the object store knows of a disk that was lost,
/// ingest listener.
/// Order of the stop: new batches are refused, those in hand are finished, listeners, spool, head, log files, state and ledger's snapshot, lock.</remarks>
internal sealed class CollectorHost : IAsyncDisposable
{
    /// <summary>How long requests in hand may take at a stop.</summary>
    public static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(10);

    private const string JournalFolder = "journal";
    private const string SnapshotFile = "ledger.snapshot";
    private const string StateFileName = "state.json";
    private const long RequestMemoryMin = 256L << 20;
    private static readonly TimeSpan TrimInterval = TimeSpan.FromHours(6);

    private readonly CurrentSettings settings;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly IDisposable folderLock;
    private readonly BatchSpool spool;
    private readonly SeriesStorage series;
    private readonly LogStorage logs;
    private readonly SequenceLedger ledger;
    private readonly StateFile state;
    private readonly SpoolTrim trim;
    private readonly Readiness readiness;
    private readonly ClockGuard clock;
    private readonly LiveRecorder recorder = new();
    private readonly LiveHub live;
    private readonly PrivateEndpoints privateEndpoints;
    private readonly SavedDashboards savedDashboards;
    private readonly UpWriter ups;
    private readonly IObjectStore? store; // null without [object_store], as the next
    private readonly BucketReader? bucket;
    private readonly Lander? lander; // null with s3_manifest, too, as the next
    private readonly Recoverer? recoverer;
    private readonly SharedAcceptance? shared; // null with local_spool
    private readonly FileSets? fileSets; // as that
    private readonly IngestEndpoint ingestEndpoint;
    private readonly HttpListenerHost queryListener;
    private readonly HttpListenerHost ingestListener;

    private CollectorHost(CurrentSettings settings, IFileSystem files, TimeProvider time, ILoggerFactory loggers)
    {
        (this.settings, this.time) = (settings, time);
        logger = loggers.CreateLogger("Lm.Collector");
        var storage = settings.Value.Storage;
        files.CreateDirectory(storage.SpoolDirectory);
        folderLock = files.TryLock(storage.SpoolDirectory)
            ?? throw new IOException($"{storage.SpoolDirectory} is in use by another lm-collector; give each its own spool_dir");

        if (!settings.Value.Ingest.IsShared)
        {
            SharedLogMark.RefuseCopy(files, storage.SpoolDirectory);
        }

        var spoolMetrics = new SpoolMetrics();
        var spoolLogger = loggers.CreateLogger("Lm.Collector.Spool");
        clock = new ClockGuard(time);
        ledger = new SequenceLedger { FloorsWait = settings.Value.Ingest.IsShared };
        spool = BatchSpool.Open(
            files,
            Path.Combine(storage.SpoolDirectory, JournalFolder),
            new BatchSpoolParts(ledger, clock, spoolMetrics, spoolLogger, () => settings.Value.Storage.SpoolSizeMax));
        var counters = new StoreCounters();
        var objectStore = settings.Value.ObjectStore;
        var keys = new ObjectKeys(objectStore?.Target.Prefix ?? "");
        var marker = new DirectoryMarker();
        if (objectStore is not null)
        {
            // Where several share a folder, what half a put leaves there must be told apart even where someone forgot to name them.
            var writer = settings.Value.Ingest.IsShared ? $"{storage.CollectorId} {storage.SpoolDirectory}" : storage.CollectorId;
            store = ObjectStores.Open(objectStore.Target, () => settings.Value.ObjectStore?.Keys, writer, files, counters, time, marker);
            fileSets = settings.Value.Ingest.IsShared ? new FileSets(store, keys, HorizonHere, loggers.CreateLogger("Lm.Collector.SharedLog")) : null;
            bucket = NewBucketReader(store, keys, files, loggers);
        }

        var space = new LocalSpace();
        var seriesParts = new SeriesStorageParts(() => settings.Value.Storage, clock, space, time, loggers.CreateLogger("Lm.Collector.Series"))
        {
            MayMerge = block => lander is null || lander.MayMerge(block), // asked by its loop, long after the lander is made
            MayGo = block => lander?.MayGo(block) ?? shared?.Local.MayGo(block.Id) ?? true,
            Going = newest => shared?.Local.Going(newest),
            Elsewhere = bucket?.Blocks,
        };
        series = SeriesStorage.Open(files, spool.Incarnation, spool.End, seriesParts);
        var logParts = new LogStorageParts(() => settings.Value.Storage, spool.Reread, clock, space, time, loggers.CreateLogger("Lm.Collector.LogRecords"))
        {
            MayGo = file => lander?.MayGo(file) ?? shared?.Local.MayGo(file.Id) ?? true,
            Going = newest => shared?.Local.Going(newest),
            SpoolDamage = () => spool.DamageFound,
            Elsewhere = bucket?.Logs,
        };
        logs = LogStorage.Open(files, spool.Incarnation, spool.End, logParts);
        var bound = new SeriesBound(series, SeriesBound.MaxFor(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes), spoolLogger);
        savedDashboards = SavedDashboards.Open(files, Path.Combine(storage.SpoolDirectory, ChangeLog.Folder), settings.Value.Query.Semantics, time, loggers.CreateLogger("Lm.Collector.Dashboards"));
        if (bucket is not null && !settings.Value.Ingest.IsShared)
        {
            savedDashboards.WaitForStore();
        }

        lander = objectStore is null || settings.Value.Ingest.IsShared ? null : NewLander(objectStore, keys, counters, marker, spoolMetrics, files, loggers);
        readiness = new Readiness(spool, clock, () => privateEndpoints!.SuspectClocks, () => series.BlocksDamaged, () => series.HeadFilesDamaged, () => logs.IsHeld, bound)
        {
            Landing = lander is null ? null : () => lander.Status,
            Recovery = lander is null ? null : () => recoverer!.Status,
            SharedLog = () => shared?.NotReady,
            Held = lander is null ? static () => default : () => new HeldFiles(series.Held + logs.Held, space.HeldBytes(settings.Value.Storage.LocalSizeMax)),
        }; // endpoints are made below, long before anyone asks

        var budget = new MemoryBudget(() => RequestMemoryFor(settings.Value.Ingest.Limits));
        var ingestMetrics = new IngestMetrics();
        var metrics = new CollectorMetrics(ingestMetrics, spoolMetrics, spool, budget, bound, ledger, clock);
        live = new LiveHub(recorder, spool.Incarnation, time, loggers.CreateLogger("Lm.Collector.Live"));
        privateEndpoints = new PrivateEndpoints(new PrivateServices
        {
            Settings = () => settings.Value.Query,
            Readiness = readiness,
            Metrics = metrics.Collect,
            Queues = ledger.Snapshot,
            ExpectedAgents = () => readiness.IsReplaying ? [] : settings.Value.Ingest.Tokens.AgentIds,
            ClockTolerance = () => TimeSpan.FromSeconds(settings.Value.Ingest.Limits.FutureSecondsMax),
            Progress = spool,
            Series = series.Reader,
            SeriesMetrics = series.Collect,
            Logs = logs.Reader,
            LogMetrics = logs.Collect,
            Landing = lander is null ? null : () => lander.Status,
            SharedLog = settings.Value.Ingest.IsShared ? () => shared?.Status : null,
            LandingMetrics = lander is null ? () => shared?.Collect().Concat(Lander.StoreMetrics(counters)).Concat(bucket!.Collect()) ?? [] : () => lander.Collect().Concat(recoverer!.Collect()).Concat(bucket!.Collect()),
            Dashboards = new DashboardLibrary(() => settings.Value.Dashboards, savedDashboards, () => settings.Value.Query.Semantics),
            Current = settings,
            OldestLocal = () => space.Oldest,
            Catalog = series.Catalog,
            Time = time,
            Loggers = loggers,
        }, live);
        var (batchLeases, writeLeases) = (Leases.ForBatches(budget), Leases.ForWrites(budget));
        shared = settings.Value.Ingest.IsShared && objectStore is not null && store is not null ? NewShared(objectStore, store, keys, new FoldedSpoolParts(
            store, spool, ledger, bound, HorizonHere, time, loggers.CreateLogger("Lm.Collector.SharedLog")), spoolMetrics, files) : null;
        IAcceptance acceptance = shared is null ? spool : shared;
        ups = new UpWriter(time, agent => settings.Value.Ingest.Tokens.HasAgent(agent), acceptance.AppendAsync);
        IReadOnlyList<IStatePart> stateParts = [privateEndpoints.Agents, series.Catalog, ups, clock, spool.Ages, .. lander is null ? [] : (IStatePart[])[lander.State]];
        state = new StateFile(files, Path.Combine(storage.SpoolDirectory, StateFileName), stateParts, spoolLogger);
        var trimParts = new SpoolTrimParts(ledger, clock, state, StoredBefore);
        trim = new SpoolTrim(files, Path.Combine(storage.SpoolDirectory, SnapshotFile), spool, trimParts, spoolMetrics, spoolLogger);
        recoverer = store is null || lander is null ? null : NewRecoverer(store, keys, files, loggers);
        var pipeline = new IngestPipeline(() => settings.Value.Ingest, ledger, acceptance, clock, batchLeases, bound, ingestMetrics);
        ingestEndpoint = new IngestEndpoint(new IngestEndpointParts(
            () => settings.Value.Ingest, pipeline, new RemoteWritePipeline(acceptance, clock, writeLeases, bound, time, ingestMetrics), budget, ingestMetrics, privateEndpoints.AgentReports, time, loggers.CreateLogger("Lm.Collector.Ingest"))
        { Hold = () => recoverer?.HoldReason ?? shared?.HoldReason });

        Func<System.Net.Security.SslServerAuthenticationOptions>? queryTls = settings.Value.Query.Certificate is null ? null : () => settings.QueryTls;
        queryListener = new HttpListenerHost(settings.Value.Query.Listen, privateEndpoints, ListenerBounds.Private, queryTls, loggers);
        ingestListener = new HttpListenerHost(settings.Value.Ingest.Listen, ingestEndpoint, ListenerBounds.Ingest, () => settings.IngestTls, loggers);
        (metrics.QueryListener, metrics.IngestListener) = (queryListener, ingestListener);
    }

    /// <summary>The program's version.</summary>
    public static string Version =>
        typeof(CollectorHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Where the ingest listener listens; after the start.</summary>
    public System.Net.IPEndPoint IngestEndPoint => ingestListener.LocalEndPoint;

    /// <summary>Where the private listener listens; after the start.</summary>
    public System.Net.IPEndPoint QueryEndPoint => queryListener.LocalEndPoint;

    /// <summary>Builds everything and takes the folders; nothing listens yet.</summary>
    /// <exception cref="IOException">The spool folder cannot be used.</exception>
    public static CollectorHost Open(CurrentSettings settings, IFileSystem files, TimeProvider time, ILoggerFactory loggers) =>
        new(settings, files, time, loggers);

    /// <summary>Reads the spool back and starts both listeners.</summary>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken stopping)
    {
        await queryListener.StartAsync(stopping);
        state.Read(spool.Incarnation);
        trim.ReadSnapshot();
        privateEndpoints.Agents.SpoolEndsAt(spool.End);
        ledger.SpoolEndsAt(spool.End);
        lander?.SpoolOpened(() => state.TryWrite(spool.Incarnation));
        // The agents come last: what their position covers, the others have taken.
        IReadOnlyList<IBatchConsumer> consumers = [series, logs, ups, privateEndpoints.Agents];
        await Task.Run(() => spool.Replay(ReplayFrom(), consumers, time, stopping), stopping);
        series.ReplayDone();
        logs.ReplayDone();
        spool.Start([.. consumers, recorder]); // not what was replayed: it was told when it came
        trim.Run(settings.Value.Storage);
        if (recoverer is not null)
        {
            recoverer.Begin();
            await recoverer.AskAsync(stopping);
        }

        if (shared is not null)
        {
            await shared.StartAsync(stopping);
        }

        await ingestListener.StartAsync(stopping);
        ups.Start();
        if (bucket is not null)
        {
            await bucket.AskAsync(stopping); // or the first answers would lack what lies there alone
        }

        readiness.ReplayDone();
        if (clock.IsSuspect(out var behind))
        {
            CollectorLog.ClockSuspect(logger, (long)behind.TotalSeconds);
        }

        var scheme = settings.Value.Query.Certificate is null ? "http" : "https";
        var (ingest, query) = (IngestEndPoint.ToString(), QueryEndPoint.ToString());
        CollectorLog.Listening(logger, ingest, scheme, query);
    }

    /// <summary>Writes the agents' <c>up</c>, and deletes what is old, now and then and after each reload, until stopped.</summary>
    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(ups.RunAsync(stopping), series.RunAsync(stopping), logs.RunAsync(stopping), lander?.RunAsync(stopping) ?? Task.CompletedTask, recoverer?.RunAsync(stopping) ?? Task.CompletedTask, bucket?.RunAsync(stopping) ?? Task.CompletedTask, TrimAsync(stopping));

    private async Task TrimAsync(CancellationToken stopping)
    {
        // One waiting pass is as good as many.
        var passes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        void Ask() => passes.Writer.TryWrite(true);
        using var timer = time.CreateTimer(_ => Ask(), null, TrimInterval, TrimInterval);
        settings.Swapped += Ask;
        series.Checkpointed += Ask;
        logs.Checkpointed += Ask;
        try
        {
            await foreach (var _ in passes.Reader.ReadAllAsync(stopping))
            {
                trim.Run(settings.Value.Storage);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
        finally
        {
            settings.Swapped -= Ask;
            series.Checkpointed -= Ask;
            logs.Checkpointed -= Ask;
        }
    }

    /// <summary>From now on new batches are answered 503 <c>draining</c>, and <c>/readyz</c> says so; those in hand are finished.</summary>
    public void Drain()
    {
        readiness.Stopping();
        ingestEndpoint.Drain();
    }

    /// <summary>Drains, then stops both listeners once what is in hand has finished, or the deadline is over.</summary>
    public async Task StopAsync()
    {
        CollectorLog.Stopping(logger, (int)StopDeadline.TotalSeconds);
        Drain();
        using var deadline = new CancellationTokenSource(StopDeadline, time);
        await ingestListener.StopAsync(deadline.Token);
        live.Stop();
        await queryListener.StopAsync(deadline.Token);
    }

    /// <summary>Closes the spool and lets go of the folders.</summary>
    public async ValueTask DisposeAsync()
    {
        await ingestListener.DisposeAsync();
        await queryListener.DisposeAsync();
        if (shared is not null)
        {
            await shared.DisposeAsync();
        }

        bucket?.Dispose();
        lander?.Dispose();

        await spool.DisposeAsync();
        series.Dispose();
        logs.Dispose();
        state.TryWrite(spool.Incarnation);
        trim.TryWriteSnapshot();
        privateEndpoints.Dispose();
        await savedDashboards.DisposeAsync();
        live.Dispose();
        folderLock.Dispose();
    }

    // A tenth of what blocks and logs may take here: what a query over a year reads of one series is far less.
    private BucketReader NewBucketReader(IObjectStore store, ObjectKeys keys, IFileSystem files, ILoggerFactory loggers) => new(new BucketReaderParts(
        store, keys, files, settings.Value.Storage.CacheDirectory, () => settings.Value.Storage.LocalSizeMax / 10, time, loggers.CreateLogger("Lm.Collector.Bucket"))
    {
        IsHere = (file, oldest) => shared is not null && shared.Local.Holds(fileSets!.CommitsOf(file), oldest),
        BeginListAsync = BeginListAsync,
    });

    // What was published before the list is in it: then it may go here.
    private async Task<Action> BeginListAsync(CancellationToken cancellationToken)
    {
        if (shared is null || fileSets is null)
        {
            return static () => { };
        }

        var published = shared.Status.Published;
        await fileSets.ListAsync(cancellationToken);
        return () => shared.Local.Listed(published);
    }

    private Recoverer NewRecoverer(IObjectStore store, ObjectKeys keys, IFileSystem files, ILoggerFactory loggers)
    {
        var storage = settings.Value.Storage;
        return new Recoverer(new RecovererParts(
            store, keys, bucket!, storage.CollectorId, files, storage.SpoolDirectory, spool, ledger, privateEndpoints.Agents, [series, logs, ups, privateEndpoints.Agents], clock, trim.TryPersist, time,
            loggers.CreateLogger("Lm.Collector.Recovery"))
        {
            Changes = new ChangeRestorer(store, keys, storage.CollectorId, savedDashboards, loggers.CreateLogger("Lm.Collector.Recovery")),
        });
    }

    private SharedAcceptance NewShared(ObjectStoreSettings objectStore, IObjectStore store, ObjectKeys keys, FoldedSpoolParts copy, SpoolMetrics spoolMetrics, IFileSystem files) => new(new SharedAcceptanceParts(
        store, keys, settings.Value.Storage.CollectorId, copy, files, settings.Value.Storage.SpoolDirectory,
        () => (settings.Value.ObjectStore ?? objectStore).ManifestLinger, () => clock.Proven, () => clock.Dated, () => settings.Value.Storage.QueueMemory, time, copy.Logger)
    {
        Resumed = () => ups.Start(),
        FileMaker = new FileMaker(new FileMakerParts(store, keys, files, Path.Combine(settings.Value.Storage.SpoolDirectory, "build"), settings.Value.Storage.BlockHours, time)
        {
            ListBlocksAsync = ListBlocksAsync,
            TakeBlocks = bucket!.TakeAll,
        }),
        FilesAfter = objectStore.Target.BlocksEvery,
        GroupSizeMax = Math.Min(LogGroup.UsualSizeMax, objectStore.Target.RequestSizeMax),
        TidyAsync = NewTidy(objectStore, store, keys, files, copy.Logger).RunAsync,
        IsDamaged = () => series.HeadFilesDamaged + series.BlocksDamaged + spool.DamageFound + logs.FilesDamaged + (int)logs.PassedOver + (int)Interlocked.Read(ref spoolMetrics.ConsumerFaults) > 0,
    });

    private async Task<IReadOnlyList<BlockMeta>> ListBlocksAsync(CancellationToken cancellationToken)
    {
        await bucket!.ListAsync(cancellationToken);
        return bucket.Catalog.Blocks;
    }

    private SharedTidy NewTidy(ObjectStoreSettings objectStore, IObjectStore store, ObjectKeys keys, IFileSystem files, ILogger sharedLogger) => new(new BlockLandingParts
    {
        Store = store,
        Keys = keys,
        Files = files,
        Blocks = series.Blocks,
        Labels = FileMaker.Labels,
        CompactsElsewhere = objectStore.Target.CompactsElsewhere,
        Retention = () => (settings.Value.ObjectStore ?? objectStore).Retention,
        Proven = () => clock.Proven,
        Dated = () => clock.Dated,
        Time = time,
        Metrics = new LandingMetrics(),
        Logger = sharedLogger,
    },
    new SharedMergeParts(settings.Value.Storage.CollectorId, Path.Combine(settings.Value.Storage.SpoolDirectory, "merge"), settings.Value.Storage.BlockHours, MergeSizeMax));

    // Ingest needs the disk, too.
    private long MergeSizeMax()
    {
        var storage = settings.Value.Storage;
        return Math.Min(storage.LocalSizeMax / 20, new DriveInfo(storage.SpoolDirectory).AvailableFreeSpace / 4);
    }

    private UnixMillis HorizonHere() => UnixMillis.Now(time).Add(-settings.Value.Storage.LocalRetention);

    private Lander NewLander(
        ObjectStoreSettings objectStore, ObjectKeys keys, StoreCounters counters, DirectoryMarker marker, SpoolMetrics spoolMetrics, IFileSystem files, ILoggerFactory loggers)
    {
        var collector = settings.Value.Storage.CollectorId;
        return new Lander(new LanderParts(
            store!, keys, counters, collector, spool, files, () => settings.Value.Ingest.LandingInterval, time, loggers.CreateLogger("Lm.Collector.Landing"))
        {
            Local = LocalStoresOf(series, logs, spool, spoolMetrics, StateNow),
            Changes = savedDashboards.Changes,
            Marker = marker,
            CompactsElsewhere = objectStore.Target.CompactsElsewhere,
            ObjectSizeMax = Math.Min(LanderParts.UsualObjectSizeMax, objectStore.Target.RequestSizeMax),
            Retention = () => settings.Value.ObjectStore?.Retention ?? objectStore.Retention,
            FindsBlock = bucket!.Finds,
            FindsLogFile = bucket.Finds,
            ListedSince = bucket.WasListedSince,
            Proven = () => clock.Proven,
            Dated = () => clock.Dated,
        });
    }

    /// <summary>What landing sees of the stores here.</summary>
    internal static LocalStores LocalStoresOf(SeriesStorage series, LogStorage logs, BatchSpool spool, SpoolMetrics spoolMetrics, Func<StateNow?> stateNow) => new()
    {
        Blocks = series.Blocks,
        Labels = series.ExternalLabels,
        SealedLogs = () => logs.SealedFiles,
        Mark = () => MarkCoverage(series, logs),
        IsInFiles = mark => !series.HasWindowsBefore(mark.NextWindow) && !logs.HasOpenBefore(mark.NextLogFile),
        HeadDamage = () => series.HeadFilesDamaged,
        OtherDamage = () => spool.DamageFound + logs.FilesDamaged + (int)logs.PassedOver + (int)Interlocked.Read(ref spoolMetrics.ConsumerFaults),
        IsOnlyHere = spool.Ages.IsOnlyHere,
        State = stateNow,
    };

    private static CoverageMark? MarkCoverage(SeriesStorage series, LogStorage logs)
    {
        var (inHead, nextWindow) = series.Mark();
        var (inLogs, nextLogFile) = logs.Mark();
        var upTo = inHead < inLogs ? inHead : inLogs;
        return upTo == CommitPosition.Start ? null : new CoverageMark(new JournalPosition(upTo.Segment, upTo.Offset), nextWindow, nextLogFile);
    }

    private StateNow? StateNow()
    {
        var covered = ledger.Covered; // first: what comes meanwhile is in the two as well
        return covered == default ? null : new StateNow(covered, ledger.ToBytes(spool.Incarnation), state.ToBytes(spool.Incarnation));
    }

    // The first segment with anything that is in the spool only: local files and, where there is one, the object store must have the others.
    private uint StoredBefore()
    {
        var local = Math.Min(series.StoredBefore, logs.StoredBefore);
        return lander is null ? local : Math.Min(local, lander.FirstToKeep(settings.Value.Storage.SpoolSizeMax));
    }

    // The oldest record that anyone has not got: samples, log records, agents, or sequences.
    private JournalPosition ReplayFrom()
    {
        var from = series.ReplayFrom;
        foreach (var covered in (ReadOnlySpan<JournalPosition>)[logs.ReplayFrom, privateEndpoints.Agents.AppliedUpTo, ledger.Covered])
        {
            from = covered < from ? covered : from;
        }

        return from;
    }

    // Two of the largest requests at least, so that one of them cannot keep all others out.
    private static long RequestMemoryFor(Limits limits) =>
        Math.Max(RequestMemoryMin, 2L * ((long)limits.BodyBytesMax + limits.BatchBytesMax));
}
