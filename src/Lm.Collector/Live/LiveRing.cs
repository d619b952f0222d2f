using System.Runtime.InteropServices;

namespace Lm.Collector.Live;

/// <summary>The newest records as bytes, in a ring that one thread writes and another reads without ever keeping the writer waiting.</summary>
/// <remarks>
/// Places are counted from the first byte ever written and never start again; an entry stands in place modulo the ring's size and may wrap around.
/// The writer moves <see cref="Tail"/> on before it writes over the oldest entries, so a reader that finds the tail behind its place after it has copied an
/// entry has a whole one, and one that finds it beyond has lost the race and throws the copy away.
/// </remarks>
/// <param name="capacity">Its size, bytes; a power of two. The memory is touched as it fills.</param>
internal sealed class LiveRing(int capacity)
{
    private readonly byte[] ring = GC.AllocateUninitializedArray<byte>(capacity);
    private readonly int mask = capacity - 1;
    private long head;
    private long tail;
    private long number;

    /// <summary>Where the next entry goes.</summary>
    public long Head => Volatile.Read(ref head);

    /// <summary>The oldest entry that is still there.</summary>
    public long Tail => Volatile.Read(ref tail);

    private static int HeaderSize => Marshal.SizeOf<LiveEntry>();

    /// <summary>Writes an entry; one that would take more than a quarter of the ring is noted without its content.</summary>
    public void Append(LiveEntry entry, ReadOnlySpan<int> droppedSeries, ReadOnlySpan<int> droppedLogs, ReadOnlySpan<byte> payload)
    {
        var size = HeaderSize + (sizeof(int) * (long)(droppedSeries.Length + droppedLogs.Length)) + payload.Length;
        if (size > ring.Length / 4)
        {
            (entry.Kind, size) = (LiveEntryKind.TooLarge, HeaderSize);
            droppedSeries = droppedLogs = [];
            payload = [];
        }

        (entry.Size, entry.DroppedSeries, entry.DroppedLogs, entry.PayloadSize) = ((int)size, droppedSeries.Length, droppedLogs.Length, payload.Length);
        entry.Number = ++number;
        MakeRoom(size);
        var at = head;
        Write(ref at, MemoryMarshal.AsBytes(new ReadOnlySpan<LiveEntry>(in entry)));
        Write(ref at, MemoryMarshal.AsBytes(droppedSeries));
        Write(ref at, MemoryMarshal.AsBytes(droppedLogs));
        Write(ref at, payload);
        Volatile.Write(ref head, at);
    }

    /// <summary>Copies the entry at a place.</summary>
    /// <param name="at">The place: <see cref="Tail"/>, <see cref="Head"/> or what this gave.</param>
    /// <param name="into">Takes the entry; of no use when it is not <see cref="LiveRead.Read"/>.</param>
    /// <param name="next">The place behind the entry.</param>
    public LiveRead TryRead(long at, LiveRecord into, out long next)
    {
        next = at;
        if (at == Head)
        {
            return LiveRead.Nothing;
        }

        LiveEntry entry = default;
        var header = MemoryMarshal.AsBytes(new Span<LiveEntry>(ref entry));
        Read(at, header);
        if (!IsThere(at))
        {
            return LiveRead.Lost;
        }

        var content = into.Begin(entry);
        Read(at + header.Length, content);
        next = at + entry.Size;
        return IsThere(at) ? LiveRead.Read : LiveRead.Lost;
    }

    private bool IsThere(long at)
    {
        Interlocked.MemoryBarrier(); // the copy is made before the tail is read
        return at >= Tail;
    }

    private void MakeRoom(long size)
    {
        var oldest = tail;
        LiveEntry entry = default;
        while (head + size - oldest > ring.Length)
        {
            Read(oldest, MemoryMarshal.AsBytes(new Span<LiveEntry>(ref entry)));
            oldest += entry.Size;
        }

        Volatile.Write(ref tail, oldest);
        Interlocked.MemoryBarrier(); // the tail is seen before what is written over it
    }

    private void Write(ref long at, ReadOnlySpan<byte> bytes)
    {
        var start = (int)at & mask;
        var first = Math.Min(bytes.Length, ring.Length - start);
        bytes[..first].CopyTo(ring.AsSpan(start));
        bytes[first..].CopyTo(ring);
        at += bytes.Length;
    }

    private void Read(long at, Span<byte> into)
    {
        var start = (int)at & mask;
        var first = Math.Min(into.Length, ring.Length - start);
        ring.AsSpan(start, first).CopyTo(into);
        ring.AsSpan(0, into.Length - first).CopyTo(into[first..]);
    }
}

/// <summary>How a read of <see cref="LiveRing"/> ended.</summary>
internal enum LiveRead
{
    /// <summary>There is no entry yet.</summary>
    Nothing,

    /// <summary>It was copied.</summary>
    Read,

    /// <summary>It was written over.</summary>
    Lost,
}
