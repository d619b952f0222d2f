using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Platform.Files;

namespace Lm.Collector.Spool;

/// <summary>The collector's journal of acknowledged batches.</summary>
/// <remarks>
/// Invariants:
/// an append succeeds only after its record's sync; before its sender is answered, the ledger has its sequence and it stands in line for the consumers;
/// consumers see every batch once, in commit order, the same live as at replay;
/// a failed append leaves no trace in the ledger, and the next one works without a restart;
/// the ledger's snapshot is durable before a segment that it summarises is deleted (D4).
/// </remarks>
internal sealed class BatchSpool : ISpoolProgress, IAsyncDisposable
{
    /// <summary>The largest body that the settings allow, with room for the verdict's lists: what the journal must be able to read back,
    /// whatever the settings say today.</summary>
    public const int RecordSizeMax = 80 << 20;

    // A thousand usual batches: the next longer file is far off, and writing it holds nobody up for more than a millisecond or two.
    private const int ZerosAhead = 1 << 20;

    // Batches that wait for consumers; beyond it the journal's writer waits, and with it the agents.
    private const int HandOverMax = 4096;

    private readonly Journal.Journal journal;
    private readonly SequenceLedger ledger;
    private readonly ClockGuard clock;
    private readonly SpoolMetrics metrics;
    private readonly ILogger logger;
    private readonly Func<long> sizeMax;
    private readonly SpoolProgress progress = new();
    private readonly SegmentAges ages = new();
    private readonly Channel<Committed> handOver = Channel.CreateBounded<Committed>(
        new BoundedChannelOptions(HandOverMax) { SingleReader = true, SingleWriter = true });

    private readonly Lock troubleGate = new(); // guards trouble
    private string? trouble;
    private long waitingBytes;
    private Task consuming = Task.CompletedTask;

    private BatchSpool(IFileSystem files, string directory, BatchSpoolParts parts)
    {
        (ledger, clock, metrics, logger, sizeMax) = (parts.Ledger, parts.Clock, parts.Metrics, parts.Logger, parts.SizeMax);
        journal = Journal.Journal.Open(files, directory, new JournalOptions
        {
            SegmentSizeMax = parts.SegmentSizeMax,
            RecordSizeMax = RecordSizeMax,
            PendingSizeMax = 2L * RecordSizeMax,
            ZerosAhead = ZerosAhead,
            Committed = OnCommitted,
        });
    }

    /// <summary>The journal's id, the incarnation in every LSN (K12).</summary>
    public Guid Incarnation => journal.Id;

    /// <summary>Committed bytes.</summary>
    public long SizeBytes => journal.SizeBytes;

    /// <summary>The journal's segments, oldest first.</summary>
    public IReadOnlyList<JournalSegment> Segments => journal.Segments;

    /// <summary>The newest receive time in each segment.</summary>
    public SegmentAges Ages => ages;

    /// <summary>Why the last append was not taken; null when it was.</summary>
    public string? Trouble
    {
        get
        {
            lock (troubleGate)
            {
                return trouble;
            }
        }
    }

    /// <summary>Batches committed and not yet applied.</summary>
    public long Behind => progress.Behind;

    /// <summary>Opens the journal in <paramref name="directory"/> and recovers it. Replay comes next, then the consumers, then appends.</summary>
    public static BatchSpool Open(IFileSystem files, string directory, BatchSpoolParts parts)
    {
        var spool = new BatchSpool(files, directory, parts);
        SpoolLog.Opened(parts.Logger, directory, spool.Incarnation, spool.journal.Segments.Count, spool.SizeBytes);
        var recovery = spool.journal.Recovery;
        if (recovery.TornBytes > 0)
        {
            SpoolLog.TailCut(parts.Logger, recovery.TornBytes);
        }

        foreach (var damage in recovery.Damage)
        {
            SpoolLog.Damaged(parts.Logger, damage.Segment, damage.Offset, damage.Reason, damage.SizeBytes, damage.SavedAs);
        }

        return spool;
    }

    /// <summary>Reads everything back: into the ledger what lies behind its snapshot, into the consumers all of it.</summary>
    public void Replay(IReadOnlyList<IBatchConsumer> consumers, TimeProvider time, CancellationToken stopping) =>
        new SpoolReplay(journal, ledger, clock, ages, metrics, logger).Run(consumers, time, stopping);

    /// <summary>Begins to feed the consumers with what is committed from now on.</summary>
    public void Start(IReadOnlyList<IBatchConsumer> consumers) => consuming = Task.Run(() => ConsumeAsync([.. consumers]));

