using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>The collector's journal of what it acknowledged: batches, remote-write requests, and its own <c>up</c> of the agents.</summary>
/// <remarks>
/// Invariants:
/// an append succeeds only after its record's sync; before its sender is answered, the ledger has its sequence and it stands in line for the consumers;
/// consumers see every batch once, in commit order, the same live as at replay;
/// a failed append leaves no trace in the ledger, and the next one works without a restart;
/// the ledger's snapshot is durable before a segment that it summarises is deleted (D4).
/// </remarks>
internal sealed class BatchSpool : IAcceptance, IAsyncDisposable
{
    /// <summary>The largest body that the settings allow, with room for the verdict's lists: what the journal must be able to read back,
    /// whatever the settings say today.</summary>
    public const int RecordSizeMax = 80 << 20;

    // A thousand usual batches: the next longer file is far off, and writing it holds nobody up for more than a millisecond or two.
    private const int ZerosAhead = 1 << 20;

    // Batches that wait for consumers; beyond it the journal's writer waits, and with it the agents.
    private const int HandOverMax = 4096;

    // Decompressed bytes of them: some hundredths of a second of what can come in. It bounds memory: requests hold theirs until they are applied, in buffers of powers of
    // two and beside what was decoded of them, two or three times as much in all.
    private const long HandOverBytesMax = 4L << 20;

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

