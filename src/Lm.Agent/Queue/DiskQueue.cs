using System.Security.Cryptography;
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
/// a segment goes when nothing in it waits, or whole and counted when the queue is full; the newest never goes, and its preamble has all state;
/// appends come one at a time: <see cref="appending"/> is held from the number's taking to the record's commit.
/// Format: docs/formats/queue.md.
/// </remarks>
internal sealed class DiskQueue : IAsyncDisposable
{
    // Room for a preamble and the heads of records, so that the size limit holds whatever is appended next.
    private const int SpareBytes = 4096;

    private readonly IFileSystem files;
    private readonly string directory;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly IDisposable directoryLock;
    private readonly Journal.Journal journal;
    private readonly RejectedBatches rejected;
    private readonly SemaphoreSlim appending = new(1, 1);
    private readonly Lock gate = new(); // guards state, newest, latest, oldest, failingSince, lostBefore
    private readonly QueueState state;
    private readonly long segmentSize;
    private QueuedBatch? newest;
    private (BatchNumber Number, UnixMillis CollectedAt) latest;
    private (BatchNumber Number, JournalPosition Position, UnixMillis CollectedAt) oldest;
    private long? failingSince;
    private ulong lostBefore;
    private bool deletesFail;
    private uint deletedBefore;
    private long sizeMax;

    private DiskQueue(DiskQueueOptions options, IDisposable directoryLock)
    {
        (files, directory, logger, time) = (options.Files, options.Directory, options.Logger, options.Time);
        (this.directoryLock, sizeMax) = (directoryLock, options.SizeBytesMax);
        segmentSize = QueueSize.SegmentFor(sizeMax);
        rejected = new RejectedBatches(files, directory);
        state = new QueueState();
        journal = Journal.Journal.Open(files, directory, new JournalOptions
        {
            SegmentSizeMax = segmentSize,
            PendingSizeMax = segmentSize,
            Preamble = () =>
            {
                lock (gate)
                {
                    return QueueRecordCodec.Encode(state.Snapshot());
                }
            },
        });
    }

    /// <summary>Batches that are not done with.</summary>
    public ulong WaitingCount
    {
        get
        {
            lock (gate)
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
            lock (gate)
            {
                return state.Counters;
            }
        }
    }

    /// <summary>The size limit, bytes; a reload may change it. The segment size stays until the next start.</summary>
    public long SizeBytesMax
    {
        get => Interlocked.Read(ref sizeMax);
        set => Interlocked.Exchange(ref sizeMax, value);
    }

    /// <summary>Whether batches of an earlier queue id wait to be queued again: see <see cref="MigrateAsync(CancellationToken)"/>.</summary>
    public bool NeedsMigration
    {
        get
        {
            lock (gate)
            {
                return state.NeedsMigration;
            }
        }
    }

