using System.Buffers;
using System.Collections.Concurrent;
using Lm.Protocol;

namespace Lm.Collector.Spool;

/// <summary>A decoded batch and the payload it views, rented. One owner at a time: the request until its append is under way, then the spool
/// until every consumer has applied it.</summary>
internal sealed class BatchLease
{
    private readonly BatchLeases home;
    private byte[] payload = [];

    internal BatchLease(BatchLeases home) => this.home = home;

    /// <summary>The batch, once decoded.</summary>
    public DecodedBatch Batch { get; } = new();

    /// <summary>Where the decompressed payload goes and stands.</summary>
    public Memory<byte> Payload => payload.AsMemory(0, Size);

    /// <summary>The payload's bytes.</summary>
    public int Size { get; private set; }

    internal void Begin(int size)
    {
        Size = size;
        payload = ArrayPool<byte>.Shared.Rent(size);
    }

    /// <summary>Gives everything back; the batch must not be used any more.</summary>
    public void Release()
    {
        ArrayPool<byte>.Shared.Return(payload);
        payload = [];
        home.Return(this);
    }
}

/// <summary>Where leases come from; bounded by a <see cref="MemoryBudget"/>.</summary>
internal sealed class BatchLeases(MemoryBudget budget)
{
    // The arrays of a decoded batch grow with its payload and are kept with it; those of large ones are left to the collector, so that a
    // few hostile batches do not stay in memory for ever.
    private const int KeptPayloadMax = 256 << 10;
    private const int KeptMax = 64;

    private readonly ConcurrentBag<BatchLease> free = [];
    private int freeCount;

    /// <summary>Rents a lease for a payload.</summary>
    /// <returns>Null when the budget has no room now.</returns>
    public BatchLease? TryRent(int payloadSize)
    {
        if (!budget.TryTake(payloadSize))
        {
            return null;
        }

        if (free.TryTake(out var lease))
        {
            Interlocked.Decrement(ref freeCount);
        }

        lease ??= new BatchLease(this);
        lease.Begin(payloadSize);
        return lease;
    }

    internal void Return(BatchLease lease)
    {
        budget.Return(lease.Size);
        if (lease.Size <= KeptPayloadMax && Volatile.Read(ref freeCount) < KeptMax)
        {
            Interlocked.Increment(ref freeCount);
            free.Add(lease);
        }
    }
}
