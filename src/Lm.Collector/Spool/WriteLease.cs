using System.Buffers;
using System.Collections.Concurrent;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>A decoded remote-write request and the payload that it views, rented. One owner at a time: the request until its append is under
/// way, then the spool until every consumer has applied it.</summary>
internal sealed class WriteLease
{
    private readonly WriteLeases home;
    private byte[] payload = [];

    internal WriteLease(WriteLeases home) => this.home = home;

    /// <summary>The request, once decoded.</summary>
    public DecodedWrite Write { get; } = new();

    /// <summary>Where the decompressed payload goes and stands.</summary>
    public Memory<byte> Payload => payload.AsMemory(0, Size);

    /// <summary>The payload's bytes.</summary>
    public int Size { get; private set; }

    internal void Begin(int size)
    {
        Size = size;
        payload = ArrayPool<byte>.Shared.Rent(size);
    }

    /// <summary>Gives everything back; the request must not be used any more.</summary>
    public void Release()
    {
        ArrayPool<byte>.Shared.Return(payload);
        payload = [];
        home.Return(this);
    }
}

/// <summary>Where leases come from; bounded by a <see cref="MemoryBudget"/>.</summary>
internal sealed class WriteLeases(MemoryBudget budget)
{
    // 64 of a few hundred kilobytes; the arrays of larger requests are given back by the decoder itself.
    private const int KeptMax = 64;

    private readonly ConcurrentBag<WriteLease> free = [];
    private int freeCount;

    /// <summary>Rents a lease for a payload.</summary>
    /// <returns>Null when the budget has no room now.</returns>
    public WriteLease? TryRent(int payloadSize)
    {
        if (!budget.TryTake(payloadSize))
        {
            return null;
        }

        if (free.TryTake(out var lease))
        {
            Interlocked.Decrement(ref freeCount);
        }

        lease ??= new WriteLease(this);
        lease.Begin(payloadSize);
        return lease;
    }

    internal void Return(WriteLease lease)
    {
        budget.Return(lease.Size);
        if (Volatile.Read(ref freeCount) < KeptMax)
        {
            Interlocked.Increment(ref freeCount);
            free.Add(lease);
        }
    }
}
