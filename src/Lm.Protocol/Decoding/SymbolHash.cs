using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Lm.Protocol.Decoding;

/// <summary>Hashes of symbols that nobody outside can foresee, so that nobody can prepare symbols that all fall into one slot.</summary>
/// <remarks>Source: Lemire and Kaser, "Strongly universal string hashing is fast" (2014), multilinear-HM: the upper half of a sum of
/// products with random keys. Of any two texts of one length the hashes are equal with a probability of 2^-32, over the keys, which each
/// process draws anew. Texts too long for the keys take the runtime's own hash (Marvin), which costs four times as much.</remarks>
internal static class SymbolHash
{
    /// <summary>Bytes of the longest text that the fast hash takes.</summary>
    public const int FastLengthMax = 64;

    private static readonly ulong[] Keys = DrawKeys();

    /// <summary>The fast hash. It is a sum, so that who could measure many of them exactly could learn its keys: for small tables alone, where
    /// all symbols in one slot are no great harm either.</summary>
    public static uint Fast(ReadOnlySpan<byte> text)
    {
        if (text.Length > FastLengthMax)
        {
            return Strong(text);
        }

        ReadOnlySpan<ulong> keys = Keys;
        var sum = keys[0] + (keys[1] * (uint)text.Length);
        if (text.Length < sizeof(ulong))
        {
            return (uint)((sum + Product(Short(text), keys[2], keys[3])) >> 32);
        }

        // Whole words, and the last one again with what is left, which may overlap: the length tells where.
        var key = 2;
        for (var at = 0; at < text.Length - sizeof(ulong); at += sizeof(ulong), key += 2)
        {
            sum += Product(BinaryPrimitives.ReadUInt64LittleEndian(text[at..]), keys[key], keys[key + 1]);
        }

        return (uint)((sum + Product(BinaryPrimitives.ReadUInt64LittleEndian(text[^sizeof(ulong)..]), keys[key], keys[key + 1])) >> 32);
    }

    /// <summary>The runtime's hash. An odd last byte and the length are mixed in behind it: that adds at most 256 ways to collide on purpose
    /// with each hash that cannot be known.</summary>
    public static uint Strong(ReadOnlySpan<byte> text)
    {
        var hash = (uint)string.GetHashCode(MemoryMarshal.Cast<byte, char>(text));
        var last = (text.Length & 1) == 0 ? 0 : text[^1] + 1u;
        return (hash ^ last) * 0x9E3779B1;
    }

    private static ulong Product(ulong word, ulong low, ulong high) => (low + (uint)word) * (high + (word >> 32));

    // Up to seven bytes as a number.
    private static ulong Short(ReadOnlySpan<byte> text)
    {
        if (text.Length >= sizeof(uint))
        {
            return BinaryPrimitives.ReadUInt32LittleEndian(text)
                | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(text[^sizeof(uint)..]) << 32);
        }

        return text.IsEmpty ? 0 : text[0] | ((uint)text[text.Length / 2] << 8) | ((uint)text[^1] << 16);
    }

    private static ulong[] DrawKeys()
    {
        // Two for the length, and two for each word of eight bytes.
        var keys = new ulong[2 + (FastLengthMax / sizeof(ulong) * 2)];
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(keys.AsSpan()));
        return keys;
    }
}
