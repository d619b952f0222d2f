using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lm.Platform;

/// <summary>Compares keys of bytes, and finds them by spans without making an array.</summary>
/// <remarks>The hash mixes eight bytes at a time with a secret of this process, so that no sender can choose keys that collide.</remarks>
public sealed class ByteKeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    /// <summary>The one instance.</summary>
    public static readonly ByteKeyComparer Instance = new();

    private readonly ulong seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly ulong factor = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;

    private ByteKeyComparer()
    {
    }

    /// <inheritdoc/>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    /// <inheritdoc/>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = seed ^ (ulong)alternate.Length;
        while (alternate.Length >= sizeof(ulong))
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(alternate));
            alternate = alternate[sizeof(ulong)..];
        }

        ulong rest = 0;
        foreach (var b in alternate)
        {
            rest = (rest << 8) | b;
        }

        hash = Mix(hash, rest);
        return (int)(hash ^ (hash >> 32));
    }

    // A folded 128-bit product: every bit of the input reaches every bit of the result.
    private ulong Mix(ulong hash, ulong next)
    {
        var high = Math.BigMul(hash ^ next, factor, out var low);
        return high ^ low ^ ulong.RotateLeft(hash, 23);
    }
}
