using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Spool;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.SharedLog;

/// <summary>Writes what the shared log made visible into the spool of this disk, in the log's order: from there on everything is as with records that came here.</summary>
/// <remarks>
/// The spool is a copy: what is in it was acknowledged by the log. A record that is in it already is told by its sequences and left out; remote write and <c>up</c>, which have none, may come twice
/// after a crash: a sample is told by its time (V20).
/// One caller at a time.
/// </remarks>
internal sealed class FoldedSpool(FoldedSpoolParts parts) : ILogConsumer
{
    // What is read at a time; one record may have more.
    private const int RunSize = 4 << 20;

    private static readonly TimeSpan RoomInterval = TimeSpan.FromMilliseconds(20);

    // Memory of its own: that of requests is held by those that wait for the very loop that folds.
    private const long MemoryMax = 64L << 20;

    private readonly FoldMemory memory = new(MemoryMax);
    private byte[] buffer = [];

    /// <summary>The requests that are being committed.</summary>
    public LogGroup? Group { get; set; }

    /// <summary>Whether what comes has just been committed, and is no history.</summary>
    public bool IsLive { get; set; }

    /// <summary>Told of commits whose records are not copied here.</summary>
    public Action<long, long> Skipped { get; init; } = static (_, _) => { };

    /// <summary>Told of a commit of whose records some are not copied here, or not whole, before the others are.</summary>
    public Action<long> Cut { get; init; } = static _ => { };

    /// <summary>Records that could not be read, and are left out.</summary>
    public long Damaged { get; private set; }

    /// <summary>Who wrote <c>up</c> last, as far as was seen; empty when nobody did.</summary>
    public string UpWriter { get; private set; } = "";

    /// <summary>When that was seen, by the process' clock.</summary>
    public long UpSeenAt { get; private set; }