    /// <summary>Appends one batch. On success the spool owns the lease; else it is the caller's still.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<SpoolResult> AppendAsync(SpoolEntry entry)
    {
        var head = SpoolRecord.WriteHead(entry.Pending.ReceivedAt, entry.Pending.Floor, entry.Verdict);
        var size = head.Length + entry.Frame.Length;
        var waiting = Interlocked.Add(ref waitingBytes, size);
        try
        {
            if (journal.SizeBytes + waiting > sizeMax())
            {
                Interlocked.Increment(ref metrics.AppendsRefusedFull);
                return Refused(entry, SpoolStatus.Full, $"the spool holds {journal.SizeBytes} bytes; max_spool_bytes is {sizeMax()}");
            }

            // Not cancelled when the client goes: the record may be in a group that is being written, and its outcome is awaited by its copies.
            await journal.AppendAsync(head, entry.Frame, entry, CancellationToken.None);
            EndTrouble();
            return new SpoolResult(SpoolStatus.Ok, "");
        }
        catch (JournalException e) when (e.IsNoSpace)
        {
            Interlocked.Increment(ref metrics.AppendsRefusedFull);
            return Refused(entry, SpoolStatus.Full, "the disk that holds the spool is full", e.Message);
        }
        catch (IOException e)
        {
            Interlocked.Increment(ref metrics.AppendsFailed);
            return Refused(entry, SpoolStatus.Failed, "the spool could not be written", e.Message);
        }
        finally
        {
            Interlocked.Add(ref waitingBytes, -size);
        }
    }

    /// <summary>Deletes every segment before <paramref name="segment"/>.</summary>
    public void DeleteBefore(uint segment)
    {
        journal.DeleteBefore(segment);
        ages.Forget(segment);
    }

    /// <inheritdoc/>
    public ValueTask WaitForAcknowledgedAsync(CancellationToken cancellationToken) => progress.WaitAsync(cancellationToken);

    /// <summary>Commits and applies what waits, then closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        await journal.DisposeAsync();
        handOver.Writer.TryComplete();
        await consuming;
    }

    private SpoolResult Refused(SpoolEntry entry, SpoolStatus status, string detail, string? cause = null)
    {
        ledger.RollBack(entry.Pending);
        lock (troubleGate)
        {
            if (trouble is null)
            {
                SpoolLog.TroubleBegan(logger, cause ?? detail);
            }

            trouble = detail;
        }

        return new SpoolResult(status, detail);
    }

    private void EndTrouble()
    {
        if (Volatile.Read(ref trouble) is null)
        {
            return;
        }

        lock (troubleGate)
        {
            if (trouble is not null)
            {
                SpoolLog.TroubleEnded(logger);
            }

            trouble = null;
        }
    }

    // On the journal's writer thread, in commit order.
    private void OnCommitted(JournalPosition position, object? state)
    {
        var entry = (SpoolEntry)state!;
        ledger.Commit(entry.Pending, position);
        clock.Note(entry.Pending.ReceivedAt);
        ages.Note(position.Segment, entry.Pending.ReceivedAt);
        Interlocked.Increment(ref metrics.RecordsCommitted);
        Interlocked.Add(ref metrics.BytesCommitted, entry.Frame.Length);
        progress.Committed();
        var batch = new Committed(entry.Lease, new AcceptedBatch
        {
            Position = position,
            ReceivedAt = entry.Pending.ReceivedAt,
            Batch = entry.Lease.Batch,
            Verdict = entry.Verdict,
            IsReplay = false,
            FrameBytes = entry.Frame.Length,
        });
        if (!handOver.Writer.TryWrite(batch))
        {
            // The writer waits for the consumers here: the bound on what may be acknowledged and not yet visible.
            handOver.Writer.WriteAsync(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
    }

    private async Task ConsumeAsync(IBatchConsumer[] consumers)
    {
        await foreach (var committed in handOver.Reader.ReadAllAsync(CancellationToken.None))
        {
            foreach (var consumer in consumers)
            {
                Apply(consumer, committed.Batch);
            }

            committed.Lease.Release();
            progress.Applied();
        }
    }

    private void Apply(IBatchConsumer consumer, AcceptedBatch batch)
    {
        try
        {
            consumer.Apply(batch);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The batch is durable and acknowledged; stopping here would stop everything behind it as well.
            Interlocked.Increment(ref metrics.ConsumerFailures);
            SpoolLog.ConsumerFailed(logger, e, batch.Position.Segment, batch.Position.Offset);
        }
    }

    private readonly record struct Committed(BatchLease Lease, AcceptedBatch Batch);
}

/// <summary>What a spool works with.</summary>
/// <param name="Ledger">Learns of each commit, in order.</param>
/// <param name="Clock">Learns of each receive time.</param>
/// <param name="Metrics">Its counters.</param>
/// <param name="Logger">Its log.</param>
/// <param name="SizeMax">max_spool_bytes as it is now.</param>
internal sealed record BatchSpoolParts(SequenceLedger Ledger, ClockGuard Clock, SpoolMetrics Metrics, ILogger Logger, Func<long> SizeMax)
{
    /// <summary>Bytes after which a new segment begins: what is deleted at a time.</summary>
    public long SegmentSizeMax { get; init; } = 64L << 20;
}
