using System.Buffers;
using System.Collections.Concurrent;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>A decoded batch or remote-write request and the payload it views, rented. One owner at a time: the request until its append is under way, then the
/// spool until every consumer has applied it.</summary>
/// <typeparam name="T">What is decoded.</typeparam>
internal sealed class Lease<T>
{
    private readonly Leases<T> home;
    private byte[] payload = [];
    private SeriesBound? bound;
    private int heldSeries;

    internal Lease(Leases<T> home, T content) => (this.home, Content) = (home, content);

    /// <summary>The batch or request, once decoded.</summary>
    public T Content { get; }

    /// <summary>Where the decompressed payload goes and stands.</summary>
    public Memory<byte> Payload => payload.AsMemory(0, Size);

    /// <summary>The payload's bytes.</summary>
    public int Size { get; private set; }

    /// <summary>Notes room taken for series; it is given back with the rest.</summary>
    public void Hold(SeriesBound from, int count) => (bound, heldSeries) = (from, heldSeries + count);

    internal void Begin(int size)
    {
        Size = size;
        payload = ArrayPool<byte>.Shared.Rent(size);
    }

    /// <summary>Gives everything back; the content must not be used any more.</summary>
    public void Release()
    {
        ArrayPool<byte>.Shared.Return(payload);
        payload = [];
        bound?.Return(heldSeries);
        (bound, heldSeries) = (null, 0);
        home.Return(this);
    }
}

/// <summary>Where leases come from; bounded by a <see cref="MemoryBudget"/>.</summary>
/// <typeparam name="T">What is decoded.</typeparam>
/// <param name="budget">The bound.</param>
/// <param name="make">Makes an empty one.</param>
/// <param name="keptPayloadMax">Contents of larger payloads are not kept for the next: their arrays grew with them, and a few hostile requests must not stay
/// in memory for ever.</param>
internal sealed class Leases<T>(MemoryBudget budget, Func<T> make, int keptPayloadMax)
{
    private const int KeptMax = 64;

    private readonly ConcurrentBag<Lease<T>> free = [];
    private int freeCount;

    /// <summary>Rents a lease for a payload.</summary>
    /// <returns>Null when the budget has no room now.</returns>
    public Lease<T>? TryRent(int payloadSize)
    {
        if (!budget.TryTake(payloadSize))
        {
            return null;
        }

        if (free.TryTake(out var lease))
        {
            Interlocked.Decrement(ref freeCount);
        }

        lease ??= new Lease<T>(this, make());
        lease.Begin(payloadSize);
        return lease;
    }

    internal void Return(Lease<T> lease)
    {
        budget.Return(lease.Size);
        if (lease.Size <= keptPayloadMax && Volatile.Read(ref freeCount) < KeptMax)
        {
            Interlocked.Increment(ref freeCount);
            free.Add(lease);
        }
    }
}

/// <summary>The two kinds of leases.</summary>
internal static class Leases
{
    private const int KeptPayloadMax = 256 << 10;

    /// <summary>For batches of agents.</summary>
    public static Leases<DecodedBatch> ForBatches(MemoryBudget budget) => new(budget, static () => new DecodedBatch(), KeptPayloadMax);

    /// <summary>For remote write, whose decoder gives the arrays of large requests back itself.</summary>
    public static Leases<DecodedWrite> ForWrites(MemoryBudget budget) => new(budget, static () => new DecodedWrite(), int.MaxValue);
}
