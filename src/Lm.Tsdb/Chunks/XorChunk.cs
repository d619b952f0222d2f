using System.Buffers.Binary;

namespace Lm.Tsdb.Chunks;

/// <summary>A growing run of samples, ascending in time, compressed as in Prometheus' XOR chunks: a usual sample takes one to three bytes.</summary>
/// <remarks>Source: Prometheus, tsdb/docs/format/chunks.md, and "Gorilla: A Fast, Scalable, In-Memory Time Series Database" (VLDB 2015), section 4.1.
/// Times as differences of differences, values as XOR with the one before. <see cref="XorEncoder"/> writes the bits, <see cref="XorChunkReader"/> reads
/// them. Not safe for concurrent use.</remarks>
/// <param name="expectedBytes">What it will take, as far as that is known: that of the chunk before.</param>
public sealed class XorChunk(int expectedBytes)
{
    /// <summary>Samples after which a new chunk begins: what readers of Prometheus blocks expect.</summary>
    public const int SamplesMax = 120;

    private const int Room = XorEncoder.SampleBytesMax + XorEncoder.Slack;

    private byte[] bytes = new byte[expectedBytes + Room];
    private int bits; // written so far
    private long lastDelta;
    private ulong lastValue;
    private byte leading;
    private byte trailing;

    /// <summary>How many samples.</summary>
    public int Count { get; private set; }

    /// <summary>The oldest sample's time.</summary>
    public long FirstTime { get; private set; }

    /// <summary>The newest sample's time.</summary>
    public long LastTime { get; private set; }

    /// <summary>The chunk as Prometheus' chunk files have it; complete once sealed.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, Math.Max(XorEncoder.HeaderBits, bits + 7) / 8);

    /// <summary>Adds a sample that is later than all others.</summary>
    public void Append(long time, double value)
    {
        var last = bits >> 3;
        if (bytes.Length - last < Room)
        {
            Array.Resize(ref bytes, (bytes.Length * 2) + Room);
        }

        var encoder = new XorEncoder(bytes.AsSpan(last), bits, bytes[last])
        {
            Count = Count,
            LastTime = LastTime,
            LastDelta = lastDelta,
            LastValue = lastValue,
            Leading = leading,
            Trailing = trailing,
        };
        encoder.Append(time, value);
        FirstTime = Count == 0 ? time : FirstTime;
        (bits, Count, LastTime) = (encoder.Bits, encoder.Count, encoder.LastTime);
        (lastDelta, lastValue, leading, trailing) = (encoder.LastDelta, encoder.LastValue, encoder.Leading, encoder.Trailing);
    }

    /// <summary>Completes the bytes.</summary>
    public void Seal() => BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)Count);

    /// <summary>Begins another chunk in the same memory.</summary>
    public void Reset() => (bits, Count) = (0, 0);
}