    /// <summary>The newest batch, when it was not handed out yet.</summary>
    public QueuedBatch? TakeNewest()
    {
        lock (gate)
        {
            var taken = newest;
            newest = null;
            return taken is null || state.Done.Contains(taken.Number) || taken.Number.Generation != state.Generation ? null : taken;
        }
    }

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
    public async Task<QueuedBatch?> AppendAsync(BatchEncoder encoder, UnixMillis collectedAt, QueueCounters reported, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            var (number, key) = TakeNumber();
            var frame = encoder.EncodeFrame(key);
            var frameMax = QueueSize.FrameFor(SizeBytesMax);
            if (frame.Length > frameMax)
            {
                QueueLog.BatchTooLarge(logger, directory, frame.Length, frameMax);
                CountLost(number);
                return null;
            }

            var batch = await AppendBatchAsync(number, frame, collectedAt, replaces: null, reported);
            lock (gate)
            {
                newest = batch ?? newest;
                latest = batch is null ? latest : (batch.Number, batch.CollectedAt);
            }

            return batch;
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>The collector has the batch, or will never take it: it is not sent again.</summary>
    public void Acknowledge(BatchNumber batch)
    {
        lock (gate)
        {
            if (!state.MarkDone(batch))
            {
                return;
            }
        }

        DeleteFinished();
    }

    /// <summary>Sets a refused batch aside in <c>rejected/</c> and goes on without it.</summary>
    /// <returns>False when it could not be set aside: it stays in the queue.</returns>
    public bool TryReject(QueuedBatch batch, string code, string detail)
    {
        string path;
        int removed;
        try
        {
            path = rejected.Store(CurrentQueueId, batch.Number, code, batch.Frame.Span, out removed);
        }
        catch (FileSystemException failure)
        {
            QueueLog.ReadFails(logger, directory, failure.Message);
            return false;
        }

        lock (gate)
        {
            state.Counters = state.Counters with { Rejected = state.Counters.Rejected + 1 };
        }

        QueueLog.Rejected(logger, batch.Number.Sequence, code, detail, path);
        if (removed > 0)
        {
            QueueLog.RejectedRemoved(logger, directory, removed, RejectedBatches.CountMax, RejectedBatches.BytesMax);
        }

        Acknowledge(batch.Number);
        return true;
    }

    /// <summary>Reads batches that wait, oldest first, from a position on.</summary>
    /// <param name="from">Where to begin; <c>default</c> for the oldest.</param>
    /// <param name="countMax">How many at most.</param>
    /// <param name="bytesMax">How many bytes of frames at most; one larger frame still comes alone.</param>
    /// <param name="isSkipped">Batches to pass over.</param>
    /// <param name="next">Where to go on after the last one returned.</param>
    public List<QueuedBatch> Read(JournalPosition from, int countMax, long bytesMax, Func<BatchNumber, bool> isSkipped, out JournalPosition next)
    {
        var batches = new List<QueuedBatch>();
        var bytes = 0L;
        next = from;
        try
        {
            foreach (var record in journal.Read(from))
            {
                if (QueueRecordCodec.TryDecode(record.Payload, out var head, out var frame) && IsSendable(head) && !isSkipped(head.Number))
                {
                    if (batches.Count > 0 && (batches.Count >= countMax || bytes + frame.Length > bytesMax))
                    {
                        return batches;
                    }

                    batches.Add(new QueuedBatch(head.Number, record.Position, record.Next, head.CollectedAt, frame.ToArray()));
                    bytes += frame.Length;
                }

                next = record.Next;
            }
        }
        catch (FileNotFoundException)
        {
            // The segment was dropped for room meanwhile; what is left begins at the oldest one.
            next = default;
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            next = default;
        }

        return batches;
    }

    /// <summary>Whether the batch still waits under the current id.</summary>
    public bool IsWaiting(BatchNumber batch)
    {
        lock (gate)
        {
            return batch.Generation == state.Generation && !state.Done.Contains(batch);
        }
    }

    /// <summary>Whether nothing waits between two batches of one generation.</summary>
    public bool IsDoneBetween(BatchNumber after, BatchNumber before)
    {
        lock (gate)
        {
            return after.Generation == before.Generation && state.Done.Of(after.Generation).FirstMissing(after.Sequence + 1) >= before.Sequence;
        }
    }

    /// <summary>The end of what is committed: reading from there gives what comes later.</summary>
    public JournalPosition End => journal.CommittedEnd;

    /// <summary>The queue as headers tell it.</summary>
    public QueueStatus Status()
    {
        var found = FindOldest();
        lock (gate)
        {
            return new QueueStatus(state.WaitingCount, journal.SizeBytes, found, state.Floor, state.Counters, state.QueueId);
        }
    }

    /// <summary>Takes a new queue id: the collector knows other batches under the numbers of this one (409, D5).</summary>
    /// <returns>False when that could not be made durable; try again.</returns>
    public async Task<bool> ForkAsync(string reason, CancellationToken cancellationToken)
    {
        QueueIdentity identity;
        lock (gate)
        {
            identity = state.Identity!;
        }

        return await ForkAsync(reason, identity, cancellationToken);
    }

    /// <summary>Queues the batches of earlier queue ids again under the current one. May be stopped and repeated at any point:
    /// each new record names the batch that it takes the place of.</summary>
    /// <returns>False when some could not be stored; try again later.</returns>
    public async Task<bool> MigrateAsync(CancellationToken cancellationToken)
    {
        var count = 0L;
        foreach (var record in journal.Read())
        {
            if (!QueueRecordCodec.TryDecode(record.Payload, out var head, out var frame) || !IsForeign(head))
            {
                continue;
            }

            if (!await MigrateAsync(head, record, frame, cancellationToken))
            {
                return false;
            }

            count++;
        }

        lock (gate)
        {
            state.UpdateNeedsMigration();
        }

        QueueLog.Migrated(logger, directory, count);
        return true;
    }

    /// <summary>Makes what is done with durable, without a batch.</summary>
    public async Task SaveProgressAsync(CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            QueueRecord record;
            lock (gate)
            {
                if (state.UnsavedDone.RangeCount == 0)
                {
                    return;
                }

                record = BeginRecord(new QueueRecord { Kind = QueueRecordKind.Progress, Number = new BatchNumber(state.Generation, state.NextSequence) });
            }

            await CommitAsync(record, default, reported: default, dropped: 0);
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>Saves what is done with and closes.</summary>
    public async ValueTask DisposeAsync()
    {
        // Not cancellable: a progress record saves sending batches again, and it is one small append.
        await SaveProgressAsync(CancellationToken.None);
        await CloseAsync();
    }

    private QueueId CurrentQueueId
    {
        get
        {
            lock (gate)
            {
                return state.QueueId;
            }
        }
    }

    private async Task CloseAsync()
    {
        await journal.DisposeAsync();
        appending.Dispose();
        directoryLock.Dispose();
    }

    private async Task RecoverAsync(DiskQueueOptions options, CancellationToken cancellationToken)
    {
        ReadState();
        ReportRecovery();
        var here = new QueueIdentity(options.AgentId, options.MachineId, files.IdentityOf(directory));
        if (state.GenerationSeen == 0)
        {
            state.Begin(NewQueueId(), here);
        }
        else if (state.Identity is { } identity && !string.Equals(identity.AgentId, here.AgentId, StringComparison.Ordinal))
        {
            throw new QueueException(
                $"queue_dir {directory} belongs to agent_id \"{identity.AgentId}\", not \"{here.AgentId}\": send what it holds with lm-agent --flush "
                + "and the old agent_id, then delete it, or give this agent a directory of its own");
        }
        else if (ReasonForNewId(here) is { Length: > 0 } reason && !await ForkAsync(reason, here, cancellationToken))
        {
            throw new QueueException($"queue_dir {directory} needs a new queue id ({reason}) and it could not be stored; make room or mend the disk");
        }

        journal.DeleteBefore(state.DropBefore);
        DeleteFinished();
        var id = state.QueueId.ToString();
        QueueLog.Opened(logger, directory, state.WaitingCount, journal.SizeBytes, id, state.NextSequence);
    }

    private void ReadState()
    {
        foreach (var record in journal.Read())
        {
            if (!QueueRecordCodec.TryDecode(record.Payload, out var head, out _))
            {
                QueueLog.UnknownRecord(logger, directory, record.Position.Segment, record.Position.Offset);
                continue;
            }

            state.Apply(head, record.Position);
            state.Done.Add(head.Done);
            state.Counters = head.Counters;
            if (head.Replaces is { } replaced)
            {
                state.Done.Add(replaced);
            }
        }

        state.CompleteReading();
        lostBefore = state.Counters.Lost;
    }

    private void ReportRecovery()
    {
        if (journal.Recovery.TornBytes > 0)
        {
            QueueLog.TornTail(logger, directory, journal.Recovery.TornBytes);
        }

        foreach (var damage in journal.Recovery.Damage)
        {
            QueueLog.Damaged(logger, directory, damage.Segment, damage.Offset, damage.Reason, damage.SizeBytes, damage.SavedAs);
        }
    }

    private string ReasonForNewId(QueueIdentity here)
    {
        // Records that are gone may have held numbers that were sent: under a new id none of them can be used again.
        if (journal.Recovery.Damage.Count > 0 || state.GenerationSeen > state.Generation || state.Identity is null)
        {
            return "part of the queue was damaged";
        }

        var difference = here.DifferenceFrom(state.Identity);
        return difference.Length == 0 ? "" : $"the directory was copied or restored: another {difference}";
    }

    private async Task<bool> ForkAsync(string reason, QueueIdentity identity, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            QueueRecord record;
            lock (gate)
            {
                record = BeginRecord(new QueueRecord
                {
                    Kind = QueueRecordKind.NewQueueId,
                    Number = new BatchNumber(Math.Max(state.Generation, state.GenerationSeen) + 1, 1),
                    QueueId = NewQueueId(),
                    Identity = identity,
                });
            }

            if (await CommitAsync(record, default, reported: default, dropped: 0) is null)
            {
                return false;
            }

            lock (gate)
            {
                newest = null;
                state.UpdateNeedsMigration();
            }

            var (id, waiting) = (record.QueueId.ToString(), WaitingCount);
            QueueLog.NewQueueId(logger, directory, id, reason, waiting);

            return true;
        }
        finally
        {
            appending.Release();
        }
    }

    private async Task<bool> MigrateAsync(QueueRecord head, JournalRecord record, ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            var (number, key) = TakeNumber();
            if (BatchRewriter.TryRewrite(frame.Span, new Limits().BatchBytesMax, key.QueueId, key.Sequences, out var rewritten, out var fault))
            {
                return await AppendBatchAsync(number, rewritten, head.CollectedAt, head.Number, reported: default) is not null;
            }

            MarkNeverCommitted(number);
            return TryReject(new QueuedBatch(head.Number, record.Position, record.Next, head.CollectedAt, frame), ProblemCode.MalformedFrame, fault);
        }
        finally
        {
            appending.Release();
        }
    }

