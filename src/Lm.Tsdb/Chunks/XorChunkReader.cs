using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Lm.Tsdb.Chunks;

/// <summary>Decodes XOR chunks: the inner loop of queries.</summary>
/// <remarks>Source: Prometheus, tsdb/docs/format/chunks.md. Bytes that no encoder wrote give false, never an exception: whoever reads files relies on it.</remarks>
public static unsafe class XorChunkReader
{
    /// <summary>Bytes before the first sample: the number of samples.</summary>
    private const int HeaderSize = 2;

    // A sample takes 4 + 64 bits of time and 13 + 64 of value at most, 19 bytes; the first two take up to 10 of varint and 10 of value.
    // A load takes eight bytes from where a field begins, and a ninth for a field of more than 56 bits.
    private const int SampleBytesMax = 21;
    private const int Slack = SampleBytesMax + 9;

    /// <summary>How many samples a chunk says that it has; zero when it is too short to say.</summary>
    public static int CountOf(ReadOnlySpan<byte> chunk) => chunk.Length < HeaderSize ? 0 : BinaryPrimitives.ReadUInt16BigEndian(chunk);

    /// <summary>Appends a chunk's samples of a time range.</summary>
    /// <param name="chunk">The chunk as <see cref="XorChunk.Bytes"/> has it.</param>
    /// <param name="from">The earliest time.</param>
    /// <param name="until">The latest time.</param>
    /// <param name="into">Where they go, behind what is there.</param>
    /// <returns>False when the bytes end within a sample; what was decoded before is not taken in.</returns>
    public static bool TryRead(ReadOnlySpan<byte> chunk, long from, long until, SampleBuffer into)
    {
        var count = CountOf(chunk);
        return TryRead(chunk, count, from, until, into);
    }

    /// <summary>Appends samples of a time range from a chunk that may still grow, or whose header is not written yet.</summary>
    /// <param name="chunk">The chunk's bytes, its two bytes for the number of samples included.</param>
    /// <param name="count">How many samples it has.</param>
    /// <param name="from">The earliest time.</param>
    /// <param name="until">The latest time.</param>
    /// <param name="into">Where they go, behind what is there.</param>
    /// <returns>False when the bytes end within a sample; what was decoded before is not taken in.</returns>
    public static bool TryRead(ReadOnlySpan<byte> chunk, int count, long from, long until, SampleBuffer into)
    {
        if (count == 0)
        {
            return chunk.Length >= HeaderSize;
        }

        into.Reserve(count, out var times, out var values);
        if (!TryDecode(chunk, times[..count], values[..count], until, out var decoded))
        {
            return false;
        }

        // Times ascend, so what is too early or too late lies at the ends.
        while (decoded > 0 && times[decoded - 1] > until)
        {
            decoded--;
        }

        if (times[0] < from)
        {
            var skip = LowerBound(times[..decoded], from);
            times[skip..decoded].CopyTo(times);
            values[skip..decoded].CopyTo(values);
            decoded -= skip;
        }

        into.Advance(decoded);
        return true;
    }

    /// <summary>Decodes a chunk until its end or until a sample is later than asked for.</summary>
    /// <param name="chunk">The chunk's bytes.</param>
    /// <param name="times">Room for as many times as the chunk has samples.</param>
    /// <param name="values">The same for values.</param>
    /// <param name="until">Decoding may stop behind the first sample later than this.</param>
    /// <param name="decoded">How many were decoded.</param>
    public static bool TryDecode(ReadOnlySpan<byte> chunk, Span<long> times, Span<double> values, long until, out int decoded)
    {
        var state = new State { Bit = HeaderSize * 8, Lead = 0, Trail = 0 };
        fixed (byte* data = chunk)
        fixed (long* time = times)
        fixed (double* value = values)
        {
            // As long as no sample can reach behind the bytes no load is checked; the rest is decoded from a copy with zeros behind it.
            var length = chunk.Length;
            var count = Math.Min(times.Length, values.Length);
            Decode(ref state, data, (length - Slack) * 8L, time, value, count, until);
            if (state.Bit > length * 8L)
            {
                decoded = 0;
                return false;
            }

            if (state.Done < count && !state.IsPast)
            {
                var at = (int)(state.Bit >> 3);
                var left = length - at; // at most Slack: the first part went on until there
                var end = stackalloc byte[Slack * 4];
                Unsafe.InitBlockUnaligned(end, 0, Slack * 4);
                chunk[at..].CopyTo(new Span<byte>(end, left));
                state.Bit -= at * 8L;
                Decode(ref state, end, left * 8L, time, value, count, until);
                state.Bit += at * 8L;
            }

            decoded = state.Done;
            return state.Bit <= length * 8L && (state.Done == count || state.IsPast);
        }
    }

