using System.Buffers.Binary;
using System.Numerics;

namespace Lm.Tsdb.Chunks;

/// <summary>A growing run of samples, ascending in time, compressed as in Prometheus' XOR chunks: a usual sample takes one to three bytes.</summary>
/// <remarks>Source: Prometheus, tsdb/docs/format/chunks.md, and "Gorilla: A Fast, Scalable, In-Memory Time Series Database" (VLDB 2015), section 4.1.
/// Times as differences of differences, values as XOR with the one before. Not safe for concurrent use.</remarks>
/// <param name="expectedBytes">What it will take, as far as that is known: that of the chunk before.</param>
public sealed class XorChunk(int expectedBytes)
{
    /// <summary>Samples after which a new chunk begins: what readers of Prometheus blocks expect.</summary>
    public const int SamplesMax = 120;

    // The first takes at most 10 bytes of time and 8 of value, the second 10 and 10, a later one 4 + 64 bits and 13 + 64.
    private const int SampleBytesMax = 20;
    private const int FirstSize = 40;
    private const int CountBits = 16; // the number of samples stands before them
    private const int NoWindow = 0xff;

    private byte[] bytes = new byte[Math.Max(FirstSize, expectedBytes + SampleBytesMax + sizeof(ulong))];
    private int bits = CountBits; // written so far
    private long lastDelta;
    private ulong lastValue;
    private byte leading = NoWindow;
    private byte trailing;

    /// <summary>How many samples.</summary>
    public int Count { get; private set; }

    /// <summary>The oldest sample's time.</summary>
    public long FirstTime { get; private set; }

    /// <summary>The newest sample's time.</summary>
    public long LastTime { get; private set; }

    /// <summary>Memory that it takes, bytes, object headers included.</summary>
    public int SizeBytes => bytes.Length + 96;

    /// <summary>The chunk as Prometheus' chunk files have it; complete once sealed.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, (bits + 7) / 8);

    /// <summary>Adds a sample that is later than all others.</summary>
    public void Append(long time, double value)
    {
        if (bytes.Length - (bits >> 3) <= SampleBytesMax + sizeof(ulong))
        {
            Array.Resize(ref bytes, Math.Max(FirstSize, bytes.Length) * 2);
        }

        var raw = BitConverter.DoubleToUInt64Bits(value);
        if (Count == 0)
        {
            FirstTime = time;
            WriteVarint((ulong)((time << 1) ^ (time >> 63)));
            Write(raw, 64);
        }
        else
        {
            AppendTime(unchecked(time - LastTime));
            AppendValue(raw ^ lastValue);
        }

        (LastTime, lastValue) = (time, raw);
        Count++;
    }

