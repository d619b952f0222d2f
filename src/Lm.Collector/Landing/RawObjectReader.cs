using System.Buffers;
using System.Security.Cryptography;
using Lm.ObjectStore;

namespace Lm.Collector.Landing;

/// <summary>Reads raw objects back: their manifests, and whether they are whole.</summary>
internal static class RawObjectReader
{
    private const int ReadSize = 4 << 20;

    /// <summary>Reads the manifest of an object.</summary>
    /// <returns>What it says, or what is wrong with the object; null when it is not there.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<RawObject?> ReadAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(key, cancellationToken) is not { } info)
        {
            return null;
        }

        if (info.SizeBytes < RawTrailer.Size)
        {
            return RawObject.Faulty(EndFault(info));
        }

        // It may be deleted after each request: it is then as missing as if the first had said so, and not damaged.
        var end = new byte[RawTrailer.Size];
        if (await store.ReadAsync(key, info.SizeBytes - RawTrailer.Size, end, cancellationToken) is not { } endRange)
        {
            return null;
        }

        if (endRange != new ObjectRange(end.Length, info.SizeBytes))
        {
            return RawObject.Faulty(EndFault(info));
        }

        if (RawTrailer.TryRead(end, info.SizeBytes, out var trailer) is { } trailerFault)
        {
            return RawObject.Faulty(trailerFault);
        }

        var bytes = new byte[trailer.ManifestSize];
        if (await store.ReadAsync(key, trailer.ManifestOffset, bytes, cancellationToken) is not { } range)
        {
            return null;
        }

        if (range != new ObjectRange(bytes.Length, info.SizeBytes))
        {
            return RawObject.Faulty("it changed while it was read");
        }

        return RawManifest.TryRead(bytes, trailer.ManifestOffset, out var manifest) is { } manifestFault
            ? RawObject.Faulty(manifestFault)
            : new RawObject(manifest, trailer, info.SizeBytes, null);
    }

    /// <summary>Reads a whole object and compares its length and hash with what was put.</summary>
    /// <returns>Null, or what is wrong.</returns>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public static async Task<string?> VerifyAsync(IObjectStore store, string key, long size, ReadOnlyMemory<byte> hash, CancellationToken cancellationToken)
    {
        using var computing = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(size, ReadSize));
        try
        {
            for (var at = 0L; at < size;)
            {
                var wanted = (int)Math.Min(Math.Min(buffer.Length, ReadSize), size - at);
                if (await store.ReadAsync(key, at, buffer.AsMemory(0, wanted), cancellationToken) is not { } range)
                {
                    return "it is not there";
                }

                if (range.ObjectSize != size || range.Count != wanted)
                {
                    return $"it has {range.ObjectSize} bytes, {size} were put";
                }

                var vouched = (int)Math.Clamp(size - RawTrailer.Size - at, 0, wanted); // the trailer holds the hash and is not in it
                computing.AppendData(buffer.AsSpan(0, vouched));
                if (at + wanted == size && vouched < wanted && !IsTrailer(buffer.AsSpan(0, wanted), size, hash.Span))
                {
                    return "its end is another one";
                }

                at += wanted;
            }

            return computing.GetHashAndReset().AsSpan().SequenceEqual(hash.Span) ? null : "its SHA-256 is another one";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string EndFault(ObjectInfo info) => $"its {info.SizeBytes} bytes do not end as a raw object does";

    private static bool IsTrailer(ReadOnlySpan<byte> last, long size, ReadOnlySpan<byte> hash) =>
        last.Length < RawTrailer.Size || (RawTrailer.TryRead(last[^RawTrailer.Size..], size, out var trailer) is null && trailer.Hash.Span.SequenceEqual(hash));
}

/// <summary>A raw object as the store has it.</summary>
/// <param name="Manifest">What it holds; null when something is wrong.</param>
/// <param name="Trailer">Its last bytes.</param>
/// <param name="SizeBytes">Its bytes.</param>
/// <param name="Fault">What is wrong.</param>
internal sealed record RawObject(RawManifest? Manifest, RawTrailer Trailer, long SizeBytes, string? Fault)
{
    /// <summary>One that is not what it should be.</summary>
    public static RawObject Faulty(string fault) => new(null, default, 0, fault);
}
