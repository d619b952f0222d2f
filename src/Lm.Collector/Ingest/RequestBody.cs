using System.Buffers;
using Lm.Collector.Spool;
using Microsoft.AspNetCore.Connections;

namespace Lm.Collector.Ingest;

/// <summary>A request's body in a rented buffer that grows with what arrives, so that a declared length alone costs nothing.</summary>
internal sealed class RequestBody(MemoryBudget budget) : IDisposable
{
    private const int FirstSize = 16 << 10;

    private byte[] buffer = [];
    private int length;
    private long taken;

    /// <summary>What was read.</summary>
    public ReadOnlyMemory<byte> Bytes => buffer.AsMemory(0, length);

    /// <summary>Reads to the end.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sizeMax">Bytes that are allowed.</param>
    /// <param name="cancellationToken">The client went.</param>
    public async ValueTask<BodyStatus> ReadAsync(HttpRequest request, int sizeMax, CancellationToken cancellationToken)
    {
        var declared = request.ContentLength;
        if (!TryGrow(Math.Min(declared ?? FirstSize, FirstSize) + 1, sizeMax))
        {
            return BodyStatus.NoRoom;
        }

        while (true)
        {
            if (length == buffer.Length && !TryGrow(Math.Max((declared ?? 0) + 1, 2L * length), sizeMax))
            {
                return BodyStatus.NoRoom;
            }

            int read;
            try
            {
                read = await request.Body.ReadAsync(buffer.AsMemory(length), cancellationToken);
            }
            catch (IOException e) when (e is not (BadHttpRequestException or ConnectionResetException))
            {
                return BodyStatus.Broken; // a chunk size that overflows comes this way, other broken ones as BadHttpRequestException
            }

            length += read;
            if (length > sizeMax)
            {
                return BodyStatus.TooLarge;
            }

            if (read == 0 || length == declared)
            {
                return BodyStatus.Ok;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        budget.Return(taken);
        (buffer, length, taken) = ([], 0, 0);
    }

    // A declared length is believed once the first part has come: by then the sender has paid for it too.
    private bool TryGrow(long wanted, int sizeMax)
    {
        // Room for one byte more than is allowed: that is how a body of unknown length shows that it is too long.
        var size = (int)Math.Min(wanted, (long)sizeMax + 1);
        if (!budget.TryTake(size - taken))
        {
            return false;
        }

        taken = size;
        var larger = ArrayPool<byte>.Shared.Rent(size);
        Bytes.CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = larger;
        return true;
    }
}

/// <summary>How reading a body ended.</summary>
internal enum BodyStatus
{
    /// <summary>All of it is there.</summary>
    Ok = 0,

    /// <summary>It is longer than allowed.</summary>
    TooLarge,

    /// <summary>Its transfer coding is broken.</summary>
    Broken,

    /// <summary>The memory for bodies is in use.</summary>
    NoRoom,
}
