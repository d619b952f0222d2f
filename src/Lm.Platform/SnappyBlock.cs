using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Lm.Platform;

/// <summary>Decompresses the block format of Snappy (not the framed one), as Prometheus remote write sends it.</summary>
/// <remarks>
/// Source: google/snappy, format_description.txt. A block is a varint with the length after decompression, then elements: literals, which bring
/// bytes, and copies of bytes that were written before. Why our own and not a package: decision 0013.
/// Nothing is read or written outside the two spans, whatever the bytes are; nothing is allocated.
/// </remarks>
public static class SnappyBlock
{
    // A copy of 64 bytes is an element of 3 at least: no valid block grows by more.
    private const long GrowthNumerator = 64;
    private const long GrowthDenominator = 3;

    private const int Step = 16;

    /// <summary>Reads the length after decompression, so that it can be checked before memory is taken for it.</summary>
    /// <param name="source">The block.</param>
    /// <param name="length">Bytes after decompression; 0 when the result is false.</param>
    /// <returns>False when the block does not begin with a length of at most 31 bits, or one that no block of this size can decompress to.</returns>
    public static bool TryReadLength(ReadOnlySpan<byte> source, out int length) => TryReadHeader(source, out length, out _);

    /// <summary>Decompresses a whole block.</summary>
    /// <param name="source">The block.</param>
    /// <param name="destination">As long as <see cref="TryReadLength"/> says. Its content is undefined when the result is false.</param>
    /// <returns>False when the source is not exactly one valid block that fills the destination exactly.</returns>
    public static bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination) =>
        TryReadHeader(source, out var length, out var headerSize)
        && length == destination.Length
        && TryDecode(source[headerSize..], destination);

    private static bool TryReadHeader(ReadOnlySpan<byte> source, out int length, out int headerSize)
    {
        (length, headerSize) = (0, 0);
        long value = 0;
        for (var shift = 0; shift < 35 && headerSize < source.Length; shift += 7)
        {
            var next = source[headerSize++];
            value |= (long)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                var isPossible = value <= int.MaxValue && value * GrowthDenominator <= (source.Length - headerSize) * GrowthNumerator;
                length = isPossible ? (int)value : 0;
                return isPossible;
            }
        }

        return false;
    }

    private static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination);
        nint at = 0, written = 0;
        while (at < source.Length)
        {
            int tag = Unsafe.Add(ref from, at++);
            if ((tag & 3) == 0)
            {
                if (!TryReadLiteralLength(source, tag, ref at, out var literal) || literal > destination.Length - written)
                {
                    return false;
                }

                CopyLiteral(ref Unsafe.Add(ref from, at), source.Length - at, ref Unsafe.Add(ref to, written), destination.Length - written, literal);
                at += literal;
                written += literal;
                continue;
            }

            if (!TryReadCopy(source, tag, ref at, out var length, out var offset) || offset == 0 || offset > written || length > destination.Length - written)
            {
                return false;
            }

            CopyBack(ref Unsafe.Add(ref to, written), destination.Length - written, length, offset);
            written += length;
        }

        return written == destination.Length;
    }

    // 1 to 60 stand in the tag; 61 to 64 say that the length less one follows in as many bytes less 60.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadLiteralLength(ReadOnlySpan<byte> source, int tag, ref nint at, out nint length)
    {
        length = (tag >> 2) + 1;
        if (length > 60)
        {
            var bytes = (int)length - 60;
            if (source.Length - at < bytes)
            {
                return false;
            }

            uint stored = 0;
            for (var i = 0; i < bytes; i++)
            {
                stored |= (uint)source[(int)at + i] << (8 * i);
            }

            at += bytes;
            length = (nint)((long)stored + 1);
        }

        return length <= source.Length - at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryReadCopy(ReadOnlySpan<byte> source, int tag, ref nint at, out nint length, out nint offset)
    {
        (length, offset) = ((tag >> 2) + 1, 0);
        var rest = source[(int)at..];
        switch (tag & 3)
        {
            case 1 when rest.Length >= 1:
                length = ((tag >> 2) & 7) + 4;
                offset = ((tag >> 5) << 8) | rest[0];
                at += 1;
                return true;
            case 2 when rest.Length >= 2:
                offset = BinaryPrimitives.ReadUInt16LittleEndian(rest);
                at += 2;
                return true;
            case 3 when rest.Length >= 4:
                var far = BinaryPrimitives.ReadUInt32LittleEndian(rest);
                offset = far > int.MaxValue ? 0 : (nint)far;
                at += 4;
                return true;
            default:
                return false;
        }
    }

    // Most literals are short: one load and store of 16 bytes, where both sides have them, takes less than a call.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyLiteral(ref byte from, nint available, ref byte to, nint room, nint length)
    {
        if (length <= Step && available >= Step && room >= Step)
        {
            Vector128.LoadUnsafe(ref from).StoreUnsafe(ref to);
        }
        else
        {
            Unsafe.CopyBlockUnaligned(ref to, ref from, (uint)length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyBack(ref byte to, nint room, nint length, nint offset)
    {
        ref var from = ref Unsafe.Subtract(ref to, offset);
        if (offset >= Step && room >= length + Step)
        {
            // What is written beyond the length is written again by the next element.
            for (nint i = 0; i < length; i += Step)
            {
                Vector128.LoadUnsafe(ref from, (nuint)i).StoreUnsafe(ref to, (nuint)i);
            }

            return;
        }

        // Byte by byte where source and destination overlap: that is how a short pattern repeats.
        for (nint i = 0; i < length; i++)
        {
            Unsafe.Add(ref to, i) = Unsafe.Add(ref from, i);
        }
    }
}
