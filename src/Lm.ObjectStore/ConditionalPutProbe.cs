using System.Security.Cryptography;

namespace Lm.ObjectStore;

/// <summary>Finds out whether a store refuses a second conditional put of a key. Some servers answer 501, and some take the second one in silence.</summary>
public static class ConditionalPutProbe
{
    private const int ContentSize = 32;

    /// <summary>Puts a key that must be free twice, looks at what is there, and deletes it.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<ConditionalPuts> RunAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        var (first, second) = (RandomNumberGenerator.GetBytes(ContentSize), RandomNumberGenerator.GetBytes(ContentSize));
        try
        {
            // That the first one is there already can only be a try of it whose answer was lost: what is read below shows it.
            await store.PutAsync(key, ObjectContent.Of(first), PutCondition.IfAbsent, cancellationToken);
        }
        catch (ObjectStoreException e) when (e.Fault == ObjectStoreFault.NotSupported)
        {
            return ConditionalPuts.NotSupported;
        }

        try
        {
            var outcome = await store.PutAsync(key, ObjectContent.Of(second), PutCondition.IfAbsent, cancellationToken);
            var found = new byte[ContentSize];
            var range = await store.ReadAsync(key, 0, found, cancellationToken);
            var isFirst = range == new ObjectRange(ContentSize, ContentSize) && found.AsSpan().SequenceEqual(first);
            return outcome == PutOutcome.AlreadyThere && isFirst ? ConditionalPuts.Hold : ConditionalPuts.Overwrite;
        }
        finally
        {
            await TryDeleteAsync(store, key, cancellationToken);
        }
    }

    // The answer stands without it, and a key that stays is 32 bytes.
    private static async Task TryDeleteAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(key, cancellationToken);
        }
        catch (ObjectStoreException)
        {
        }
    }
}

/// <summary>What a store does with conditional puts.</summary>
public enum ConditionalPuts
{
    /// <summary>The second one is refused, as it must be.</summary>
    Hold = 0,

    /// <summary>It says that it cannot do them.</summary>
    NotSupported,

    /// <summary>It takes them all, and the last one wins.</summary>
    Overwrite,
}