    /// <inheritdoc/>
    public async ValueTask ApplyAsync(long number, DataCommit commit, bool[] visible, Draft? own, CancellationToken cancellationToken)
    {
        var chosen = commit.Entries.Where((_, index) => visible[index]).ToArray();
        if (Array.Exists(chosen, static entry => entry.Kind == UpRecord.Kind))
        {
            (UpWriter, UpSeenAt) = (commit.Writer, parts.Time.GetTimestamp());
        }

        if (own is not null && Group is { } group && ReferenceEquals(group.Draft, own))
        {
            await ApplyOwnAsync(number, commit, group, chosen, cancellationToken);
        }
        else
        {
            await ReadAsync(commit.Raw.Key, EntriesOf(number, chosen), cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask ApplyPartAsync(LogPart part, long after, CancellationToken cancellationToken)
    {
        if (part.Newest < parts.Horizon())
        {
            Skipped(part.First, part.Last);
            return; // it would be deleted here at once
        }

        if (await RawObjectReader.ReadAsync(parts.Store, part.Object.Key, cancellationToken) is not { } found)
        {
            throw Missing(part.Object.Key);
        }

        var manifest = found.Manifest
            ?? throw new LogHaltException($"{part.Object.Key} in {parts.Store.Description}, which holds commits {part.First} to {part.Last}, cannot be read: {found.Fault}");
        await ReadAsync(part.Object.Key, [.. manifest.Records.Where(record => RawBundle.CommitOf(record.Position) > after)], cancellationToken);
    }

    /// <inheritdoc/>
    public void Skip(long first, long last)
    {
        Skipped(first, last);
        SharedLogLog.Skipped(parts.Logger, first, last);
    }

    // It is committed, so its senders are answered whatever this disk says.
    private async Task ApplyOwnAsync(long number, DataCommit commit, LogGroup group, CommitEntry[] chosen, CancellationToken cancellationToken)
    {
        var appends = Array.ConvertAll(chosen, entry => AppendOwnAsync(group.Find(entry)));
        var isTaken = await Task.WhenAll(appends);
        var left = chosen.Where((_, index) => !isTaken[index]).ToArray();
        if (left.Length == 0)
        {
            return;
        }

        try
        {
            await ReadAsync(commit.Raw.Key, EntriesOf(number, left), cancellationToken);
        }
        catch (IOException e)
        {
            // Nothing more is taken until there is room: the commit comes again, by way of the store.
            SharedLogLog.CopyFailed(parts.Logger, number, e.Message);
            throw new IOException($"what was committed could not be written to the spool: {e.Message}", e);
        }
    }

    private async Task<bool> AppendOwnAsync(Waiting waiting)
    {
        var result = waiting.Entry switch
        {
            SpoolEntry batch => await parts.Spool.AppendAsync(batch),
            WriteEntry write => await parts.Spool.AppendAsync(write),
            _ => await parts.Spool.AppendAsync((AcceptedUps)waiting.Entry),
        };
        var isTaken = result.Status == SpoolStatus.Ok;
        if (!isTaken)
        {
            (waiting.Entry as SpoolEntry)?.Lease.Release();
            (waiting.Entry as WriteEntry)?.Lease.Release();
        }

        waiting.Answer(new SpoolResult(SpoolStatus.Ok, ""));
        return isTaken;
    }

    private static RawEntry[] EntriesOf(long number, CommitEntry[] chosen) =>
        Array.ConvertAll(chosen, entry => new RawEntry(RawBundle.PlaceOf(number, 0), entry.Kind, entry.Offset, entry.Size, 0, entry.Checksum));

    private async Task ReadAsync(string key, RawEntry[] records, CancellationToken cancellationToken)
    {
        for (var next = 0; next < records.Length;)
        {
            var (first, start) = (next, records[next].Offset);
            do
            {
                next++;
            }
            while (next < records.Length && records[next].Offset + records[next].Size - start <= RunSize);

            var size = (int)(records[next - 1].Offset + records[next - 1].Size - start);
            buffer = buffer.Length < size ? new byte[Math.Max(size, RunSize)] : buffer;
            var run = records.AsMemory(first, next - first);
            await ReadAsync(key, start, size, cancellationToken);
            if (!IsWhole(run.Span, start))
            {
                await ReadAsync(key, start, size, cancellationToken); // what is left out is left out for ever: not for one bad read
            }

            await AppendAsync(key, run, start, cancellationToken);
        }
    }

    private async Task ReadAsync(string key, long start, int size, CancellationToken cancellationToken)
    {
        var range = await parts.Store.ReadAsync(key, start, buffer.AsMemory(0, size), cancellationToken) ?? throw Missing(key);
        if (range.Count != size)
        {
            throw new ObjectStoreException(ObjectStoreFault.Damaged, $"{key} in {parts.Store.Description} has {range.ObjectSize} bytes, and a record at byte {start + size - 1}", cause: null);
        }
    }

    private bool IsWhole(ReadOnlySpan<RawEntry> records, long start)
    {
        foreach (var record in records)
        {
            if (Crc32C.Compute(buffer.AsSpan((int)(record.Offset - start), record.Size)) != record.Checksum)
            {
                return false;
            }
        }

        return true;
    }

    // All are under way before the first is awaited: one sync serves them.
    private async Task AppendAsync(string key, ReadOnlyMemory<RawEntry> records, long start, CancellationToken cancellationToken)
    {
        var appends = new List<Task<SpoolResult>>(records.Length);
        try
        {
            for (var i = 0; i < records.Length; i++)
            {
                var record = records.Span[i];
                if (await AppendAsync(record, buffer.AsMemory((int)(record.Offset - start), record.Size), appends, cancellationToken) is { } fault)
                {
                    Cut(RawBundle.CommitOf(record.Position));
                    Damaged++;
                    SharedLogLog.RecordDamaged(parts.Logger, key, record.Offset, fault);
                }
            }
        }
        finally
        {
            await Task.WhenAll(appends); // they read the buffer
        }

        foreach (var append in appends)
        {
            if (await append is { Status: not SpoolStatus.Ok } result)
            {
                throw new IOException($"what other collectors acknowledged could not be written to the spool: {result.Detail}");
            }
        }
    }

    private async ValueTask<string?> AppendAsync(RawEntry record, ReadOnlyMemory<byte> bytes, List<Task<SpoolResult>> appends, CancellationToken cancellationToken)
    {
        if (Crc32C.Compute(bytes.Span) != record.Checksum)
        {
            return "its checksum is wrong";
        }

        return record.Kind switch
        {
            WriteRecord.Kind => await AppendWriteAsync(record, bytes, appends, cancellationToken),
            UpRecord.Kind => AppendUps(bytes, appends),
            _ => await AppendBatchAsync(record, bytes, appends, cancellationToken),
        };
    }

    private async ValueTask<string?> AppendBatchAsync(RawEntry entry, ReadOnlyMemory<byte> record, List<Task<SpoolResult>> appends, CancellationToken cancellationToken)
    {
        if (SpoolRecord.TryRead(record, out var head, out var bytes) is { } fault)
        {
            return fault;
        }

        var status = FrameReader.TryRead(bytes.Span, BatchSpoolLimits.BatchBytesMax, out var frame);
        if (status != FrameStatus.Ok)
        {
            return FrameReader.Describe(status, bytes.Span, BatchSpoolLimits.BatchBytesMax);
        }

        var lease = await RentAsync(memory.Batches, frame.PayloadLength, cancellationToken);
        status = FrameReader.ReadPayload(bytes.Span, frame, lease.Payload.Span);
        var undecodable = "its frame cannot be decompressed";
        if (status != FrameStatus.Ok || BatchDecoder.Decode(lease.Payload, BatchSpoolLimits.Accepted, lease.Content, out undecodable) != DecodeStatus.Ok)
        {
            lease.Release();
            return undecodable;
        }

        if (parts.Ledger.TakeCommitted(lease.Content.Key, new FrameFingerprint(frame.Checksum, frame.Length), head.Floor, head.ReceivedAt) is not { } pending)
        {
            lease.Release(); // it is here
            return null;
        }

        var verdict = parts.Bound.Admit(lease, head.Verdict);
        try
        {
            NoteCut(entry, head.Verdict.DroppedSeries, verdict.DroppedSeries);
        }
        catch (IOException e)
        {
            parts.Ledger.RollBack(pending);
            Refuse(pending, e.Message);
            lease.Release();
            throw;
        }

        appends.Add(AppendAsync(new SpoolEntry(lease, verdict, pending, bytes) { IsHistory = !IsLive }));
        return null;
    }

    private async Task<SpoolResult> AppendAsync(SpoolEntry entry)
    {
        var result = await parts.Spool.AppendAsync(entry);
        if (result.Status == SpoolStatus.Ok)
        {
            entry.Pending.Complete(new FrameAck(entry.Pending.Key.Sequences, FrameOutcome.Accepted, 200, "", "", 0, 0));
        }
        else
        {
            Refuse(entry.Pending, result.Detail);
            entry.Lease.Release();
        }

        return result;
    }

    // Copies that came here meanwhile wait for it.
    private static void Refuse(PendingBatch pending, string detail) =>
        pending.Complete(IngestOutcome.Refuse(pending.Key.Sequences, 503, ProblemCode.SpoolFull, $"{detail}; keep the batch and send it again later"));

    private async ValueTask<string?> AppendWriteAsync(RawEntry entry, ReadOnlyMemory<byte> record, List<Task<SpoolResult>> appends, CancellationToken cancellationToken)
    {
        if (WriteRecord.TryRead(record, out var head, out var body) is { } fault)
        {
            return fault;
        }

        if (!SnappyBlock.TryReadLength(body.Span, out var size) || size > BatchSpoolLimits.BatchBytesMax)
        {
            return $"its body of {body.Length} bytes is no Snappy block of at most {BatchSpoolLimits.BatchBytesMax} bytes";
        }

        var lease = await RentAsync(memory.Writes, size, cancellationToken);
        var undecodable = "its body cannot be decompressed";
        if (!SnappyBlock.TryDecompress(body.Span, lease.Payload.Span)
            || !RemoteWriteDecoder.TryDecode(lease.Payload, WriteLimits.None with { SeriesMax = head.Verdict.SeriesEnd }, lease.Content, out undecodable))
        {
            lease.Release();
            return undecodable;
        }

        var verdict = parts.Bound.Admit(lease, head.Verdict);
        try
        {
            NoteCut(entry, head.Verdict.DroppedSeries, verdict.DroppedSeries);
        }
        catch (IOException)
        {
            lease.Release();
            throw;
        }

        appends.Add(AppendAsync(new WriteEntry(lease, verdict, head.Sender, head.ReceivedAt, body)));
        return null;
    }

    // There was room for these series where they were taken: queries here find them in the store, not nowhere.
    private void NoteCut(RawEntry entry, IReadOnlyList<int> droppedThere, IReadOnlyList<int> dropped)
    {
        if (dropped.Count > droppedThere.Count)
        {
            Cut(RawBundle.CommitOf(entry.Position));
        }
    }

    private async Task<SpoolResult> AppendAsync(WriteEntry entry)
    {
        var result = await parts.Spool.AppendAsync(entry);
        if (result.Status != SpoolStatus.Ok)
        {
            entry.Lease.Release();
        }

        return result;
    }

    private string? AppendUps(ReadOnlyMemory<byte> record, List<Task<SpoolResult>> appends)
    {
        var fault = UpRecord.TryRead(record.Span, out var at, out var agents);
        if (fault is null)
        {
            appends.Add(parts.Spool.AppendAsync(new AcceptedUps(default, at, agents, IsReplay: true)).AsTask());
        }

        return fault;
    }

    // The memory is bounded for all that is on its way, and comes back as it is applied, which waits for nothing here.
    private async ValueTask<Lease<T>> RentAsync<T>(Leases<T> leases, int size, CancellationToken cancellationToken)
    {
        memory.Wanted = size;
        while (true)
        {
            if (leases.TryRent(size) is { } lease)
            {
                return lease;
            }

            await Task.Delay(RoomInterval, parts.Time, cancellationToken);
        }
    }

    private LogObjectMissingException Missing(string key) => new($"{key} in {parts.Store.Description} is not there any more");
}

/// <summary>What it works with.</summary>
/// <param name="Store">The store.</param>
/// <param name="Spool">The spool.</param>
/// <param name="Ledger">The spool's ledger.</param>
/// <param name="Bound">The bound on series.</param>
/// <param name="Horizon">Records from before this time are not kept here.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">The log.</param>
internal sealed record FoldedSpoolParts(
    IObjectStore Store, BatchSpool Spool, SequenceLedger Ledger, SeriesBound Bound, Func<UnixMillis> Horizon, TimeProvider Time, ILogger Logger);

/// <summary>Memory for what is folded: so much at a time, or one record that is larger.</summary>
internal sealed class FoldMemory
{
    private long wanted;

    /// <summary>Makes one.</summary>
    public FoldMemory(long bytesMax)
    {
        var budget = new MemoryBudget(() => Math.Max(bytesMax, Wanted));
        (Batches, Writes) = (Leases.ForBatches(budget), Leases.ForWrites(budget));
    }

    /// <summary>For batches.</summary>
    public Leases<DecodedBatch> Batches { get; }

    /// <summary>For remote write.</summary>
    public Leases<DecodedWrite> Writes { get; }

    /// <summary>Bytes of the record that is next.</summary>
    public long Wanted
    {
        get => Volatile.Read(ref wanted);
        set => Volatile.Write(ref wanted, value);
    }
}