    private (BatchNumber Number, BatchKey Key) TakeNumber()
    {
        lock (gate)
        {
            var number = state.TakeNumber();
            return (number, new BatchKey(state.Identity!.AgentId, state.QueueId, new SequenceRange(number.Sequence, number.Sequence)));
        }
    }

    private async Task<QueuedBatch?> AppendBatchAsync(
        BatchNumber number, ReadOnlyMemory<byte> frame, UnixMillis collectedAt, BatchNumber? replaces, QueueCounters reported)
    {
        QueueRecord record;
        ulong dropped;
        lock (gate)
        {
            record = BeginRecord(new QueueRecord { Kind = QueueRecordKind.Batch, Number = number, CollectedAt = collectedAt, Replaces = replaces });
            (var dropBefore, dropped) = PlanDrop(frame.Length);
            var counters = WithReported(record.Counters, reported);
            record = record with { DropBefore = Math.Max(record.DropBefore, dropBefore), Counters = counters with { Dropped = counters.Dropped + dropped } };
        }

        if (await CommitAsync(record, frame, reported, dropped) is not { } position)
        {
            if (replaces is null)
            {
                CountLost(number);
            }
            else
            {
                MarkNeverCommitted(number);
            }

            return null;
        }

        if (dropped > 0)
        {
            QueueLog.Dropped(logger, directory, SizeBytesMax, dropped, record.DropBefore);
        }

        DeleteFinished();
        return new QueuedBatch(number, position, journal.CommittedEnd, collectedAt, replaces is null ? frame.ToArray() : default);
    }

