using Lm.Collector.Landing;
using Lm.Collector.Spool;
using Lm.Platform;

namespace Lm.Collector.Recovery;

/// <summary>Gives records of earlier lives to those who keep them, as replay and live ingest do.</summary>
/// <remarks>For one thread. Verdicts of that day are applied and nothing is judged again (D2).</remarks>
/// <param name="consumers">Who takes them.</param>
/// <param name="clock">Hears of receive times.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">The log.</param>
internal sealed class RecordRestorer(IReadOnlyList<IRestoredConsumer> consumers, ClockGuard clock, TimeProvider time, RecoveryMetrics metrics, ILogger logger)
{
    // What a consumer cannot take now it takes when its disk has room, or when files that wait are sealed.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    private readonly BatchReader batches = new();
    private readonly WriteReader writes = new();

    /// <summary>Takes over one record.</summary>
    /// <param name="life">Its life.</param>
    /// <param name="key">Its object, for messages.</param>
    /// <param name="record">The record.</param>
    /// <param name="stored">What blocks and log files in the store have.</param>
    /// <param name="cancellationToken">Gives up; the record comes again then.</param>
    public async ValueTask RestoreAsync(Guid life, string key, RawRecord record, StoredWindows stored, CancellationToken cancellationToken)
    {
        if (Decode(record, out var fault) is not { } give)
        {
            Interlocked.Increment(ref metrics.RecordsDamaged);
            RecoveryLog.RecordDamaged(logger, key, record.Entry.Offset, fault);
            return;
        }

        stored.At(life, record.Entry.Position);
        if (give.Batch is { } batch)
        {
            await stored.PrepareAsync(batch, cancellationToken);
        }

        foreach (var consumer in consumers)
        {
            while (!TryGive(give, consumer, stored, key, record.Entry))
            {
                await Task.Delay(RetryInterval, time, cancellationToken);
            }
        }

        Interlocked.Increment(ref metrics.Records);
    }

    private Giving? Decode(in RawRecord record, out string fault)
    {
        fault = "its checksum is wrong";
        if (!record.IsWhole)
        {
            return null;
        }

        string? wrong;
        var give = record.Entry.Kind switch
        {
            WriteRecord.Kind => DecodeWrite(record, out wrong),
            UpRecord.Kind => DecodeUps(record, out wrong),
            _ => DecodeBatch(record, out wrong),
        };
        fault = wrong ?? "";
        return give;
    }

    private Giving? DecodeBatch(in RawRecord record, out string? fault)
    {
        fault = batches.TryRead(record.Bytes, out var head, out var frame);
        if (fault is not null)
        {
            return null;
        }

        clock.Note(head.ReceivedAt);
        var batch = batches.Accepted(record.Entry.Position, head, frame);
        return new Giving(batch, (consumer, stored) => consumer.Restore(batch, stored));
    }

    private Giving? DecodeWrite(in RawRecord record, out string? fault)
    {
        fault = writes.TryRead(record.Bytes, out var head);
        if (fault is not null)
        {
            return null;
        }

        clock.NoteOwn(head.ReceivedAt, new UnixMillis(writes.Write.NewestTime));
        var write = writes.Accepted(record.Entry.Position, head);
        return new Giving(null, (consumer, stored) => consumer.Restore(write, stored));
    }

    private static Giving? DecodeUps(in RawRecord record, out string? fault)
    {
        fault = UpRecord.TryRead(record.Bytes.Span, out var at, out var agents);
        if (fault is not null)
        {
            return null;
        }

        var ups = new AcceptedUps(record.Entry.Position, at, agents, IsReplay: true);
        return new Giving(null, (consumer, stored) => consumer.Restore(ups, stored));
    }

    // False: it is to be tried again. One that fails on a record for another reason than the disk must not keep the others from it, nor what follows.
    private bool TryGive(Giving give, IRestoredConsumer consumer, IStoredWindows stored, string key, RawEntry entry)
    {
        try
        {
            give.To(consumer, stored);
        }
        catch (IOException)
        {
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Interlocked.Increment(ref metrics.ConsumerFailures);
            RecoveryLog.ConsumerFailed(logger, e, key, entry.Offset);
        }

        return true;
    }

    /// <summary>A record, decoded.</summary>
    /// <param name="Batch">The batch, when it is one.</param>
    /// <param name="To">Gives it to someone.</param>
    private sealed record Giving(AcceptedBatch? Batch, Action<IRestoredConsumer, IStoredWindows> To);
}
