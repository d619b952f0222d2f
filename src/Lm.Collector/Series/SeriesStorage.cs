using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Head;
using Label = Lm.Tsdb.Label;

namespace Lm.Collector.Series;

/// <summary>Head and blocks: fed from the spool, read by queries, kept by its own loop.</summary>
/// <remarks>
/// Invariants:
/// the head has one writer at a time: who feeds or keeps it holds the gate;
/// what a checkpoint covers is read from files after a restart, what comes behind it from the spool (K13, K15);
/// a range leaves the head when a block that holds it is durable;
/// no range waits longer than two hours after its first sample came, quiet or not (K14: <see cref="Head.DueRanges"/>).
/// </remarks>
internal sealed class SeriesStorage : IBatchConsumer, IRestoredConsumer, IHeldSeries, IDisposable
{
    /// <summary>Spool bytes after which the head makes itself durable: what a restart replays at most (K15).</summary>
    public const long CheckpointBytes = 64L << 20;

    /// <summary>How long samples stay in the spool alone when less than that comes.</summary>
    public static readonly TimeSpan CheckpointInterval = TimeSpan.FromMinutes(15);

    /// <summary>How often it looks what is due.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    private const string HeadFolder = "head";
    private const string BlocksFolder = "blocks";

    // Admission decides what is too old and too far ahead, once, and by the settings of that day (D2): the head's own bounds lie outside of all that
    // settings allow, or a replay under others, or a reload, would drop what was acknowledged.
    private static readonly TimeSpan BoundsMargin = TimeSpan.FromDays(2);
    private static readonly TimeSpan BackfillMax = TimeSpan.FromDays(StorageSettingsReader.DaysMax);

    private readonly Lock gate = new(); // held by whoever writes to the head; guards applied, checkpointed, held, isLive
    private readonly Func<StorageSettings> settings;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Head head;
    private readonly BlockSet blocks;
    private readonly BlockMaker maker;
    private readonly BlockKeeper keeper;
    private readonly SeriesFeed batches;
    private readonly WriteFeed writes;
    private readonly UpFeed ups;
    private CommitPosition applied; // the last record that was taken; the replay begins with it and passes over it
    private CommitPosition checkpointed;
    private CommitPosition? held; // the record before the first that could not be taken: nothing behind it counts as stored
    private bool isLive;
    private long checkpointAt;
    private bool isFailing;

    private SeriesStorage(IFileSystem files, Guid incarnation, JournalPosition spoolEnd, SeriesStorageParts parts)
    {
        (settings, time, logger) = (parts.Settings, parts.Time, parts.Logger);
        var now = settings();
        ExternalLabels = [new Label("lightmetrics_stream", now.CollectorId)];
        blocks = BlockSet.Open(files, Path.Combine(now.SpoolDirectory, BlocksFolder), time);
        try
        {
            head = Head.Open(files, OptionsOf(now, incarnation, time), out var opening);
            applied = checkpointed = PositionWithin(spoolEnd, opening.ReplayFrom);
            ReplayFrom = new JournalPosition(applied.Segment, applied.Offset);
            Report(opening);
        }
        catch
        {
            blocks.Dispose();
            throw;
        }

        checkpointAt = time.GetTimestamp();
        maker = new BlockMaker(head, blocks, ExternalLabels, logger);
        var compactor = new Compactor(blocks, new CompactionOptions { BlockHours = now.BlockHours, ExternalLabels = ExternalLabels, MayMerge = parts.MayMerge }, time);
        keeper = new BlockKeeper(blocks, compactor, parts.Clock, parts.Space, parts.MayGo, parts.Going, logger);
        (batches, writes, ups) = (new SeriesFeed(head, Catalog), new WriteFeed(head, Catalog), new UpFeed(head));
        Reader = new SeriesStore(head, blocks, parts.Elsewhere);
    }

    /// <summary>Raised after a checkpoint: spool segments may be done with.</summary>
    public event Action? Checkpointed;