    /// <summary>Adds to a record what changed since the last one; the caller holds <see cref="gate"/>.</summary>
    private QueueRecord BeginRecord(QueueRecord record) =>
        record with { Done = state.TakeUnsavedDone(), Counters = state.Counters, DropBefore = state.DropBefore };

    /// <summary>Appends a record and takes it into the state.</summary>
    /// <returns>Null when it was not committed; what was to ride on it rides on the next one.</returns>
    private async Task<JournalPosition?> CommitAsync(QueueRecord record, ReadOnlyMemory<byte> frame, QueueCounters reported, ulong dropped)
    {
        try
        {
            // Not cancellable: a record that is half known to us could be sent under a number that is used again.
            var position = await journal.AppendAsync(QueueRecordCodec.Encode(record), frame, null, CancellationToken.None);
            lock (gate)
            {
                state.Apply(record, position);
                state.Counters = WithReported(state.Counters with { Dropped = state.Counters.Dropped + dropped }, reported);
                state.Drop(record.DropBefore);
                if (record.Replaces is { } replaced)
                {
                    state.MarkDone(replaced);
                }
            }

            NoteAppendsWork();
            return position;
        }
        catch (JournalException failure)
        {
            lock (gate)
            {
                state.UnsavedDone.Add(record.Done);
            }

            NoteAppendsFail(failure);
            return null;
        }
    }

    private static QueueCounters WithReported(QueueCounters counters, QueueCounters reported) => counters with
    {
        DroppedReported = Math.Max(counters.DroppedReported, reported.DroppedReported),
        LostReported = Math.Max(counters.LostReported, reported.LostReported),
        RejectedReported = Math.Max(counters.RejectedReported, reported.RejectedReported),
    };

