using System.Buffers;
using System.Security.Cryptography;
using Lm.Collector.Landing;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.SharedLog;

/// <summary>Records in memory, as the raw object that they become (docs/formats/raw.md). Where landing names a place in the spool, the place here is commit and entry.</summary>
/// <param name="collector">Who writes.</param>
/// <param name="id">The object's own id, in place of a spool's.</param>
internal sealed class RawBundle(string collector, Guid id)
{
    private const int EntryBits = 16;

    private readonly ArrayBufferWriter<byte> bytes = Begin();
    private readonly List<RawEntry> entries = [];
    private readonly SortedDictionary<(string Agent, UInt128 Queue), SequenceSet> queues = new(ByAgentAndQueue);

    private static readonly Comparer<(string Agent, UInt128 Queue)> ByAgentAndQueue = Comparer<(string Agent, UInt128 Queue)>.Create(static (x, y) =>
        string.CompareOrdinal(x.Agent, y.Agent) is not 0 and var byAgent ? byAgent : x.Queue.CompareTo(y.Queue));

    /// <summary>How many records.</summary>
    public int Count => entries.Count;

    /// <summary>Their bytes, and those of the header.</summary>
    public long SizeBytes => bytes.WrittenCount;

    /// <summary>The newest receive time.</summary>
    public UnixMillis Newest { get; private set; } = new(long.MinValue);

    private UnixMillis Oldest { get; set; } = new(long.MaxValue);

    /// <summary>The place of an entry of a commit; commit 0 in an object that no commit names yet.</summary>
    public static JournalPosition PlaceOf(long commit, int entry) => new(0, (commit << EntryBits) + entry);

    /// <summary>The commit of a place.</summary>
    public static long CommitOf(JournalPosition place) => place.Offset >> EntryBits;

    /// <summary>Adds a record.</summary>
    /// <param name="place">Its place; ascending.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="head">What stands before its frame or body.</param>
    /// <param name="body">Its frame or body.</param>
    /// <param name="receivedAt">When it came.</param>
    /// <param name="key">The batch's key; null when it is none.</param>
    /// <returns>Where it stands, and its checksum.</returns>
    public RawEntry Add(JournalPosition place, byte kind, ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, UnixMillis receivedAt, BatchKey? key)
    {
        var offset = bytes.WrittenCount;
        bytes.Write(head);
        bytes.Write(body);
        var entry = new RawEntry(place, kind, offset, head.Length + body.Length, body.IsEmpty ? 0 : head.Length, Crc32C.Compute(bytes.WrittenSpan[offset..]));
        entries.Add(entry);
        (Oldest, Newest) = (receivedAt < Oldest ? receivedAt : Oldest, receivedAt > Newest ? receivedAt : Newest);
        if (key is { } batch)
        {
            var queue = (batch.AgentId, batch.QueueId.Value);
            if (!queues.TryGetValue(queue, out var sequences))
            {
                queues.Add(queue, sequences = new SequenceSet());
            }

            sequences.Add(batch.Sequences);
        }

        return entry;
    }

    /// <summary>Puts the manifest behind the records.</summary>
    /// <returns>The object's bytes and its hash, hexadecimal. Nothing may be added any more.</returns>
    public (ReadOnlyMemory<byte> Bytes, string Hash) Finish()
    {
        var manifestOffset = bytes.WrittenCount;
        var last = entries[^1].Position;
        new RawManifest
        {
            Collector = collector,
            Incarnation = id,
            From = entries[0].Position,
            End = last with { Offset = last.Offset + 1 },
            Oldest = Oldest,
            Newest = Newest,
            Records = entries,
            Queues = [.. queues.Select(static queue => new RawQueue(queue.Key.Agent, new QueueId(queue.Key.Queue), queue.Value.Ranges))],
        }.Write(bytes);
        var hash = SHA256.HashData(bytes.WrittenSpan);
        bytes.Write(new RawTrailer(manifestOffset, bytes.WrittenCount - manifestOffset, hash).ToBytes());
        return (bytes.WrittenMemory, Convert.ToHexStringLower(hash));
    }

    private static ArrayBufferWriter<byte> Begin()
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        bytes.Write(RawManifest.Header());
        return bytes;
    }
}