    /// <summary>What queries read.</summary>
    public ISeriesReader Reader { get; }

    /// <summary>What is known of metrics.</summary>
    public MetricCatalog Catalog { get; } = new();

    /// <summary>Blocks that cannot be read.</summary>
    public int BlocksDamaged => blocks.Damaged.Count;

    /// <summary>Damaged files of the head that were set aside.</summary>
    public int HeadFilesDamaged => head.Statistics().FilesSetAside;

    /// <summary>The blocks, for landing.</summary>
    public BlockSet Blocks => blocks;

    /// <summary>What tells this collector's blocks from others'.</summary>
    public IReadOnlyList<Label> ExternalLabels { get; }

    /// <summary>Up to where the spool's records are in files, and the number of the window that is made next.</summary>
    public (CommitPosition Covered, uint NextWindow) Mark()
    {
        lock (gate)
        {
            return (head.Covered, head.NextWindow);
        }
    }

    /// <summary>Whether a window is not in blocks yet that was made before the one of a number.</summary>
    public bool HasWindowsBefore(uint number) => head.HasWindowsBefore(number);

    /// <summary>Blocks that are too old and stay, because they are not known to be in the object store.</summary>
    public int Held => keeper.Held;

    /// <summary>Where the spool's replay begins for samples.</summary>
    public JournalPosition ReplayFrom { get; }

    /// <summary>The first spool segment with samples that are nowhere else.</summary>
    public uint StoredBefore
    {
        get
        {
            lock (gate)
            {
                return head.Covered.Segment;
            }
        }
    }

    /// <summary>Opens <c>head/</c> and <c>blocks/</c> in the spool's folder.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="incarnation">The spool's id.</param>
    /// <param name="spoolEnd">Where the spool's next record goes, at the earliest.</param>
    /// <param name="parts">What it works with.</param>
    /// <exception cref="IOException">A folder cannot be read or written.</exception>
    public static SeriesStorage Open(IFileSystem files, Guid incarnation, JournalPosition spoolEnd, SeriesStorageParts parts) =>
        new(files, incarnation, spoolEnd, parts);

