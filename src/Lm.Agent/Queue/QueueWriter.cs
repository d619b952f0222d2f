using System.Security.Cryptography;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>Appends records, one at a time, and takes each into the state once it is synced.</summary>
/// <remarks>
/// Invariants:
/// appends come one at a time: <see cref="appending"/> is held from the number's taking to the record's commit;
/// a number that was taken and not committed is done with: it is never used again (D3).
/// </remarks>
internal sealed class QueueWriter(
    Journal.Journal journal, QueueState state, QueueRoom room, FreshBatch fresh, AppendTrouble trouble, string directory, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim appending = new(1, 1);

    /// <summary>Numbers a batch, appends it and syncs.</summary>
    /// <returns>Null when the batch could not be stored: it is lost, counted and logged.</returns>
    public async Task<QueuedBatch?> AppendAsync(BatchEncoder encoder, UnixMillis collectedAt, QueueCounters reported, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            var (number, key) = TakeNumber();
            var frame = encoder.EncodeFrame(key);
            var frameMax = QueueSize.FrameFor(room.SizeBytesMax);
            if (frame.Length > frameMax)
            {
                QueueLog.BatchTooLarge(logger, directory, frame.Length, frameMax);
                CountLost(number);
                return null;
            }

            var batch = await AppendBatchAsync(number, frame, collectedAt, new BatchSource { Reported = reported, KeepsFrame = true });
            if (batch is not null)
            {
                fresh.Put(batch, isLogs: false);
            }

            return batch;
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>Numbers a batch of log records, appends it with the tail offsets that it covers, and syncs: all of it or nothing (A10).</summary>
    /// <returns>False when it could not be stored. That loses nothing: the lines are in their files.</returns>
    public async Task<bool> AppendLogsAsync(
        BatchEncoder encoder, UnixMillis collectedAt, IReadOnlyList<TailOffset> tails, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            var (number, key) = TakeNumber();
            bool isFresh;
            lock (state.Gate)
            {
                isFresh = fresh.TakesLogs;
            }

            var source = new BatchSource { Tails = tails, IsLogs = true, KeepsFrame = isFresh };
            if (await AppendBatchAsync(number, encoder.EncodeFrame(key), collectedAt, source) is not { } batch)
            {
                return false;
            }

            if (isFresh)
            {
                fresh.Put(batch, isLogs: true);
            }

            return true;
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>Makes tail offsets durable, without lines.</summary>
    /// <returns>False when they could not be stored.</returns>
    public async Task<bool> SaveTailsAsync(IReadOnlyList<TailOffset> tails, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            QueueRecord record;
            lock (state.Gate)
            {
                record = BeginRecord(new QueueRecord
                {
                    Kind = QueueRecordKind.Progress,
                    Number = new BatchNumber(state.Generation, state.NextSequence),
                    Tails = tails,
                });
            }

            return await CommitAsync(record, default, reported: default, dropped: 0) is not null;
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>Appends a batch of an earlier queue id again, under the current one.</summary>
    /// <param name="head">Its record.</param>
    /// <param name="frame">Its bytes.</param>
    /// <param name="cancellationToken">Gives up while another append is under way.</param>
    /// <returns>Whether it is stored; if not, what is wrong with its bytes, empty when nothing is.</returns>
    public async Task<(bool IsStored, string Fault)> AppendAgainAsync(QueueRecord head, ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            var (number, key) = TakeNumber();
            if (BatchRewriter.TryRewrite(frame.Span, new Limits().BatchBytesMax, key.QueueId, key.Sequences, out var rewritten, out var fault))
            {
                return (await AppendBatchAsync(number, rewritten, head.CollectedAt, new BatchSource { Replaces = head.Number }) is not null, "");
            }

            MarkNeverCommitted(number);
            return (false, fault);
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>Takes a new queue id.</summary>
    /// <returns>False when that could not be made durable; try again.</returns>
    public async Task<bool> ForkAsync(string reason, QueueIdentity identity, CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            QueueRecord record;
            lock (state.Gate)
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

            ulong waiting;
            lock (state.Gate)
            {
                state.UpdateNeedsMigration();
                waiting = state.WaitingCount;
            }

            var id = record.QueueId.ToString();
            QueueLog.NewQueueId(logger, directory, id, reason, waiting);
            return true;
        }
        finally
        {
            appending.Release();
        }
    }

    /// <summary>Makes what is done with durable, without a batch.</summary>
    public async Task SaveProgressAsync(CancellationToken cancellationToken)
    {
        await appending.WaitAsync(cancellationToken);
        try
        {
            QueueRecord record;
            lock (state.Gate)
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

    public void Dispose() => appending.Dispose();

    /// <summary>A random queue id.</summary>
    public static QueueId NewQueueId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return new QueueId(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    private (BatchNumber Number, BatchKey Key) TakeNumber()
    {
        lock (state.Gate)
        {
            var number = state.TakeNumber();
            return (number, new BatchKey(state.Identity!.AgentId, state.QueueId, new SequenceRange(number.Sequence, number.Sequence)));
        }
    }

    private async Task<QueuedBatch?> AppendBatchAsync(BatchNumber number, ReadOnlyMemory<byte> frame, UnixMillis collectedAt, BatchSource source)
    {
        QueueRecord record;
        ulong dropped;
        lock (state.Gate)
        {
            record = BeginRecord(new QueueRecord { Kind = QueueRecordKind.Batch, Number = number, CollectedAt = collectedAt, Replaces = source.Replaces, Tails = source.Tails });
            (var dropBefore, dropped) = room.PlanDrop(frame.Length);
            var counters = record.Counters.WithReported(source.Reported);
            record = record with { DropBefore = Math.Max(record.DropBefore, dropBefore), Counters = counters with { Dropped = counters.Dropped + dropped } };
        }

        if (await CommitAsync(record, frame, source.Reported, dropped) is not { } position)
        {
            if (source.IsLostOnFailure)
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
            QueueLog.Dropped(logger, directory, room.SizeBytesMax, dropped, record.DropBefore);
        }

        room.DeleteFinished();
        return new QueuedBatch(number, position, journal.CommittedEnd, collectedAt, source.KeepsFrame ? frame.ToArray() : default);
    }

    /// <summary>Where a batch comes from, and what that means for it.</summary>
    private readonly record struct BatchSource()
    {
        /// <summary>The batch that it takes the place of.</summary>
        public BatchNumber? Replaces { get; init; }

        /// <summary>Counters as its alert records tell them.</summary>
        public QueueCounters Reported { get; init; }

        /// <summary>The tail offsets that it covers.</summary>
        public IReadOnlyList<TailOffset> Tails { get; init; } = [];

        /// <summary>Whether it holds lines that are still in their files.</summary>
        public bool IsLogs { get; init; }

        /// <summary>Whether its bytes are wanted, to be sent without being read back.</summary>
        public bool KeepsFrame { get; init; }

        /// <summary>Whether there is no other copy of it.</summary>
        public bool IsLostOnFailure => Replaces is null && !IsLogs;
    }

    /// <summary>Adds to a record what changed since the last one; the caller holds the state's gate.</summary>
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
            lock (state.Gate)
            {
                state.Apply(record, position);
                state.Counters = (state.Counters with { Dropped = state.Counters.Dropped + dropped }).WithReported(reported);
                state.Drop(record.DropBefore);
                if (record.Replaces is { } replaced)
                {
                    state.MarkDone(replaced);
                }
            }

            trouble.End();
            return position;
        }
        catch (JournalException failure)
        {
            lock (state.Gate)
            {
                state.UnsavedDone.Add(record.Done);
            }

            trouble.Begin(failure);
            return null;
        }
    }

    private void CountLost(BatchNumber number)
    {
        lock (state.Gate)
        {
            state.Counters = state.Counters with { Lost = state.Counters.Lost + 1 };
        }

        MarkNeverCommitted(number);
    }

    private void MarkNeverCommitted(BatchNumber number)
    {
        lock (state.Gate)
        {
            state.MarkDone(number);
        }
    }
}
