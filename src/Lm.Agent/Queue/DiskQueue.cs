using Lm.Journal;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>The durable queue between collecting and uploading: batches by number, acknowledged in any order.</summary>
/// <remarks>
/// Invariants:
/// a batch is handed out only after its record was synced, and its number is in no other record of the same generation;
/// what is done with is durable with the next record: a crash before it sends again, and the collector answers duplicate;
/// a segment goes when nothing in it waits, or whole and counted when the queue is full; the newest never goes, and its preamble has all state.
/// Its parts share one <see cref="QueueState"/>: <see cref="QueueRecovery"/> fills it, <see cref="QueueWriter"/> appends, <see cref="QueueReader"/> reads what waits,
/// <see cref="BatchRemoval"/> takes batches out, <see cref="QueueRoom"/> deletes segments, <see cref="QueueMigration"/> moves batches to a new queue id.
/// Format: docs/formats/queue.md.
/// </remarks>
internal sealed class DiskQueue : IAsyncDisposable
{
    private readonly string directory;
    private readonly ILogger logger;
    private readonly IDisposable directoryLock;
    private readonly Journal.Journal journal;
    private readonly QueueState state = new();
    private readonly QueueRoom room;
    private readonly FreshBatch fresh;
    private readonly QueueReader reader;
    private readonly QueueWriter writer;
    private readonly BatchRemoval removal;
    private readonly QueueMigration migration;
    private readonly RejectedBatches rejected;
    private readonly Requeue requeue;

    private DiskQueue(DiskQueueOptions options, IDisposable directoryLock)
    {
        (directory, logger, this.directoryLock) = (options.Directory, options.Logger, directoryLock);
        var segmentSize = QueueSize.SegmentFor(options.SizeBytesMax);
        journal = Journal.Journal.Open(options.Files, directory, new JournalOptions
        {
            SegmentSizeMax = segmentSize,
            PendingSizeMax = segmentSize,
            Preamble = () =>
            {
                lock (state.Gate)
                {
                    return QueueRecordCodec.Encode(state.Snapshot());
                }
            },
        });
        room = new QueueRoom(journal, state, segmentSize, directory, logger) { SizeBytesMax = options.SizeBytesMax };
        fresh = new FreshBatch(state);
        reader = new QueueReader(journal, state, fresh);
        writer = new QueueWriter(journal, state, room, fresh, new AppendTrouble(state, directory, options.Time, logger), directory, logger);
        rejected = new RejectedBatches(options.Files, directory);
        requeue = new Requeue(options.Files, directory, journal, writer);
        removal = new BatchRemoval(state, room, rejected, directory, logger);
        migration = new QueueMigration(journal, state, writer, removal, directory, logger);
    }

    /// <summary>Batches that are not done with.</summary>
    public ulong WaitingCount
    {
        get
        {
            lock (state.Gate)
            {
                return state.WaitingCount;
            }
        }
    }

    /// <summary>What was given up.</summary>
    public QueueCounters Counters
    {
        get
        {
            lock (state.Gate)
            {
                return state.Counters;
            }
        }
    }

    /// <summary>The size limit, bytes; a reload may change it. The segment size stays until the next start.</summary>
    public long SizeBytesMax
    {
        get => room.SizeBytesMax;
        set => room.SizeBytesMax = value;
    }

    /// <summary>The largest frame that the queue takes, bytes.</summary>
    public int FrameBytesMax => QueueSize.FrameFor(room.SizeBytesMax);

    /// <summary>Bytes that tail offsets may take: each segment begins with all of them, and must have room for batches behind them.</summary>
    public long TailBytesMax => QueueSize.SegmentFor(room.SizeBytesMax) / 4;

    /// <summary>Whether log lines may be queued: not when the queue is so full that they would soon push out batches that wait.</summary>
    public bool TakesLogs
    {
        get
        {
            lock (state.Gate)
            {
                return room.TakesLogs;
            }
        }
    }

    /// <summary>How far log files are durably taken.</summary>
    public TailOffset[] TailOffsets
    {
        get
        {
            lock (state.Gate)
            {
                return state.Tails.Snapshot();
            }
        }
    }