    private static void Decode(ref State state, byte* data, long bitLimit, long* times, double* values, int count, long until)
    {
        var (bit, done, delta, lead, trail) = (state.Bit, state.Done, state.Delta, state.Lead, state.Trail);
        var (time, raw) = (state.Time, state.Value);
        while (done < count && bit < bitLimit)
        {
            if (done < 2)
            {
                var varint = ReadVarint(data, ref bit);
                if (done == 0)
                {
                    time = (long)(varint >> 1) ^ -(long)(varint & 1);
                    raw = ReadLong(data, ref bit, 64);
                    times[0] = time;
                    values[0] = BitConverter.UInt64BitsToDouble(raw);
                    done = 1;
                    if (time > until)
                    {
                        break;
                    }

                    continue;
                }

                delta = (long)varint;
            }
            else
            {
                var ahead = Peek(data, bit);
                if ((long)ahead >= 0)
                {
                    bit++; // the same difference as before
                    if (ahead << 1 >> 63 == 0)
                    {
                        // Nothing changed, which is two zero bits; often the next samples are the same.
                        var run = Math.Min(Math.Min(BitOperations.LeadingZeroCount(ahead | 0x7f) >> 1, count - done), (int)((bitLimit - bit + 2) >> 1));
                        bit += (run * 2) - 1;
                        for (var end = done + run; done < end; done++)
                        {
                            time = unchecked(time + delta);
                            times[done] = time;
                            values[done] = BitConverter.UInt64BitsToDouble(raw);
                        }

                        if (time > until)
                        {
                            break;
                        }

                        continue;
                    }
                }
                else
                {
                    delta = unchecked(delta + ReadDeltaOfDelta(data, ahead, ref bit));
                }
            }

            time = unchecked(time + delta);
            var control = Peek(data, bit);
            if ((long)control >= 0)
            {
                bit++;
            }
            else
            {
                int length;
                if ((control & (1UL << 62)) == 0)
                {
                    bit += 2;
                    control <<= 2;
                    length = 64 - lead - trail;
                    if (length <= 54)
                    {
                        bit += length;
                        raw ^= control >> (64 - length) << trail;
                        goto store;
                    }
                }
                else
                {
                    lead = (int)(control >> 57) & 31;
                    length = (int)(control >> 51) & 63;
                    length = length == 0 ? 64 : length;
                    trail = 64 - lead - length;
                    bit += 13;
                    if (trail < 0)
                    {
                        bit = long.MaxValue / 2; // no encoder writes it: reported as bytes that end too early
                        break;
                    }
                }

                raw ^= ReadLong(data, ref bit, length) << trail;
            }

        store:
            times[done] = time;
            values[done++] = BitConverter.UInt64BitsToDouble(raw);
            if (time > until)
            {
                break;
            }
        }

        state = new State { Bit = bit, Done = done, Time = time, Delta = delta, Value = raw, Lead = lead, Trail = trail, IsPast = done > 0 && time > until };
    }

    // At least 57 bits, the first of them highest; zeros behind.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Peek(byte* data, long bit) =>
        BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(data + (bit >> 3))) << (int)(bit & 7);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ReadLong(byte* data, ref long bit, int count)
    {
        var value = Peek(data, bit);
        var used = (int)(bit & 7);
        if (used + count > 64)
        {
            value |= (ulong)data[(bit >> 3) + 8] >> (8 - used);
        }

        bit += count;
        return value >> (64 - count);
    }

    private static long ReadDeltaOfDelta(byte* data, ulong ahead, ref long bit)
    {
        var ones = Math.Min(4, BitOperations.LeadingZeroCount(~ahead));
        if (ones == 4)
        {
            bit += 4;
            return (long)ReadLong(data, ref bit, 64);
        }

        var count = 11 + (3 * ones); // 14, 17 or 20 bits behind as many ones and a zero
        bit += ones + 1 + count;
        var read = (long)(ahead << (ones + 1) >> (64 - count));
        return read > 1L << (count - 1) ? read - (1L << count) : read;
    }

    private static ulong ReadVarint(byte* data, ref long bit)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var part = ReadLong(data, ref bit, 8);
            value |= (part & 0x7f) << shift;
            if (part < 0x80)
            {
                break;
            }
        }

        return value;
    }

    private static int LowerBound(ReadOnlySpan<long> times, long from)
    {
        var (low, high) = (0, times.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (times[middle] < from)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private struct State
    {
        public long Bit;
        public int Done;
        public long Time;
        public long Delta;
        public ulong Value;
        public int Lead;
        public int Trail;
        public bool IsPast;
    }
}
