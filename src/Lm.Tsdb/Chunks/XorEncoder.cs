using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lm.Tsdb.Chunks;

/// <summary>Continues a chunk whose state lies elsewhere: the encoding of <see cref="XorChunk"/>, for a head that has no object for a chunk.</summary>
/// <remarks>Its bytes begin with the chunk's last byte, which may be full in part; <see cref="Bits"/> counts from the chunk's beginning.</remarks>
internal ref struct XorEncoder
{
    /// <summary>Bytes that a sample takes at most, the first one with the chunk's header included.</summary>
    public const int SampleBytesMax = 22;

    /// <summary>Room that is needed behind the samples: whole words are written.</summary>
    public const int Slack = 9;

    /// <summary>The leading zeros of a chunk that has no difference yet.</summary>
    public const byte NoWindow = 0xff;

    /// <summary>Bits of the number of samples, which stands in front.</summary>
    public const int HeaderBits = 16;

    private readonly Span<byte> bytes;
    private int bits; // from the beginning of `bytes`

    /// <summary>Goes on with a chunk.</summary>
    /// <param name="room">At least <see cref="SampleBytesMax"/> for each sample that comes, and <see cref="Slack"/>.</param>
    /// <param name="chunkBits">Bits that the chunk has; 0 for a new one.</param>
    /// <param name="lastByte">Its last byte, when that is not full.</param>
    public XorEncoder(Span<byte> room, int chunkBits, byte lastByte)
    {
        bytes = room;
        FirstByte = chunkBits >> 3;
        bits = chunkBits & 7;
        bytes[0] = bits == 0 ? (byte)0 : lastByte;
    }

    /// <summary>Where in the chunk the bytes begin.</summary>
    public int FirstByte { get; }

    /// <summary>Bits of the chunk so far.</summary>
    public readonly int Bits => (FirstByte << 3) + bits;

    /// <summary>What was written, to be put at <see cref="FirstByte"/>.</summary>
    public readonly ReadOnlySpan<byte> Written => bytes[..((bits + 7) >> 3)];

    /// <summary>How many samples the chunk has.</summary>
    public int Count { get; set; }

    /// <summary>The last sample's time.</summary>
    public long LastTime { get; set; }

    /// <summary>The difference between the last two times.</summary>
    public long LastDelta { get; set; }

    /// <summary>The last value's bits.</summary>
    public ulong LastValue { get; set; }

    /// <summary>Leading zeros of the last difference that was written with them; <see cref="NoWindow"/> for none.</summary>
    public byte Leading { get; set; }

    /// <summary>Trailing zeros of it.</summary>
    public byte Trailing { get; set; }

    /// <summary>The time of a chunk's first sample.</summary>
    public static long FirstTimeOf(ReadOnlySpan<byte> chunk)
    {
        ulong value = 0;
        var shift = 0;
        for (var at = HeaderBits / 8; ; at++, shift += 7)
        {
            value |= (ulong)(chunk[at] & 0x7f) << shift;
            if (chunk[at] < 0x80)
            {
                return (long)(value >> 1) ^ -(long)(value & 1);
            }
        }
    }

    /// <summary>Adds a sample that is later than all others.</summary>
    public void Append(long time, double value)
    {
        var raw = BitConverter.DoubleToUInt64Bits(value);
        if (Count == 0)
        {
            Write(0, HeaderBits);
            WriteVarint((ulong)((time << 1) ^ (time >> 63)));
            Write(raw, 64);
            (Leading, Trailing, LastDelta) = (NoWindow, 0, 0);
        }
        else
        {
            AppendTime(unchecked(time - LastTime));
            AppendValue(raw ^ LastValue);
        }

        (LastTime, LastValue) = (time, raw);
        Count++;
    }

    private void AppendTime(long delta)
    {
        var change = unchecked(delta - LastDelta);
        LastDelta = delta;
        if (Count == 1)
        {
            WriteVarint((ulong)delta);
            return;
        }

        switch (change)
        {
            case 0:
                Write(0, 1);
                break;
            case > -(1 << 13) and <= 1 << 13:
                Write((0b10UL << 14) | ((ulong)change & 0x3fff), 16);
                break;
            case > -(1 << 16) and <= 1 << 16:
                Write((0b110UL << 17) | ((ulong)change & 0x1ffff), 20);
                break;
            case > -(1 << 19) and <= 1 << 19:
                Write((0b1110UL << 20) | ((ulong)change & 0xfffff), 24);
                break;
            default:
                Write(0b1111, 4);
                Write((ulong)change, 64);
                break;
        }
    }

    private void AppendValue(ulong difference)
    {
        if (difference == 0)
        {
            Write(0, 1);
            return;
        }

        var lead = Math.Min(31, BitOperations.LeadingZeroCount(difference)); // five bits hold it
        var trail = BitOperations.TrailingZeroCount(difference);
        if (Leading != NoWindow && lead >= Leading && trail >= Trailing)
        {
            Write(0b10, 2);
            Write(difference >> Trailing, 64 - Leading - Trailing);
            return;
        }

        (Leading, Trailing) = ((byte)lead, (byte)trail);
        var length = 64 - lead - trail;
        Write((0b11UL << 11) | ((ulong)lead << 6) | ((ulong)length & 63), 13); // 64 as 0: a length of 0 does not occur
        Write(difference >> trail, length);
    }

    // The lowest `count` bits, the highest of them first. What stands behind them is overwritten, so memory need not be clean.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Write(ulong value, int count)
    {
        value <<= 64 - count;
        var target = bytes[(bits >> 3)..];
        var used = bits & 7;
        var before = used == 0 ? 0 : (ulong)target[0] << 56;
        BinaryPrimitives.WriteUInt64BigEndian(target, before | (value >> used));
        if (used + count > 64)
        {
            target[8] = (byte)(value << (64 - used) >> 56);
        }

        bits += count;
    }

    private void WriteVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            Write((value & 0x7f) | 0x80, 8);
        }

        Write(value, 8);
    }
}