    /// <summary>Which of the directory's queue ids is in use, from 1.</summary>
    public uint Generation
    {
        get
        {
            lock (state.Gate)
            {
                return state.Generation;
            }
        }
    }

    /// <summary>Whether batches of an earlier queue id wait to be queued again: see <see cref="MigrateAsync"/>.</summary>
    public bool NeedsMigration
    {
        get
        {
            lock (state.Gate)
            {
                return state.NeedsMigration;
            }
        }
    }

    /// <summary>The end of what is committed: reading from there gives what comes later.</summary>
    public JournalPosition End => journal.CommittedEnd;

    /// <summary>Opens the queue, recovers it after a crash, and takes a new queue id when this is a copy of another queue (D5).</summary>
    /// <exception cref="QueueException">Another process has it, or it is another agent's.</exception>
    /// <exception cref="FileSystemException">It cannot be read or written.</exception>
    public static async Task<DiskQueue> OpenAsync(DiskQueueOptions options, CancellationToken cancellationToken)
    {
        options.Files.CreateDirectory(options.Directory);
        var directoryLock = options.Files.TryLock(options.Directory)
            ?? throw new QueueException($"queue_dir {options.Directory} is in use by another lm-agent: stop that one, or give this one a directory of its own");
        DiskQueue? queue = null;
        try
        {
            queue = new DiskQueue(options, directoryLock);
            await queue.RecoverAsync(options, cancellationToken);
            return queue;
        }
        catch (Exception) when (queue is not null)
        {
            await queue.CloseAsync();
            throw;
        }
        catch (Exception) when (queue is null)
        {
            directoryLock.Dispose();
            throw;
        }
    }

    /// <summary>Numbers a batch, appends it and syncs.</summary>
    /// <param name="encoder">Holds the batch's records.</param>
    /// <param name="collectedAt">When it was collected.</param>
    /// <param name="reported">Counters as the batch's alert records tell them; default when it has none.</param>
    /// <param name="cancellationToken">Gives up while another append is under way; an append that has begun is not stopped.</param>
    /// <returns>Null when the batch could not be stored: it is lost, counted and logged.</returns>
    public Task<QueuedBatch?> AppendAsync(BatchEncoder encoder, UnixMillis collectedAt, QueueCounters reported, CancellationToken cancellationToken) =>
        writer.AppendAsync(encoder, collectedAt, reported, cancellationToken);

    /// <summary>Numbers a batch of log records, appends it with the tail offsets that it covers, and syncs: all of it or nothing (A10).</summary>
    /// <param name="encoder">Holds the batch's records; its frame must not exceed <see cref="FrameBytesMax"/>.</param>
    /// <param name="collectedAt">When they were read.</param>
    /// <param name="tails">The offsets behind the lines.</param>
    /// <param name="cancellationToken">Gives up while another append is under way; an append that has begun is not stopped.</param>
    /// <returns>False when it could not be stored. That loses nothing: the lines are in their files.</returns>
    public Task<bool> AppendLogsAsync(
        BatchEncoder encoder, UnixMillis collectedAt, IReadOnlyList<TailOffset> tails, CancellationToken cancellationToken) =>
        writer.AppendLogsAsync(encoder, collectedAt, tails, cancellationToken);

    /// <summary>Makes tail offsets durable, without lines.</summary>
    /// <returns>False when they could not be stored.</returns>
    public Task<bool> SaveTailsAsync(IReadOnlyList<TailOffset> tails, CancellationToken cancellationToken) =>
        writer.SaveTailsAsync(tails, cancellationToken);

    /// <summary>The newest batch, when it was not handed out yet.</summary>
    public QueuedBatch? TakeNewest() => fresh.Take();

    /// <inheritdoc cref="QueueReader.Read"/>
    public List<QueuedBatch> Read(JournalPosition from, int countMax, long bytesMax, Func<BatchNumber, bool> isSkipped, out JournalPosition next) =>
        reader.Read(from, countMax, bytesMax, isSkipped, out next);

    /// <summary>The collector has the batch, or will never take it: it is not sent again.</summary>
    public void Acknowledge(BatchNumber batch) => removal.Acknowledge(batch);

    /// <inheritdoc cref="BatchRemoval.TryReject"/>
    public bool TryReject(QueuedBatch batch, string code, string detail) => removal.TryReject(batch, code, detail);

