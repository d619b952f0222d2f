using System.Runtime.CompilerServices;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Head;

/// <summary>What of a window is in memory and grows: slots, open chunks, buffers of late samples.</summary>
/// <remarks>Written by the head's writer under its gate; readers copy under it.</remarks>
internal sealed class WindowMemory
{
    private const int SlabBits = 10;
    private const int SlabSize = 1 << SlabBits;
    private const int RunMax = 8;
    private const int SlotBytes = 48;

    private readonly SlotMap map = new();
    private readonly ChunkArena arena = new();
    private readonly List<LateBuffer> late = [];
    private readonly Stack<int> freeLate = new();
    private Slot[][] slabs = new Slot[1][];
    private long lateBytes;

    /// <summary>Slots in use.</summary>
    public int Count { get; private set; }

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => map.SizeBytes + arena.SizeBytes + lateBytes + ((((long)Count + SlabSize - 1) >> SlabBits) * SlabSize * SlotBytes);

    /// <summary>A series' slot; below 0 when it has none.</summary>
    public int Find(int series) => map.Find(series);

    /// <summary>A slot by its number.</summary>
    public ref Slot this[int slot] => ref slabs[slot >> SlabBits][slot & (SlabSize - 1)];

    /// <summary>All series, ascending.</summary>
    public int[] Series() => map.Series();

    /// <summary>Makes a series' slot.</summary>
    public int Add(int series, int seriesLimit)
    {
        if ((Count & (SlabSize - 1)) == 0)
        {
            if (Count >> SlabBits == slabs.Length)
            {
                Array.Resize(ref slabs, slabs.Length * 2);
            }

            slabs[Count >> SlabBits] = new Slot[SlabSize];
        }

        var slot = Count++;
        this[slot] = new Slot { Series = series, LastTime = -1, Late = -1 };
        map.Add(series, slot, seriesLimit);
        return slot;
    }

    /// <summary>Copies a slot's open chunk.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="target">Room for <see cref="Slot.OpenBytes"/>.</param>
    public void CopyOpen(in Slot slot, Span<byte> target)
    {
        if (slot.Count > 0)
        {
            arena.Read(slot.Chunk, target[..slot.OpenBytes]);
        }
    }

    /// <summary>The late samples of a slot; null when it has none that wait.</summary>
    public LateBuffer? LateOf(in Slot slot) => slot.Late < 0 ? null : late[slot.Late];

    /// <summary>Appends samples that are later than all in the slot's open chunk; the chunk has room for them.</summary>
    [SkipLocalsInit]
    public void Encode(ref Slot slot, long start, ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        Span<byte> room = stackalloc byte[(RunMax * XorEncoder.SampleBytesMax) + XorEncoder.Slack];
        for (var done = 0; done < times.Length; done += RunMax)
        {
            var count = Math.Min(RunMax, times.Length - done);
            EncodeRun(ref slot, start, times.Slice(done, count), values.Slice(done, count), room);
        }
    }

    /// <summary>Puts an open chunk in its place, as a file has it.</summary>
    public void RestoreOpen(ref Slot slot, ReadOnlySpan<byte> chunk)
    {
        arena.Write(ref slot.Chunk, 0, 0, chunk);
    }

    /// <summary>The open chunk is sealed: its memory is free again.</summary>
    public void FreeOpen(ref Slot slot)
    {
        arena.Free(slot.Chunk);
        (slot.Count, slot.Bits) = (0, 0);
    }

    /// <summary>Adds a late sample for a time that is not in the buffer.</summary>
    /// <returns>Whether the buffer is full.</returns>
    public bool InsertLate(ref Slot slot, int time, double value)
    {
        if (slot.Late < 0)
        {
            if (freeLate.Count > 0)
            {
                slot.Late = freeLate.Pop();
            }
            else
            {
                slot.Late = late.Count;
                late.Add(new LateBuffer());
                lateBytes += late[^1].SizeBytes;
            }
        }

        var buffer = late[slot.Late];
        lateBytes -= buffer.SizeBytes;
        buffer.Insert(time, value);
        lateBytes += buffer.SizeBytes;
        return buffer.Count == LateBuffer.SamplesMax;
    }

    /// <summary>The buffer's samples are sealed: another slot may have it.</summary>
    public void FreeLate(ref Slot slot)
    {
        late[slot.Late].Clear();
        freeLate.Push(slot.Late);
        slot.Late = -1;
    }

    private void EncodeRun(ref Slot slot, long start, ReadOnlySpan<long> times, ReadOnlySpan<double> values, Span<byte> room)
    {
        var lastByte = (slot.Bits & 7) == 0 ? (byte)0 : arena.ByteAt(slot.Chunk, slot.Bits >> 3);
        var encoder = new XorEncoder(room, slot.Bits, lastByte)
        {
            Count = slot.Count,
            LastTime = start + slot.LastTime,
            LastDelta = slot.LastDelta,
            LastValue = slot.LastValue,
            Leading = slot.Leading,
            Trailing = slot.Trailing,
        };
        for (var i = 0; i < times.Length; i++)
        {
            encoder.Append(times[i], values[i]);
        }

        arena.Write(ref slot.Chunk, slot.OpenBytes, encoder.FirstByte, encoder.Written);
        slot.Bits = (ushort)encoder.Bits;
        slot.Count = (byte)encoder.Count;
        slot.LastTime = (int)(encoder.LastTime - start);
        slot.LastDelta = (int)encoder.LastDelta;
        slot.LastValue = encoder.LastValue;
        slot.Leading = encoder.Leading;
        slot.Trailing = encoder.Trailing;
    }
}