    /// <summary>Which of the oldest segments must go for a frame to fit, and what waits in them; the caller holds <see cref="gate"/>.</summary>
    private (uint Before, ulong Dropped) PlanDrop(int frameLength)
    {
        // While batches move to a new queue id they are there twice for up to a segment.
        var room = SizeBytesMax + (state.NeedsMigration ? segmentSize : 0) - journal.SizeBytes - frameLength - SpareBytes;
        if (room >= 0)
        {
            return (0, 0);
        }

        var sizes = journal.Segments.ToDictionary(segment => segment.Number, segment => segment.SizeBytes);
        var dropped = 0UL;
        var at = 0;
        for (; at < state.Segments.Count - 1 && room < 0; at++)
        {
            room += sizes.GetValueOrDefault(state.Segments[at].Number);
            dropped += state.Segments[at].WaitingCount;
        }

        return (at == 0 ? 0 : state.Segments[at].Number, dropped);
    }

    private void CountLost(BatchNumber number)
    {
        lock (gate)
        {
            state.Counters = state.Counters with { Lost = state.Counters.Lost + 1 };
        }

        MarkNeverCommitted(number);
    }

    private void MarkNeverCommitted(BatchNumber number)
    {
        lock (gate)
        {
            state.MarkDone(number);
        }
    }

    private void DeleteFinished()
    {
        uint dropBefore;
        uint[] finished;
        lock (gate)
        {
            finished = state.TakeFinishedSegments();
            dropBefore = state.DropBefore;
        }

        try
        {
            foreach (var segment in finished)
            {
                journal.Delete(segment);
            }

            if (deletedBefore < dropBefore)
            {
                journal.DeleteBefore(dropBefore);
                deletedBefore = dropBefore;
            }

            deletesFail = false;
        }
        catch (FileSystemException failure)
        {
            // Its batches are done with whether the file is there or not; the next start deletes it.
            if (!deletesFail)
            {
                QueueLog.DeleteFails(logger, directory, failure.Message);
            }

            deletesFail = true;
        }
    }

    private void NoteAppendsFail(JournalException failure)
    {
        lock (gate)
        {
            if (failingSince is not null)
            {
                return;
            }

            failingSince = time.GetTimestamp();
            lostBefore = state.Counters.Lost;
        }

        QueueLog.AppendsFail(logger, directory, failure.Message);
    }

    private void NoteAppendsWork()
    {
        long since;
        ulong lost;
        lock (gate)
        {
            if (failingSince is not { } began)
            {
                return;
            }

            (since, lost) = (began, state.Counters.Lost - lostBefore);
            failingSince = null;
        }

        var durationMs = (long)time.GetElapsedTime(since).TotalMilliseconds;
        QueueLog.AppendsWorkAgain(logger, directory, durationMs, lost);
    }

    private bool IsSendable(QueueRecord head) => head.Kind == QueueRecordKind.Batch && IsWaiting(head.Number);

    private bool IsForeign(QueueRecord head)
    {
        lock (gate)
        {
            return head.Kind == QueueRecordKind.Batch && head.Number.Generation < state.Generation && !state.Done.Contains(head.Number);
        }
    }

    /// <summary>When the oldest batch that waits was collected. Looks on from where it was found last, so that draining a backlog
    /// reads each record once more, not the whole segment each time.</summary>
    private UnixMillis? FindOldest()
    {
        JournalPosition from;
        lock (gate)
        {
            if (state.WaitingCount == 0)
            {
                return null;
            }

            if (state.WaitingCount == 1 && latest.Number.Generation == state.Generation && !state.Done.Contains(latest.Number))
            {
                return latest.CollectedAt;
            }

            if (oldest.Number.Generation == state.Generation && oldest.Number.Sequence > 0 && !state.Done.Contains(oldest.Number))
            {
                return oldest.CollectedAt;
            }

            from = oldest.Number.Generation == state.Generation && oldest.Position.Segment >= state.Segments[0].Number ? oldest.Position : default;
        }

        var found = Read(from, 1, 0, _ => false, out _);
        lock (gate)
        {
            if (found.Count > 0)
            {
                oldest = (found[0].Number, found[0].Position, found[0].CollectedAt);
            }
        }

        return found.Count > 0 ? found[0].CollectedAt : null;
    }

    private static QueueId NewQueueId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return new QueueId(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }
}

/// <summary>What a queue is opened with.</summary>
/// <param name="Files">The file system.</param>
/// <param name="Directory">The queue's directory.</param>
/// <param name="AgentId">Whose queue it is.</param>
/// <param name="MachineId">This machine's id.</param>
/// <param name="SizeBytesMax">The size limit, bytes.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where its events go.</param>
internal sealed record DiskQueueOptions(
    IFileSystem Files, string Directory, string AgentId, UInt128 MachineId, long SizeBytesMax, TimeProvider Time, ILogger Logger);
