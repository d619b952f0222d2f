using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Lm.Logs.Files;

/// <summary>Which runs of four bytes the bodies of some frames may hold: one bit for each hash of such a run.</summary>
/// <remarks>
/// Never rules out what is there: a text that a body contains, wherever and inside whatever word, has only runs that the body has. A text of fewer than four
/// bytes is never ruled out. Why four bytes, one hash and this size: docs/decisions/0015-log-files.md.
/// </remarks>
internal sealed class GramFilter
{
    /// <summary>Bytes of a run.</summary>
    public const int GramBytes = 4;

    /// <summary>Bytes of a filter while it is filled; stored are as few as keep it half empty.</summary>
    public const int SizeMax = 8192;

    private const int SizeMin = 64;

    // Runs of a text that are looked up: more tell nothing new.
    private const int HashesMax = 64;

    // A byte for each bit while it is filled: to set one is a store, and waits for no other. Set ones have the sign bit.
    private const byte Set = 0x80;

    private readonly byte[] flags = new byte[SizeMax * 8];

    /// <summary>Whether more than half of its bits are set: it would rule out too little with more in it.</summary>
    public bool IsFull => flags.AsSpan().Count(Set) > SizeMax * 8 / 2;

    /// <summary>Adds a body.</summary>
    public void Add(ReadOnlySpan<byte> body)
    {
        const int grams = sizeof(ulong) - GramBytes + 1; // that eight bytes have
        var to = flags;
        var i = 0;
        for (; i + sizeof(ulong) <= body.Length; i += grams)
        {
            var eight = BinaryPrimitives.ReadUInt64LittleEndian(body[i..]);
            to[Hash((uint)eight)] = Set;
            to[Hash((uint)(eight >> 8))] = Set;
            to[Hash((uint)(eight >> 16))] = Set;
            to[Hash((uint)(eight >> 24))] = Set;
            to[Hash((uint)(eight >> 32))] = Set;
        }

        for (; i + GramBytes <= body.Length; i++)
        {
            to[Hash(BinaryPrimitives.ReadUInt32LittleEndian(body[i..]))] = Set;
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => Array.Clear(flags);

    /// <summary>The filter as it is stored: halves are laid upon each other while no more than half of the bits are set.</summary>
    public byte[] ToBytes()
    {
        var folded = Bits();
        var length = folded.Length;
        while (length * sizeof(ulong) > SizeMin)
        {
            var half = new ulong[length / 2];
            var set = 0;
            for (var i = 0; i < half.Length; i++)
            {
                half[i] = folded[i] | folded[i + half.Length];
                set += BitOperations.PopCount(half[i]);
            }

            if (set > half.Length * 64 / 2)
            {
                break;
            }

            (folded, length) = (half, half.Length);
        }

        var stored = new byte[length * sizeof(ulong)];
        for (var i = 0; i < length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(stored.AsSpan(i * sizeof(ulong)), folded[i]);
        }

        return stored;
    }

    /// <summary>What is looked up for a text.</summary>
    public static ushort[] HashesOf(ReadOnlySpan<byte> text)
    {
        var hashes = new HashSet<ushort>();
        for (var i = 0; i + GramBytes <= text.Length && hashes.Count < HashesMax; i++)
        {
            hashes.Add((ushort)Hash(BinaryPrimitives.ReadUInt32LittleEndian(text[i..])));
        }

        return [.. hashes];
    }

    /// <summary>Whether a stored filter's bodies may hold a text.</summary>
    public static bool MayHold(ReadOnlySpan<byte> stored, ReadOnlySpan<ushort> hashes)
    {
        var mask = (stored.Length * 8) - 1;
        foreach (var hash in hashes)
        {
            var bit = hash & mask;
            if ((stored[bit >> 3] & (1 << (bit & 7))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether bytes have a length that filters have.</summary>
    public static bool IsSize(int bytes) => bytes is >= SizeMin and <= SizeMax && BitOperations.IsPow2(bytes);

    // The upper half of a product by the golden ratio: each bit of the run reaches it.
    private static uint Hash(uint gram) => (gram * 0x9E3779B1) >> 16;

    private ulong[] Bits()
    {
        var bits = new ulong[flags.Length / 64];
        for (var i = 0; i < flags.Length; i += Vector128<byte>.Count)
        {
            bits[i / 64] |= (ulong)Vector128.Create(flags.AsSpan(i, Vector128<byte>.Count)).ExtractMostSignificantBits() << (i % 64);
        }

        return bits;
    }
}
