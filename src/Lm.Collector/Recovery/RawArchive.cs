using System.Globalization;
using System.Runtime.CompilerServices;
using Lm.Collector.Landing;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Recovery;

/// <summary>What landed of a collector's spools: its lives (K12), their raw objects, and the records in them.</summary>
/// <param name="store">The store.</param>
/// <param name="keys">Makes keys.</param>
/// <param name="collector">The collector's name.</param>
internal sealed class RawArchive(IObjectStore store, ObjectKeys keys, string collector)
{
    // The footer of an object of a thousand records or two: one request for most.
    private const int TailSize = 64 << 10;

    // What is asked for at once. A record may be longer.
    private const int RunSize = 4 << 20;

    private const int IncarnationDigits = 32;

    /// <summary>Finds out whether this is a store at all: a folder whose disk is not mounted lists as empty, and that must not pass for an answer.</summary>
    /// <exception cref="ObjectStoreException">Nothing can be put.</exception>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var key = keys.Probe(Guid.NewGuid());
        await store.PutAsync(key, ObjectContent.Of("?"u8.ToArray()), PutCondition.None, cancellationToken);
        await store.DeleteAsync(key, cancellationToken);
    }

    /// <summary>Lists the raw objects of all lives but one.</summary>
    /// <param name="own">The life that is left out.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<IReadOnlyList<RawLife>> ListAsync(Guid own, CancellationToken cancellationToken)
    {
        var folder = keys.RawFolder(collector);
        var lives = new List<RawLife>();
        var after = "";
        for (var hasMore = true; hasMore;)
        {
            var page = await store.ListAsync(folder, after, ObjectPage.SizeMax, cancellationToken);
            hasMore = page.HasMore;
            foreach (var each in page.Objects)
            {
                after = each.Key;
                if (IncarnationOf(each.Key.AsSpan(folder.Length)) is not { } incarnation || !ObjectKeys.TryReadRaw(each.Key, out var segment, out var offset))
                {
                    continue;
                }

                if (incarnation == own)
                {
                    // A busy life of years has many: the list goes on behind all of them.
                    (after, hasMore) = (keys.RawFolder(collector, own) + "~", true);
                    break;
                }

                if (lives.Count == 0 || lives[^1].Incarnation != incarnation)
                {
                    lives.Add(new RawLife(incarnation, []));
                }

                lives[^1].Objects.Add(new RawPlace(each.Key, each.SizeBytes, new JournalPosition(segment, offset)));
            }
        }

        return lives;
    }

    /// <summary>Reads the manifest of an object whose size is known.</summary>
    /// <returns>What it says, or what is wrong with the object; null when the store says that there is no such object.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<RawObject?> ReadManifestAsync(RawPlace place, CancellationToken cancellationToken)
    {
        var tail = new byte[Math.Min(place.SizeBytes, TailSize)];
        if (await store.ReadAsync(place.Key, place.SizeBytes - tail.Length, tail, cancellationToken) is not { } range)
        {
            return null;
        }

        if (range != new ObjectRange(tail.Length, place.SizeBytes) || tail.Length < RawTrailer.Size)
        {
            return RawObject.Faulty($"its {range.ObjectSize} bytes do not end as a raw object does");
        }

        if (RawTrailer.TryRead(tail.AsSpan(tail.Length - RawTrailer.Size), place.SizeBytes, out var trailer) is { } trailerFault)
        {
            return RawObject.Faulty(trailerFault);
        }

        var before = tail.AsMemory(0, tail.Length - RawTrailer.Size);
        var bytes = trailer.ManifestSize <= before.Length ? before[^trailer.ManifestSize..] : new byte[trailer.ManifestSize];
        if (bytes.Length > before.Length && await store.ReadAsync(place.Key, trailer.ManifestOffset, bytes, cancellationToken) is null)
        {
            return null;
        }

        return RawManifest.TryRead(bytes.Span, trailer.ManifestOffset, out var manifest) is { } fault
            ? RawObject.Faulty(fault)
            : new RawObject(manifest, trailer, place.SizeBytes, null);
    }

    /// <summary>Whether a new list has an object: "not found" may be the word of a proxy before the store, and what is passed over on it would be lost in silence.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<bool> IsListedAsync(RawPlace place, CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(place.Key, "", 1, cancellationToken);
        return page.Objects is [var first] && first.Key == place.Key;
    }

    /// <summary>Finds the newest of the files that a life landed beside its records, under keys that end so.</summary>
    /// <returns>For each life but one its key.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task<IReadOnlyDictionary<Guid, ObjectInfo>> ListStatesAsync(string ending, Guid own, CancellationToken cancellationToken)
    {
        var folder = keys.StateRoot(collector);
        var newest = new Dictionary<Guid, ObjectInfo>();
        var after = "";
        for (var hasMore = true; hasMore;)
        {
            var page = await store.ListAsync(folder, after, ObjectPage.SizeMax, cancellationToken);
            foreach (var each in page.Objects)
            {
                after = each.Key;
                if (each.Key.EndsWith(ending, StringComparison.Ordinal) && IncarnationOf(each.Key.AsSpan(folder.Length)) is { } life && life != own)
                {
                    newest[life] = each; // names ascend as places in the spool do
                }
            }

            hasMore = page.HasMore;
        }

        return newest;
    }

    /// <summary>Reads a whole object.</summary>
    /// <returns>Null when it is not there any more, or changed meanwhile.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked, or it is larger than is allowed.</exception>
    public async Task<byte[]?> ReadWholeAsync(ObjectInfo info, int sizeMax, CancellationToken cancellationToken)
    {
        if (info.SizeBytes > sizeMax)
        {
            throw new ObjectStoreException(ObjectStoreFault.Failed, $"{info.Key} in {store.Description} has {info.SizeBytes} bytes; at most {sizeMax} are expected", cause: null);
        }

        var bytes = new byte[info.SizeBytes];
        return await store.ReadAsync(info.Key, 0, bytes, cancellationToken) == new ObjectRange(bytes.Length, bytes.Length) ? bytes : null;
    }

    /// <summary>Reads an object's records, each checked against its checksum; what a record's bytes view lasts until the next one.</summary>
    /// <param name="key">The object.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store cannot be asked, or the object is gone.</exception>
    public async IAsyncEnumerable<RawRecord> ReadRecordsAsync(string key, RawManifest manifest, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = Array.Empty<byte>();
        var records = manifest.Records;
        for (var next = 0; next < records.Count;)
        {
            var (first, start) = (next, records[next].Offset);
            do
            {
                next++;
            }
            while (next < records.Count && records[next].Offset + records[next].Size - start <= RunSize);

            var size = (int)(records[next - 1].Offset + records[next - 1].Size - start);
            buffer = buffer.Length < size ? new byte[Math.Max(size, RunSize)] : buffer;
            if (await store.ReadAsync(key, start, buffer.AsMemory(0, size), cancellationToken) is not { } range || range.Count != size)
            {
                throw new ObjectStoreException(ObjectStoreFault.Failed, $"{key} in {store.Description} was there and is not any more, or is cut short", cause: null);
            }

            for (var i = first; i < next; i++)
            {
                var bytes = buffer.AsMemory((int)(records[i].Offset - start), records[i].Size);
                yield return new RawRecord(records[i], bytes, Crc32C.Compute(bytes.Span) == records[i].Checksum);
            }
        }
    }

    private static Guid? IncarnationOf(ReadOnlySpan<char> path) =>
        path.Length > IncarnationDigits && path[IncarnationDigits] == '/' && Guid.TryParseExact(path[..IncarnationDigits], "N", out var incarnation) ? incarnation : null;
}

/// <summary>One life of a spool, as far as it landed.</summary>
/// <param name="Incarnation">Its id.</param>
/// <param name="Objects">Its raw objects, in the order of the spool.</param>
internal sealed record RawLife(Guid Incarnation, List<RawPlace> Objects)
{
    /// <summary>Its id as it stands in keys.</summary>
    public string Name => Incarnation.ToString("N", CultureInfo.InvariantCulture);
}

/// <summary>A raw object as a list tells of it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="First">Where its first record stood in the spool.</param>
internal sealed record RawPlace(string Key, long SizeBytes, JournalPosition First);

/// <summary>A record of a raw object.</summary>
/// <param name="Entry">What the manifest says of it.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="IsWhole">Whether they have the manifest's checksum.</param>
internal readonly record struct RawRecord(RawEntry Entry, ReadOnlyMemory<byte> Bytes, bool IsWhole);
