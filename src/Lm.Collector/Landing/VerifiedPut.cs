using System.Buffers;
using Lm.ObjectStore;

namespace Lm.Collector.Landing;

/// <summary>Puts files whose name says what is in them: the same bytes under the same key, whoever puts them when; each is read back and compared.</summary>
/// <param name="store">The store.</param>
/// <param name="metrics">Counts what was not stored as it was put.</param>
/// <param name="logger">The log.</param>
internal sealed class VerifiedPut(IObjectStore store, LandingMetrics metrics, ILogger logger)
{
    private const int CompareSize = 1 << 20;

    /// <summary>Puts one, and returns once it was read back and is what was put.</summary>
    /// <exception cref="IOException">Store or disk failed, or it is not what was put: then it was deleted.</exception>
    public async Task RunAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        await store.PutAsync(key, content, PutCondition.None, cancellationToken);
        if (await DiffersAsync(key, content, cancellationToken) is not { } fault)
        {
            return;
        }

        metrics.VerificationFailed();
        LandingLog.PutDamaged(logger, key, fault);
        await store.DeleteAsync(key, cancellationToken);
        throw new ObjectStoreException(ObjectStoreFault.Damaged, $"{key} in {store.Description} was not as it was put: {fault}", cause: null);
    }

    private async Task<string?> DiffersAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        var size = (int)Math.Clamp(content.Length, 1, CompareSize);
        var (there, here) = (ArrayPool<byte>.Shared.Rent(size), ArrayPool<byte>.Shared.Rent(size));
        try
        {
            for (var at = 0L; at < content.Length; at += size)
            {
                var wanted = (int)Math.Min(size, content.Length - at);
                if (await store.ReadAsync(key, at, there.AsMemory(0, wanted), cancellationToken) != new ObjectRange(wanted, content.Length))
                {
                    return $"it does not have {content.Length} bytes";
                }

                if (content.Read(at, here.AsSpan(0, wanted)) != wanted || !here.AsSpan(0, wanted).SequenceEqual(there.AsSpan(0, wanted)))
                {
                    return $"it differs between bytes {at} and {at + wanted}";
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(there);
            ArrayPool<byte>.Shared.Return(here);
        }
    }
}
