using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lm.Collector.Series;

/// <summary>What stands for the bytes that a sender names a series or label with: 128 bits of them, mixed with secrets of this process.</summary>
/// <remarks>Two names are taken for one when these are equal. Of ten million names some two do so by chance once in 10²⁴ times, and no sender can look for such two,
/// since it does not know the secrets. Comparing the names themselves would mean to keep them: 150 bytes and three cache misses for each series.</remarks>
/// <param name="A">A half, evenly spread.</param>
/// <param name="B">The other half.</param>
internal readonly record struct SeriesKey(ulong A, ulong B)
{
    private static readonly ulong[] Secrets = Draw();

    /// <summary>The key of some bytes.</summary>
    public static SeriesKey Of(ReadOnlySpan<byte> bytes) => Mix(new SeriesKey(Secrets[0], Secrets[1]), bytes);

    /// <summary>The key of two texts, wherever the one ends and the other begins.</summary>
    public static SeriesKey Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) => Mix(Of(first), second);

    // Two chains of folded 128-bit products over sixteen bytes at a time: each bit of the input reaches each bit of both halves.
    private static SeriesKey Mix(SeriesKey seed, ReadOnlySpan<byte> bytes)
    {
        var (a, b) = (seed.A ^ (ulong)bytes.Length, seed.B + (ulong)bytes.Length);
        var (c, d, e, f) = (Secrets[2], Secrets[3], Secrets[4], Secrets[5]);
        while (bytes.Length >= 16)
        {
            var (low, high) = (BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
            (a, b) = (Fold(low ^ c, high ^ a ^ d), Fold(high ^ e, low ^ b ^ f));
            bytes = bytes[16..];
        }

        Span<byte> rest = stackalloc byte[16];
        rest.Clear();
        bytes.CopyTo(rest);
        var (lowRest, highRest) = (BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]));
        (a, b) = (Fold(lowRest ^ c, highRest ^ a ^ d), Fold(highRest ^ e, lowRest ^ b ^ f));
        return new SeriesKey(Fold(a ^ e, d), Fold(b ^ c, f));
    }

    private static ulong Fold(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }

    private static ulong[] Draw()
    {
        var drawn = new ulong[6];
        foreach (ref var secret in drawn.AsSpan())
        {
            secret = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
        }

        return drawn;
    }
}