    private readonly ManualResetEventSlim hasRoom = new(initialState: true); // among the bytes that wait for consumers
    private readonly Lock troubleGate = new(); // guards trouble
    private string? trouble;
    private long waitingBytes; // for the journal
    private long behindBytes; // for the consumers
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
            ReadsAllAtOpen = false, // most of it is in head and blocks: what is replayed is checked then
            Committed = OnCommitted,
        });
    }

    /// <summary>The journal's id, the incarnation in every LSN (K12).</summary>
    public Guid Incarnation => journal.Id;

    /// <summary>Where the next record goes, at the earliest.</summary>
    public JournalPosition End => journal.CommittedEnd;

    /// <summary>Committed bytes.</summary>
    public long SizeBytes => journal.SizeBytes;

    /// <summary>The journal's segments, oldest first.</summary>
    public IReadOnlyList<JournalSegment> Segments => journal.Segments;

    /// <summary>The newest receive time in each segment.</summary>
    public SegmentAges Ages => ages;

    /// <summary>Damaged stretches that were found since start: their records are not read any more.</summary>
    public int DamageFound => journal.Recovery.Damage.Count + journal.LateDamage.Count;

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

    /// <summary>Decompressed bytes of them.</summary>
    public long BehindBytes => Interlocked.Read(ref behindBytes);

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

    /// <summary>Reads everything back from a position on: into the ledger what lies behind its snapshot, into the consumers all of it.</summary>
    public void Replay(JournalPosition from, IReadOnlyList<IBatchConsumer> consumers, TimeProvider time, CancellationToken stopping)
    {
        new SpoolReplay(journal, ledger, clock, ages, metrics, logger).Run(from, consumers, time, stopping);
        foreach (var damage in journal.LateDamage)
        {
            SpoolLog.Damaged(logger, damage.Segment, damage.Offset, damage.Reason, damage.SizeBytes, damage.SavedAs);
        }
    }

    /// <summary>Reads records again from a position on, beside appends, up to what is committed when the end is reached.</summary>
    /// <param name="from">Where to begin: a record's position.</param>
    /// <returns>Each record's position, with its batch where it is one that can be read; what a batch views lasts until the next record.</returns>
    /// <exception cref="IOException">While enumerating: the journal cannot be read.</exception>
    public IEnumerable<SpooledRecord> Reread(JournalPosition from)
    {
        var batches = new BatchReader();
        foreach (var record in journal.Read(from))
        {
            if (!record.IsPreamble)
            {
                var isBatch = record.Payload.Span[0] is not (WriteRecord.Kind or UpRecord.Kind);
                yield return new SpooledRecord(
                    record.Position,
                    isBatch && batches.TryRead(record.Payload, out var head, out var frame) is null ? batches.Accepted(record.Position, head, frame) : null);
            }
        }
    }

    /// <summary>Begins to feed the consumers with what is committed from now on.</summary>
    public void Start(IReadOnlyList<IBatchConsumer> consumers) => consuming = Task.Run(() => ConsumeAsync([.. consumers]));

    /// <summary>Appends one batch. On success the spool owns the lease; else it is the caller's still.</summary>
    public ValueTask<SpoolResult> AppendAsync(SpoolEntry entry) =>
        AppendAsync(SpoolRecord.WriteHead(entry.Pending.ReceivedAt, entry.Pending.Floor, entry.Verdict), entry.Frame, entry);

    /// <summary>Appends one remote-write request. On success the spool owns the lease; else it is the caller's still.</summary>
    public ValueTask<SpoolResult> AppendAsync(WriteEntry entry) =>
        AppendAsync(WriteRecord.WriteHead(entry.Sender, entry.ReceivedAt, entry.Verdict), entry.Body, entry);

    /// <summary>Appends the collector's own <c>up</c> of one moment.</summary>
    public ValueTask<SpoolResult> AppendAsync(AcceptedUps ups) => AppendAsync(UpRecord.Write(ups.At, ups.Agents), default, ups);

    /// <summary>Reads committed records from a position on, oldest first, beside appends; ends with <see cref="FileNotFoundException"/> when a segment goes meanwhile.</summary>
    public IEnumerable<JournalRecord> Read(JournalPosition from) => journal.Read(from);

    /// <summary>The next record goes into a segment of this number, or of a later one.</summary>
    public void SkipTo(uint segment) => journal.SkipTo(segment);

    /// <summary>For reading records again, in parts.</summary>
    public PayloadReader OpenPayloads() => journal.OpenPayloads();

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
        hasRoom.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<SpoolResult> AppendAsync(byte[] head, ReadOnlyMemory<byte> body, object entry)
    {
        var size = head.Length + body.Length;
        var waiting = Interlocked.Add(ref waitingBytes, size);
        try
        {
            if (journal.SizeBytes + waiting > sizeMax())
            {
                Interlocked.Increment(ref metrics.AppendsRefusedFull);
                return Refused(entry, SpoolStatus.Full, $"the spool holds {journal.SizeBytes} bytes; max_spool_bytes is {sizeMax()}");
            }

            // Not cancelled when the client goes: the record may be in a group that is being written, and its outcome is awaited by its copies.
            await journal.AppendAsync(head, body, entry, CancellationToken.None);
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

    private SpoolResult Refused(object entry, SpoolStatus status, string detail, string? cause = null)
    {
        if (entry is SpoolEntry batch)
        {
            ledger.RollBack(batch.Pending);
        }

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
        var (committed, receivedAt, bytes) = state switch
        {
            SpoolEntry entry => CommitBatch(position, entry),
            WriteEntry entry => (CommittedWrite(position, entry), clock.NoteOwn(entry.ReceivedAt, new UnixMillis(entry.Lease.Content.NewestTime)), entry.Body.Length),
            AcceptedUps ups => (new Committed(null, null, null, ups with { Position = position }), clock.NoteOwn(ups.At, new UnixMillis(long.MinValue)), 0),
            _ => throw new UnreachableException("a record is one of these"),
        };
        if (committed.Batch is null)
        {
            ledger.Advance(position); // a batch's commit says so itself
        }

        ages.Note(position.Segment, receivedAt, committed.Batch?.Batch.Alerts.Length > 0);
        Interlocked.Increment(ref metrics.RecordsCommitted);
        Interlocked.Add(ref metrics.BytesCommitted, bytes);
        progress.Committed();
        if (!handOver.Writer.TryWrite(committed))
        {
            // The writer waits for the consumers here: the bound on what may be acknowledged and not yet visible.
            handOver.Writer.WriteAsync(committed, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        if (Interlocked.Add(ref behindBytes, committed.SizeBytes) > HandOverBytesMax)
        {
            WaitForRoom();
        }
    }

    // The same bound by bytes. One writer waits, and who makes room looks at the sum after taking from it: neither misses the other.
    private void WaitForRoom()
    {
        hasRoom.Reset();
        if (Interlocked.Read(ref behindBytes) > HandOverBytesMax)
        {
            hasRoom.Wait();
        }
    }

    private (Committed Committed, UnixMillis ReceivedAt, int Bytes) CommitBatch(JournalPosition position, SpoolEntry entry)
    {
        ledger.Commit(entry.Pending, position);
        clock.Note(entry.Pending.ReceivedAt);
        var batch = new AcceptedBatch
        {
            Position = position,
            ReceivedAt = entry.Pending.ReceivedAt,
            Batch = entry.Lease.Content,
            Verdict = entry.Verdict,
            IsReplay = entry.IsHistory,
            FrameBytes = entry.Frame.Length,
        };
        return (new Committed(entry.Lease, batch, null, null), batch.ReceivedAt, batch.FrameBytes);
    }

    private static Committed CommittedWrite(JournalPosition position, WriteEntry entry)
    {
        var write = new AcceptedWrite
        {
            Position = position,
            ReceivedAt = entry.ReceivedAt,
            Sender = entry.Sender,
            Write = entry.Lease.Content,
            Verdict = entry.Verdict,
        };
        return new Committed(null, null, new LeasedWrite(entry.Lease, write), null);
    }

    private async Task ConsumeAsync(IBatchConsumer[] consumers)
    {
        await foreach (var committed in handOver.Reader.ReadAllAsync(CancellationToken.None))
        {
            foreach (var consumer in consumers)
            {
                Apply(consumer, committed);
            }

            var size = committed.SizeBytes;
            committed.Lease?.Release();
            committed.Write?.Lease.Release();
            progress.Applied();
            if (Interlocked.Add(ref behindBytes, -size) <= HandOverBytesMax)
            {
                hasRoom.Set();
            }
        }
    }

    private void Apply(IBatchConsumer consumer, in Committed committed)
    {
        try
        {
            if (committed.Batch is { } batch)
            {
                consumer.Apply(batch);
            }
            else if (committed.Write is { } write)
            {
                consumer.Apply(write.Write);
            }
            else if (committed.Ups is { } ups)
            {
                consumer.Apply(ups);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The record is durable and acknowledged; stopping here would stop everything behind it as well.
            var position = committed.Position;
            metrics.CountConsumerFailure(e);
            SpoolLog.ConsumerFailed(logger, e, position.Segment, position.Offset);
        }
    }

    // One of the three.
    private readonly record struct Committed(Lease<DecodedBatch>? Lease, AcceptedBatch? Batch, LeasedWrite? Write, AcceptedUps? Ups)
    {
        public int SizeBytes => Lease?.Size ?? Write?.Lease.Size ?? 0;

        public JournalPosition Position => Batch?.Position ?? Write?.Write.Position ?? Ups?.Position ?? default;
    }

    private sealed record LeasedWrite(Lease<DecodedWrite> Lease, AcceptedWrite Write);
}

/// <summary>A record of the spool that is read again.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Batch">Its batch; null when it is none, or cannot be read.</param>
internal readonly record struct SpooledRecord(JournalPosition Position, AcceptedBatch? Batch);

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
