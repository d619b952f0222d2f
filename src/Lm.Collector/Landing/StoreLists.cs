using System.Runtime.CompilerServices;
using Lm.ObjectStore;

namespace Lm.Collector.Landing;

/// <summary>Lists of any length, and small objects whole.</summary>
internal static class StoreLists
{
    private const int FirstRead = 16 << 10;

    /// <summary>All keys that begin so, in order.</summary>
    /// <exception cref="ObjectStoreException">While enumerating: the store cannot be asked.</exception>
    public static async IAsyncEnumerable<string> KeysAsync(IObjectStore store, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var each in ObjectsAsync(store, prefix, cancellationToken))
        {
            yield return each.Key;
        }
    }

    /// <summary>All objects whose keys begin so, in their order.</summary>
    /// <exception cref="ObjectStoreException">While enumerating: the store cannot be asked.</exception>
    public static async IAsyncEnumerable<ObjectInfo> ObjectsAsync(IObjectStore store, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = "";
        for (var hasMore = true; hasMore;)
        {
            var page = await store.ListAsync(prefix, after, ObjectPage.SizeMax, cancellationToken);
            foreach (var each in page.Objects)
            {
                after = each.Key;
                // What others put there under names that we have none of is theirs.
                if (ObjectKey.Fault(after) is null)
                {
                    yield return each;
                }
            }

            hasMore = page.HasMore;
        }
    }

    /// <summary>An object's bytes.</summary>
    /// <returns>Null when it is not there; of one that is larger than is allowed, its size alone.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<SmallObject?> ReadWholeAsync(IObjectStore store, string key, int sizeMax, CancellationToken cancellationToken)
    {
        var bytes = new byte[Math.Min(FirstRead, sizeMax)];
        if (await store.ReadAsync(key, 0, bytes, cancellationToken) is not { } range)
        {
            return null;
        }

        if (range.ObjectSize > sizeMax)
        {
            return new SmallObject(null, range.ObjectSize);
        }

        var first = range.Count;
        Array.Resize(ref bytes, (int)range.ObjectSize);
        return first == bytes.Length || await store.ReadAsync(key, first, bytes.AsMemory(first), cancellationToken) == new ObjectRange(bytes.Length - first, bytes.Length)
            ? new SmallObject(bytes, bytes.Length)
            : throw new ObjectStoreException(ObjectStoreFault.Failed, $"{key} in {store.Description} changed while it was read", cause: null);
    }
}

/// <summary>An object that is read whole.</summary>
/// <param name="Bytes">Its bytes; null where they are too many.</param>
/// <param name="SizeBytes">How many they are.</param>
internal readonly record struct SmallObject(byte[]? Bytes, long SizeBytes);