    /// <inheritdoc/>
    public void Apply(AcceptedBatch batch)
    {
        lock (gate)
        {
            if (IsNew(batch.Position))
            {
                Take(batch.Position, batch, static (me, batch) => me.batches.Apply(batch));
            }
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedWrite write)
    {
        lock (gate)
        {
            if (IsNew(write.Position))
            {
                Take(write.Position, write, static (me, write) => me.writes.Apply(write));
            }
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedUps samples)
    {
        lock (gate)
        {
            if (IsNew(samples.Position))
            {
                Take(samples.Position, samples, static (me, samples) => me.ups.Apply(samples));
            }
        }
    }

    /// <inheritdoc/>
    public void Restore(AcceptedBatch batch, IStoredWindows stored)
    {
        var (oldest, newest) = TimesOf(batch.Batch);
        if (oldest > newest || stored.HasSamples(oldest, newest))
        {
            return;
        }

        lock (gate)
        {
            batches.Apply(batch);
        }
    }

    /// <inheritdoc/>
    public void Restore(AcceptedWrite write, IStoredWindows stored)
    {
        if (stored.HasSamples(write.Write.OldestTime, write.Write.NewestTime))
        {
            return;
        }

        lock (gate)
        {
            writes.Apply(write);
        }
    }

    /// <inheritdoc/>
    public void Restore(AcceptedUps samples, IStoredWindows stored)
    {
        if (samples.Agents.Count == 0 || stored.HasSamples(samples.Agents.Min(agent => agent.TimeAt(samples.At)), samples.At.Value))
        {
            return;
        }

        lock (gate)
        {
            ups.Apply(samples);
        }
    }

    /// <inheritdoc/>
    /// <remarks>What was restored is late as a rule: bounds of memory are looked at as well.</remarks>
    public bool TrySettle()
    {
        lock (gate)
        {
            Maintain();
            CheckpointInside();
            return !head.IsDirty;
        }
    }

    /// <inheritdoc/>
    public int Count => head.SeriesCount;

    /// <inheritdoc/>
    public void FindNew(DecodedBatch batch, List<NewSeries> into) => batches.FindNew(batch, into);

    /// <inheritdoc/>
    public void FindNew(DecodedWrite write, List<NewSeries> into) => writes.FindNew(write, into);

    /// <summary>Makes durable what was taken since the last time.</summary>
    public void Checkpoint()
    {
        lock (gate)
        {
            CheckpointInside();
        }
    }

    /// <summary>One round: bounds of memory, checkpoint, blocks, merging, retention.</summary>
    public void Keep(CancellationToken stopping)
    {
        lock (gate)
        {
            Maintain();
            if (head.IsDirty && time.GetElapsedTime(checkpointAt) >= CheckpointInterval)
            {
                CheckpointInside();
            }
        }

        CloseDue(head.DueRanges());
        maker.WriteAll(AsWriter, stopping);
        keeper.Run(settings(), stopping);
    }

    /// <summary>Keeps until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Tick, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                await Task.Run(() => KeepOn(stopping), stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    /// <summary>The spool was read back: what comes from now on is live.</summary>
    public void ReplayDone()
    {
        lock (gate)
        {
            isLive = true;
        }
    }

    /// <summary>Metrics of head and blocks.</summary>
    public IEnumerable<Listeners.CollectorMetric> Collect() => SeriesMetrics.Collect(head.Statistics(), blocks, maker, keeper, Catalog.Count);

    /// <summary>Sizes and counters of the head.</summary>
    public HeadStatistics Statistics() => head.Statistics();

    /// <summary>Makes durable what was taken, and closes the files.</summary>
    public void Dispose()
    {
        Checkpoint();
        head.Dispose();
        blocks.Dispose();
    }

    private static (long Oldest, long Newest) TimesOf(DecodedBatch batch)
    {
        var (oldest, newest) = (long.MaxValue, long.MinValue);
        foreach (ref readonly var series in batch.Series)
        {
            foreach (var time in batch.Times(series))
            {
                (oldest, newest) = (Math.Min(oldest, time), Math.Max(newest, time));
            }

            foreach (ref readonly var histogram in batch.Histograms(series))
            {
                (oldest, newest) = (Math.Min(oldest, histogram.Time.Value), Math.Max(newest, histogram.Time.Value));
            }
        }

        return (oldest, newest);
    }

    private static HeadOptions OptionsOf(StorageSettings settings, Guid incarnation, TimeProvider time) => new()
    {
        Directory = Path.Combine(settings.SpoolDirectory, HeadFolder),
        Incarnation = incarnation,
        BlockHours = settings.BlockHours,
        Backfill = BackfillMax + BoundsMargin,
        AheadMax = BoundsMargin,
        Time = time,
    };

    private void Report(HeadOpening opening)
    {
        foreach (var damage in opening.Damage)
        {
            SeriesLog.HeadDamaged(logger, damage);
        }

        foreach (var damaged in blocks.Damaged)
        {
            SeriesLog.BlockDamaged(logger, damaged.Name, damaged.Reason);
        }

        var (count, bytes) = (blocks.Metas.Count, blocks.SizeBytes);
        SeriesLog.Opened(logger, opening.Series, opening.Windows, count, bytes, ReplayFrom.Segment, ReplayFrom.Offset);
    }

    // A spool that ends before what the head has of it has lost its end (damage, a folder brought back from a copy): its next records stand where others
    // stood, and would pass for known. Positions begin afresh then, durably, before one comes; what is read back twice is recognised.
    private CommitPosition PositionWithin(JournalPosition spoolEnd, CommitPosition covered)
    {
        if (covered < new CommitPosition(spoolEnd.Segment, spoolEnd.Offset) || covered == CommitPosition.Start)
        {
            return covered;
        }

        SeriesLog.SpoolIsShorter(logger, spoolEnd.Segment, spoolEnd.Offset, covered.Segment, covered.Offset);
        head.Checkpoint(CommitPosition.Start);
        return CommitPosition.Start;
    }

    // A round that fails for a reason that nobody thought of must not be the last: nothing would become durable any more, and nobody would know.
    private void KeepOn(CancellationToken stopping)
    {
        try
        {
            Keep(stopping);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            SeriesLog.KeepFailed(logger, e);
        }
    }

    // A record that could not be taken, whole or in part, stays in the spool for the next start: no checkpoint covers it. One that cannot be taken then,
    // either, and not for the disk's sake, is passed over, or the spool would fill up behind it.
    private void Take<T>(JournalPosition position, T record, Action<SeriesStorage, T> take)
    {
        try
        {
            take(this, record);
        }
        catch (Exception e) when (e is IOException || (isLive && e is not OutOfMemoryException))
        {
            held ??= applied;
            throw;
        }
        finally
        {
            Applied(position);
        }
    }

    // A replay begins at the oldest record that anyone needs.
    private bool IsNew(JournalPosition position) => applied == CommitPosition.Start || new CommitPosition(position.Segment, position.Offset) > applied;

    private void Applied(JournalPosition position)
    {
        applied = new CommitPosition(position.Segment, position.Offset);
        var grown = applied.Segment == checkpointed.Segment ? applied.Offset - checkpointed.Offset : CheckpointBytes;
        if (grown >= CheckpointBytes)
        {
            CheckpointInside();
        }
    }

    private void CheckpointInside()
    {
        checkpointAt = time.GetTimestamp();
        checkpointed = applied; // also after a failure: the next try comes with the next segment, not with the next batch
        var covered = held ?? applied;
        if (head.Covered == covered && !head.IsDirty)
        {
            return;
        }

        try
        {
            head.Checkpoint(covered);
            isFailing = false;
            Checkpointed?.Invoke();
        }
        catch (IOException e)
        {
            Failed(e);
        }
    }

    private void Maintain()
    {
        try
        {
            head.Maintain();
        }
        catch (IOException e)
        {
            Failed(e);
        }
    }

    private void Failed(IOException failure)
    {
        if (!isFailing)
        {
            SeriesLog.CheckpointFailed(logger, failure.Message); // once: a full disk stays full for a while
        }

        isFailing = true;
    }

    private void CloseDue(IReadOnlyList<HeadRange> due)
    {
        if (due.Count == 0 || maker.IsFull)
        {
            return;
        }

        lock (gate)
        {
            CheckpointInside();
            if (head.IsDirty)
            {
                return; // the disk takes nothing; the next round tries again
            }

            foreach (var range in due)
            {
                maker.Take(head.Freeze(range));
            }
        }
    }

    private void AsWriter(Action action)
    {
        lock (gate)
        {
            action();
        }
    }
}

/// <summary>What the series storage works with.</summary>
/// <param name="Settings">The settings as they are now.</param>
/// <param name="Clock">Says what is old.</param>
/// <param name="Space">Who else uses <c>max_local_bytes</c>.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Its log.</param>
internal sealed record SeriesStorageParts(Func<StorageSettings> Settings, ClockGuard Clock, LocalSpace Space, TimeProvider Time, ILogger Logger)
{
    /// <summary>Blocks that lie in the object store; null without one.</summary>
    public IBlockSource? Elsewhere { get; init; }

    /// <summary>Whether a block may be merged with others; by default each may.</summary>
    public Func<BlockMeta, bool> MayMerge { get; init; } = static _ => true;

    /// <summary>Whether a block may be deleted here: with an object store, only what was verified there. By default each may.</summary>
    public Func<BlockMeta, bool> MayGo { get; init; } = static _ => true;

    /// <summary>Hears, before something is deleted here, of the newest time in it, milliseconds since 1970; what it throws (<see cref="IOException"/>) keeps it.</summary>
    public Action<long> Going { get; init; } = static _ => { };
}