    /// <summary>Whether the batch still waits under the current id.</summary>
    public bool IsWaiting(BatchNumber batch)
    {
        lock (state.Gate)
        {
            return state.IsWaiting(batch);
        }
    }

    /// <summary>Whether nothing waits between two batches of one generation.</summary>
    public bool IsDoneBetween(BatchNumber after, BatchNumber before)
    {
        lock (state.Gate)
        {
            return after.Generation == before.Generation && state.Done.Of(after.Generation).FirstMissing(after.Sequence + 1) >= before.Sequence;
        }
    }

    /// <summary>The queue as headers tell it.</summary>
    public QueueStatus Status()
    {
        var found = reader.FindOldest();
        lock (state.Gate)
        {
            return new QueueStatus(state.WaitingCount, journal.SizeBytes, found, state.Floor, state.Counters, state.QueueId);
        }
    }

    /// <summary>Takes a new queue id: the collector knows other batches under the numbers of this one (409, D5).</summary>
    /// <returns>False when that could not be made durable; try again.</returns>
    public Task<bool> ForkAsync(string reason, CancellationToken cancellationToken)
    {
        QueueIdentity identity;
        lock (state.Gate)
        {
            identity = state.Identity!;
        }

        return writer.ForkAsync(reason, identity, cancellationToken);
    }

    /// <summary>Queues the batches of earlier queue ids again under the current one.</summary>
    /// <returns>False when some could not be stored; try again later.</returns>
    public Task<bool> MigrateAsync(CancellationToken cancellationToken) => migration.RunAsync(cancellationToken);

    /// <summary>Looks at everything that opening did not, sets aside what can never be sent, and tells what opening found.</summary>
    public QueueExamination Examine()
    {
        var (broken, newest) = QueueExamination.FindBroken(this);
        var setAside = broken.Count(batch => removal.TryReject(batch, ProblemCode.MalformedFrame, "the frame in the queue is not whole"));
        var status = Status();
        return new QueueExamination
        {
            Segments = journal.Segments.Count,
            SizeBytes = status.SizeBytes,
            Waiting = status.Batches,
            Oldest = status.Oldest,
            Newest = newest,
            TornBytes = journal.Recovery.TornBytes,
            Damage = [.. journal.Recovery.Damage.Concat(journal.LateDamage).Select(damage =>
                $"segment {damage.Segment} at byte {damage.Offset}: {damage.Reason}; {damage.SizeBytes} bytes are kept as {damage.SavedAs}")],
            BrokenFrames = setAside,
            Tails = TailOffsets.Length,
            RejectedFiles = rejected.Count,
            Counters = status.Counters,
        };
    }

    /// <inheritdoc cref="Requeue.RunAsync"/>
    public Task<RequeueOutcome> RequeueRejectedAsync(UnixMillis now, CancellationToken cancellationToken) => requeue.RunAsync(now, cancellationToken);

    /// <summary>Makes what is done with durable, without a batch.</summary>
    public Task SaveProgressAsync(CancellationToken cancellationToken) => writer.SaveProgressAsync(cancellationToken);

    /// <summary>Saves what is done with and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        // Not cancellable: a progress record saves sending batches again, and it is one small append.
        await SaveProgressAsync(CancellationToken.None);
        await CloseAsync();
    }

    private async Task CloseAsync()
    {
        await journal.DisposeAsync();
        writer.Dispose();
        directoryLock.Dispose();
    }

    private async Task RecoverAsync(DiskQueueOptions options, CancellationToken cancellationToken)
    {
        var recovery = new QueueRecovery(journal, state, directory, logger);
        recovery.Read();
        var here = new QueueIdentity(options.AgentId, options.MachineId, options.Files.IdentityOf(directory));
        if (recovery.Identify(here) is { Length: > 0 } reason && !await writer.ForkAsync(reason, here, cancellationToken))
        {
            throw new QueueException($"queue_dir {directory} needs a new queue id ({reason}) and it could not be stored; make room or mend the disk");
        }

        journal.DeleteBefore(state.DropBefore);
        room.DeleteFinished();
        var id = state.QueueId.ToString();
        QueueLog.Opened(logger, directory, state.WaitingCount, journal.SizeBytes, id, state.NextSequence);
    }
}
