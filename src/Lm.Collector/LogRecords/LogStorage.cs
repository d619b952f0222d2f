using Lm.Collector.Listeners;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Logs;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.LogRecords;

/// <summary>The log store: fed from the spool, read by searches, kept by loops of its own.</summary>
/// <remarks>
/// Invariants:
/// one thread at a time adds lines or makes a checkpoint: it holds the gate; another seals meanwhile;
/// records are taken in the spool's order: one that cannot be taken holds up all behind it, which are read from the spool when it can (<see cref="CatchUp"/>);
/// what a checkpoint covers is read from files after a restart, what comes behind it from the spool (K13);
/// no line waits longer than a checkpoint's interval for a durable file, quiet or not (K14).
/// </remarks>
internal sealed class LogStorage : IBatchConsumer, IRestoredConsumer, IDisposable
{
    /// <summary>Spool bytes after which open files are made durable: what a restart replays at most (K15).</summary>
    public const long CheckpointBytes = 64L << 20;

    /// <summary>How long lines stay in the spool alone when less than that comes.</summary>
    public static readonly TimeSpan CheckpointInterval = TimeSpan.FromMinutes(15);

    /// <summary>How often it looks what is due.</summary>
    public static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait before what failed is tried again; the first is a <see cref="Tick"/>, each further one twice as long.</summary>
    public static readonly TimeSpan RetryMax = TimeSpan.FromMinutes(1);

    private const string LogsFolder = "logs";

    private readonly Lock gate = new(); // held by whoever adds lines or makes a checkpoint; guards applied, seen, checkpointed, isHeld, isLive, checkpointAt, isFailing, spoolDamage
    private readonly Func<StorageSettings> settings;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly LogStore store;
    private readonly LogFeed feed;
    private readonly LogKeeper keeper;
    private readonly Func<JournalPosition, IEnumerable<SpooledRecord>> reread;
    private readonly Func<int> spoolDamageNow;
    private CommitPosition applied; // the last record that was taken; who reads on from it passes over it
    private CommitPosition seen; // the last record that came
    private CommitPosition checkpointed;
    private volatile bool isHeld; // the record behind the last that was taken could not be
    private long passedOver;
    private bool isLive;
    private long checkpointAt;
    private bool isFailing;
    private int spoolDamage;

    private LogStorage(IFileSystem files, Guid incarnation, JournalPosition spoolEnd, LogStorageParts parts)
    {
        (settings, time, logger, reread, spoolDamageNow) = (parts.Settings, parts.Time, parts.Logger, parts.Reread, parts.SpoolDamage);
        var options = parts.Options(new LogStoreOptions
        {
            Directory = Path.Combine(settings().SpoolDirectory, LogsFolder),
            Incarnation = incarnation,
            Time = time,
            Elsewhere = parts.Elsewhere,
        });
        store = LogStore.Open(files, options, out var opening);
        foreach (var damage in opening.Damage)
        {
            LogRecordsLog.Damaged(logger, damage);
        }

        spoolDamage = spoolDamageNow();
        if (spoolDamage > 0 || (opening.IsNew && spoolEnd != default))
        {
            // What the spool has lost, or let go of for the sake of files that somebody took away. At once: the next start sees nothing of it.
            store.Doubt();
            store.Checkpoint(store.Covered);
        }

        applied = checkpointed = PositionWithin(spoolEnd, opening.ReplayFrom);
        ReplayFrom = new JournalPosition(applied.Segment, applied.Offset);
        checkpointAt = time.GetTimestamp();
        feed = new LogFeed(store);
        keeper = new LogKeeper(store, parts.Clock, parts.Space, parts.MayGo, parts.Going, logger);
        var now = store.Statistics();
        LogRecordsLog.Opened(logger, now.SealedFiles, now.SealedBytes, now.OpenFiles, ReplayFrom.Segment, ReplayFrom.Offset);
    }

    /// <summary>Raised after a checkpoint: spool segments may be done with.</summary>
    public event Action? Checkpointed;

    /// <summary>What searches read.</summary>
    public ILogReader Reader => store;

    /// <summary>The sealed files, for landing.</summary>
    public IReadOnlyList<StoredLogFile> SealedFiles => store.Files;

    /// <summary>Files that were found damaged since start.</summary>
    public int FilesDamaged => store.FilesDamaged;

    /// <summary>Up to where the spool's records are in files, and the number of the open file that is made next.</summary>
    public (CommitPosition Covered, uint NextFile) Mark() => store.Mark();

    /// <summary>Whether a file is not sealed yet that was made before the one of a number.</summary>
    public bool HasOpenBefore(uint number) => store.HasOpenBefore(number);

    /// <summary>Files that are too old and stay, because they are not known to be in the object store.</summary>
    public int Held => keeper.Held;

    /// <summary>Where the spool's replay begins for log records.</summary>
    public JournalPosition ReplayFrom { get; }

    /// <summary>The first spool segment with log records that are nowhere else.</summary>
    public uint StoredBefore => store.Covered.Segment;