    /// <summary>Completes the bytes, and gives back what was kept for further samples when it is much.</summary>
    public void Seal()
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)Count);
        if (bytes.Length > Bytes.Length + (Bytes.Length / 8) + SampleBytesMax + sizeof(ulong))
        {
            bytes = Bytes.ToArray();
        }
    }

    /// <summary>Begins another chunk in the same memory.</summary>
    public void Reset()
    {
        bytes.AsSpan(0, Math.Min(bytes.Length, (bits / 8) + sizeof(ulong))).Clear(); // what is written is put beside what is there
        (bits, lastDelta, lastValue, leading, trailing, Count) = (CountBits, 0, 0, NoWindow, 0, 0);
    }

    /// <summary>Reads all samples.</summary>
    /// <param name="times">Room for <see cref="Count"/> times.</param>
    /// <param name="values">Room for <see cref="Count"/> values.</param>
    public void Read(Span<long> times, Span<double> values)
    {
        if (Count == 0)
        {
            return;
        }

        var reader = new BitReader(bytes, CountBits);
        var zigzag = reader.ReadVarint();
        var (time, delta, value) = ((long)(zigzag >> 1) ^ -(long)(zigzag & 1), 0L, reader.Read(64));
        var (lead, trail) = (0, 0);
        times[0] = time;
        values[0] = BitConverter.UInt64BitsToDouble(value);
        for (var i = 1; i < Count; i++)
        {
            delta = i == 1 ? (long)reader.ReadVarint() : unchecked(delta + ReadDeltaOfDelta(ref reader));
            time = unchecked(time + delta);
            if (reader.Read(1) == 1)
            {
                if (reader.Read(1) == 1)
                {
                    lead = (int)reader.Read(5);
                    var length = (int)reader.Read(6);
                    trail = 64 - lead - (length == 0 ? 64 : length);
                }

                value ^= reader.Read(64 - lead - trail) << trail;
            }

            times[i] = time;
            values[i] = BitConverter.UInt64BitsToDouble(value);
        }
    }

    private static long ReadDeltaOfDelta(ref BitReader reader)
    {
        var size = 0;
        while (size < 4 && reader.Read(1) == 1)
        {
            size++;
        }

        var count = size switch { 0 => 0, 1 => 14, 2 => 17, 3 => 20, _ => 64 };
        if (count == 0)
        {
            return 0;
        }

        var read = reader.Read(count);
        return count < 64 && read > 1UL << (count - 1) ? (long)read - (1L << count) : (long)read;
    }

    private void AppendTime(long delta)
    {
        var change = unchecked(delta - lastDelta);
        lastDelta = delta;
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
                Write(0b10, 2);
                Write((ulong)change, 14);
                break;
            case > -(1 << 16) and <= 1 << 16:
                Write(0b110, 3);
                Write((ulong)change, 17);
                break;
            case > -(1 << 19) and <= 1 << 19:
                Write(0b1110, 4);
                Write((ulong)change, 20);
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
        if (leading != NoWindow && lead >= leading && trail >= trailing)
        {
            Write(0b10, 2);
            Write(difference >> trailing, 64 - leading - trailing);
            return;
        }

        (leading, trailing) = ((byte)lead, (byte)trail);
        var length = 64 - lead - trail;
        Write(0b11, 2);
        Write((ulong)lead, 5);
        Write((ulong)(length & 63), 6); // 64 as 0: a length of 0 does not occur
        Write(difference >> trail, length);
    }

    // The lowest `count` bits, the highest of them first.
    private void Write(ulong value, int count)
    {
        value <<= 64 - count;
        var target = bytes.AsSpan(bits >> 3);
        var used = bits & 7;
        BinaryPrimitives.WriteUInt64BigEndian(target, ((ulong)target[0] << 56) | (value >> used));
        if (used + count > 64)
        {
            target[8] = (byte)(value << (64 - used) >> 56);
        }

        bits += count;
    }

    // Seven bits a byte, the lowest first, as encoding/binary of Go has them.
    private void WriteVarint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            Write((value & 0x7f) | 0x80, 8);
        }

        Write(value, 8);
    }

    private ref struct BitReader(ReadOnlySpan<byte> bytes, int start)
    {
        private readonly ReadOnlySpan<byte> bytes = bytes;
        private int position = start;

        public ulong ReadVarint()
        {
            ulong value = 0, part;
            var shift = 0;
            do
            {
                part = Read(8);
                value |= (part & 0x7f) << shift;
                shift += 7;
            }
            while (part >= 0x80);

            return value;
        }

        public ulong Read(int count)
        {
            var at = position >> 3;
            var used = position & 7;
            position += count;
            var value = (at + sizeof(ulong) <= bytes.Length ? BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]) : ReadEnd(at)) << used;
            if (used + count > 64)
            {
                value |= (ulong)bytes[at + 8] >> (8 - used);
            }

            return value >> (64 - count);
        }

        private readonly ulong ReadEnd(int at)
        {
            Span<byte> padded = stackalloc byte[sizeof(ulong)];
            padded.Clear();
            bytes[at..].CopyTo(padded);
            return BinaryPrimitives.ReadUInt64BigEndian(padded);
        }
    }
}
