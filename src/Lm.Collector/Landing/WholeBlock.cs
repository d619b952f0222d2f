using Lm.ObjectStore;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>Whether a block in the store has all of its files. Its <c>meta.json</c> is put last and vouches for them; but where one was taken away since, by a person or a put that was overtaken, the block must not take the
/// place of those that it was made of.</summary>
internal static class WholeBlock
{
    /// <summary>What is missing of it; null when nothing.</summary>
    /// <param name="store">The store.</param>
    /// <param name="keys">Makes keys.</param>
    /// <param name="block">What its <c>meta.json</c> says.</param>
    /// <param name="sizes">Bytes of the objects that a list has, by key; one that came since is added.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<string?> FaultAsync(IObjectStore store, ObjectKeys keys, BlockMeta block, Dictionary<string, long> sizes, CancellationToken cancellationToken)
    {
        foreach (var file in block.Files)
        {
            var key = keys.Block(block.Id.ToString(), file.Path);
            if (!sizes.TryGetValue(key, out var size))
            {
                if (ObjectKey.Fault(key) is { } fault)
                {
                    return $"{key} is named by meta.json: {fault}"; // nothing of ours, so no store can be asked for it
                }

                if (await store.FindAsync(key, cancellationToken) is not { } since)
                {
                    return $"{key} is not there, and the block's meta.json is";
                }

                sizes[key] = size = since.SizeBytes;
            }

            if (size != file.SizeBytes && file.SizeBytes != 0) // others may say none
            {
                return $"{key} has {size} bytes, meta.json says {file.SizeBytes}";
            }
        }

        return null;
    }
}