    /// <summary>Records whose lines were given up since start, because they could not be taken for a reason that is not the disk's: a defect.</summary>
    public long PassedOver => Interlocked.Read(ref passedOver);

    /// <summary>Whether a record could not be taken: the spool keeps it and all behind it until it can be.</summary>
    public bool IsHeld => isHeld;

    /// <summary>Opens <c>logs/</c> in the spool's folder.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="incarnation">The spool's id.</param>
    /// <param name="spoolEnd">Where the spool's next record goes, at the earliest.</param>
    /// <param name="parts">What it works with.</param>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public static LogStorage Open(IFileSystem files, Guid incarnation, JournalPosition spoolEnd, LogStorageParts parts) =>
        new(files, incarnation, spoolEnd, parts);

    /// <inheritdoc/>
    public void Apply(AcceptedBatch batch)
    {
        lock (gate)
        {
            if (IsNext(batch.Position))
            {
                Take(batch);
            }
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedWrite write) => PassOver(write.Position);

    /// <inheritdoc/>
    public void Apply(AcceptedUps ups) => PassOver(ups.Position);

    /// <inheritdoc/>
    public void Restore(AcceptedBatch batch, IStoredWindows stored)
    {
        lock (gate)
        {
            feed.Apply(batch, stored);
        }
    }

    /// <inheritdoc/>
    public bool TrySettle()
    {
        lock (gate)
        {
            CheckpointInside();
            return !store.IsDirty;
        }
    }

    /// <summary>Makes durable what was taken since the last time.</summary>
    public void Checkpoint()
    {
        lock (gate)
        {
            CheckpointInside();
        }
    }

    /// <summary>Takes from the spool what could not be taken when it came; what comes meanwhile is left there, in its place.</summary>
    /// <returns>False: something still cannot be taken.</returns>
    /// <exception cref="IOException">The spool cannot be read.</exception>
    public bool CatchUp(CancellationToken stopping)
    {
        CommitPosition from, target;
        lock (gate)
        {
            (from, target) = (applied, seen);
        }

        if (!isHeld)
        {
            return true;
        }

        foreach (var (position, batch) in reread(new JournalPosition(from.Segment, from.Offset)))
        {
            stopping.ThrowIfCancellationRequested();
            lock (gate)
            {
                if (!IsNew(position))
                {
                    continue;
                }

                if (!TryTakeHeld(batch))
                {
                    return false;
                }

                Applied(new CommitPosition(position.Segment, position.Offset));
                if (applied >= seen)
                {
                    Release();
                    return true;
                }
            }
        }

        // All that is left of the spool was read: what is missing up to what had come by then is damaged, and counted as such by the journal.
        lock (gate)
        {
            Applied(target > applied ? target : applied);
            if (applied >= seen)
            {
                Release();
            }

            return !isHeld;
        }
    }

    /// <summary>Seals what is complete.</summary>
    /// <returns>False: a file could not be sealed.</returns>
    public bool Seal(CancellationToken stopping) => keeper.Seal(stopping);

    /// <summary>One round: what is over is declared complete, checkpoint, retention.</summary>
    public void Keep(CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        store.Maintain(UnixMillis.Now(time));
        lock (gate)
        {
            var isDue = store.Statistics().FilesWaiting > 0 || time.GetElapsedTime(checkpointAt) >= CheckpointInterval;
            if (store.IsDirty && isDue)
            {
                CheckpointInside();
            }
        }

        keeper.Expire(settings());
    }

    /// <summary>Keeps, seals and catches up until stopped. Each by itself: to seal a large file takes many seconds, and a spool may have much to catch up with.</summary>
    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(LoopAsync(KeepAll, stopping), LoopAsync(Seal, stopping), LoopAsync(CatchUp, stopping));

    /// <summary>The spool was read back: what comes from now on is live.</summary>
    public void ReplayDone()
    {
        lock (gate)
        {
            isLive = true;
        }
    }

    /// <summary>Metrics of the store.</summary>
    public IEnumerable<CollectorMetric> Collect() => LogRecordsMetrics.Collect(store.Statistics(), keeper, this);

    /// <summary>Makes durable what was taken, and closes the files.</summary>
    public void Dispose()
    {
        Checkpoint();
        store.Dispose();
    }

    // A spool that ends before what the store has of it has lost its end (damage, a folder brought back from a copy): its next records stand where others
    // stood, and would pass for known. Positions begin afresh then, durably, before one comes; lines that come twice are found once.
    private CommitPosition PositionWithin(JournalPosition spoolEnd, CommitPosition covered)
    {
        if (covered < new CommitPosition(spoolEnd.Segment, spoolEnd.Offset) || covered == CommitPosition.Start)
        {
            return covered;
        }

        LogRecordsLog.SpoolIsShorter(logger, spoolEnd.Segment, spoolEnd.Offset, covered.Segment, covered.Offset);
        store.Doubt();
        store.Checkpoint(CommitPosition.Start);
        return CommitPosition.Start;
    }

    private async Task LoopAsync(Func<CancellationToken, bool> round, CancellationToken stopping)
    {
        var wait = Tick;
        try
        {
            while (true)
            {
                await Task.Delay(wait, time, stopping);
                var isDone = await Task.Run(() => Try(round, stopping), stopping);
                wait = isDone || wait * 2 > RetryMax ? (isDone ? Tick : RetryMax) : wait * 2;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    private bool KeepAll(CancellationToken stopping)
    {
        Keep(stopping);
        return true;
    }

    // A round that fails for a reason that nobody thought of must not be the last: nothing would become durable any more, and nobody would know.
    private bool Try(Func<CancellationToken, bool> round, CancellationToken stopping)
    {
        try
        {
            return round(stopping);
        }
        catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
        {
            LogRecordsLog.KeepFailed(logger, e);
            return false;
        }
    }

    // A record that could not be taken, whole or in part, stays in the spool: no checkpoint covers it. Its lines that were taken come again with it, and are found once.
    private void Take(AcceptedBatch batch)
    {
        try
        {
            feed.Apply(batch);
        }
        catch (Exception e) when (e is IOException || (isLive && e is not OutOfMemoryException))
        {
            isHeld = true;
            LogRecordsLog.Held(logger, batch.Position.Segment, batch.Position.Offset, e.Message);
            throw;
        }
        catch
        {
            store.Doubt(); // a replay goes on behind it
            throw;
        }
        finally
        {
            if (!isHeld)
            {
                Applied(seen);
            }
        }
    }

    // One that cannot be taken now, either, and not for the disk's sake, is passed over, or the spool would fill up behind it.
    private bool TryTakeHeld(AcceptedBatch? batch)
    {
        try
        {
            if (batch is not null)
            {
                feed.Apply(batch);
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            store.Doubt();
            Interlocked.Increment(ref passedOver);
            LogRecordsLog.PassedOver(logger, e, batch!.Position.Segment, batch.Position.Offset);
            return true;
        }
    }

    private void Release()
    {
        isHeld = false;
        LogRecordsLog.Released(logger, applied.Segment, applied.Offset);
    }

    private void PassOver(JournalPosition position)
    {
        lock (gate)
        {
            if (IsNext(position))
            {
                Applied(seen);
            }
        }
    }

    // Notes what came. Behind one that could not be taken all wait for their turn.
    private bool IsNext(JournalPosition position)
    {
        seen = new CommitPosition(position.Segment, position.Offset);
        return !isHeld && IsNew(position);
    }

    // A replay begins at the oldest record that anyone needs.
    private bool IsNew(JournalPosition position) => applied == CommitPosition.Start || new CommitPosition(position.Segment, position.Offset) > applied;

    private void Applied(CommitPosition position)
    {
        applied = position;
        var grown = applied.Segment == checkpointed.Segment ? applied.Offset - checkpointed.Offset : CheckpointBytes;
        if (grown >= CheckpointBytes)
        {
            CheckpointInside();
        }
    }

    private void CheckpointInside()
    {
        checkpointAt = time.GetTimestamp();
        if (spoolDamageNow() is var damage && damage != spoolDamage)
        {
            spoolDamage = damage;
            store.Doubt(); // its records are passed over, and count as covered
        }

        checkpointed = applied; // also after a failure: the next try comes with the next segment, not with the next batch
        if (store.Covered == applied && !store.IsDirty)
        {
            return;
        }

        try
        {
            store.Checkpoint(applied);
            isFailing = false;
            Checkpointed?.Invoke();
        }
        catch (IOException e)
        {
            if (!isFailing)
            {
                LogRecordsLog.CheckpointFailed(logger, e.Message); // once: a full disk stays full for a while
            }

            isFailing = true;
        }
    }
}

/// <summary>What the log storage works with.</summary>
/// <param name="Settings">The settings as they are now.</param>
/// <param name="Reread">Reads the spool again from a record on: <see cref="BatchSpool.Reread"/>.</param>
/// <param name="Clock">Says what is old.</param>
/// <param name="Space">Who else uses <c>max_local_bytes</c>.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Its log.</param>
internal sealed record LogStorageParts(
    Func<StorageSettings> Settings, Func<JournalPosition, IEnumerable<SpooledRecord>> Reread, ClockGuard Clock, LocalSpace Space, TimeProvider Time, ILogger Logger)
{
    /// <summary>Sealed files that lie in the object store; null without one.</summary>
    public ILogFileSource? Elsewhere { get; init; }

    /// <summary>Damaged stretches of the spool that were found since start: <see cref="BatchSpool.DamageFound"/>.</summary>
    public Func<int> SpoolDamage { get; init; } = static () => 0;

    /// <summary>Whether a file may be deleted here: with an object store, only what was verified there. By default each may.</summary>
    public Func<StoredLogFile, bool> MayGo { get; init; } = static _ => true;

    /// <summary>Hears, before something is deleted here, of the newest time in it, milliseconds since 1970; what it throws (<see cref="IOException"/>) keeps it.</summary>
    public Action<long> Going { get; init; } = static _ => { };

    /// <summary>Changes how the store works; for tests, whose files are small.</summary>
    public Func<LogStoreOptions, LogStoreOptions> Options { get; init; } = static options => options;
}
