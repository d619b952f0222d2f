using System.Buffers.Binary;
using System.Diagnostics;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Head;

/// <summary>One range of time: its chunks, in memory and in its log.</summary>
/// <remarks>
/// Invariants: a series has at most one sample for a time, the one committed first; chunks in order ascend and do not overlap, and only the last is open;
/// late samples lie before the newest in order, sorted in a buffer or in late chunks, which may overlap everything.
/// The window is in memory (<see cref="Memory"/>) or in its files only (<see cref="Spilled"/>).
/// Written by the head's writer under its gate; readers hold it to copy, and pin the window for as long as they may come back.
/// </remarks>
internal sealed class HeadWindow(WindowIdentity identity, ChunkLog log, bool isLate, long firstReceived)
{
    private readonly SampleBuffer found = new(); // of a search for a late sample's time, the writer's
    private readonly ChunkBytes chunkFound = new();
    private readonly XorChunk lateChunk = new(expectedBytes: 512);
    private readonly byte[] sealing = new byte[ChunkRecord.SizeMax];

    /// <summary>Which window.</summary>
    public WindowIdentity Identity => identity;

    /// <summary>Its first millisecond.</summary>
    public long Start { get; } = identity.Start;

    /// <summary>The first millisecond behind it.</summary>
    public long End { get; } = identity.End;

    /// <summary>Whether its time was over when its first sample came.</summary>
    public bool IsLate => isLate;

    /// <summary>When the batch that made it was received, milliseconds since 1970.</summary>
    public long FirstReceived => firstReceived;

    /// <summary>Its sealed chunks.</summary>
    public ChunkLog Log => log;

    /// <summary>Its slots; null when they are in the file only.</summary>
    public WindowMemory? Memory { get; set; }

    /// <summary>The file of its slots, when they are there only.</summary>
    public WindowState? Spilled { get; set; }

    /// <summary>Samples in it.</summary>
    public long Samples { get; set; }

    /// <summary>The number and length of the file with its slots; 0 when none was written.</summary>
    public (uint Number, long Length) State { get; set; }

    /// <summary>Whether there are samples that neither log nor state file has.</summary>
    public bool IsChanged { get; set; }

    /// <summary>Whether it takes no more samples.</summary>
    public bool IsFrozen { get; set; }

    /// <summary>Whether the head has let go of it.</summary>
    public bool IsDropped { get; set; }

    /// <summary>Readers that may come back.</summary>
    public int Pins { get; set; }

    /// <summary>The batch that wrote to it last.</summary>
    public long LastBatch { get; set; }

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => log.SizeBytes + (Memory?.SizeBytes ?? 0) + (Spilled?.SizeBytes ?? 0);

    /// <summary>Whether it has times of a range.</summary>
    public bool Overlaps(long from, long until) => Start <= until && End > from;

    /// <summary>The newest time of a series in order; the lowest number when it has none. In memory only.</summary>
    public long NewestOf(int series) => Memory!.Find(series) is >= 0 and var slot && Memory[slot].LastTime >= 0 ? Start + Memory[slot].LastTime : long.MinValue;

    /// <summary>Takes one sample. In memory only.</summary>
    public AppendOutcome Append(int series, int seriesLimit, long time, double value, out bool isFirst)
    {
        ref var slot = ref SlotOf(series, seriesLimit, out isFirst);
        if (time - Start <= slot.LastTime)
        {
            return InsertLate(ref slot, time, value);
        }

        AppendInOrder(ref slot, new ReadOnlySpan<long>(in time), new ReadOnlySpan<double>(in value));
        return AppendOutcome.Added;
    }

    /// <summary>Takes samples that are later than all that the series has here. In memory only.</summary>
    public void AppendRun(int series, int seriesLimit, ReadOnlySpan<long> times, ReadOnlySpan<double> values, out bool isFirst)
    {
        ref var slot = ref SlotOf(series, seriesLimit, out isFirst);
        Debug.Assert(times[0] - Start > slot.LastTime, "rows are later than what their series have");
        AppendInOrder(ref slot, times, values);
    }

    private ref Slot SlotOf(int series, int seriesLimit, out bool isFirst)
    {
        var memory = Memory!;
        var slot = memory.Find(series);
        isFirst = slot < 0;
        return ref memory[isFirst ? memory.Add(series, seriesLimit) : slot];
    }

    private void AppendInOrder(ref Slot slot, ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        Samples += times.Length;
        IsChanged = true;
        for (var done = 0; done < times.Length;)
        {
            var count = Math.Min(times.Length - done, XorChunk.SamplesMax - slot.Count);
            Memory!.Encode(ref slot, Start, times.Slice(done, count), values.Slice(done, count));
            done += count;
            if (slot.Count == XorChunk.SamplesMax)
            {
                Seal(ref slot);
            }
        }
    }

    private void Seal(ref Slot slot)
    {
        var chunk = sealing.AsSpan(0, slot.OpenBytes);
        Memory!.CopyOpen(slot, chunk);
        BinaryPrimitives.WriteUInt16BigEndian(chunk, slot.Count);
        var record = new ChunkRecord
        {
            Before = slot.Sealed,
            Series = slot.Series,
            FirstTime = (int)(XorEncoder.FirstTimeOf(chunk) - Start),
            LastTime = slot.LastTime,
            Count = slot.Count,
        };
        slot.Sealed = log.Append(record, chunk);
        Memory.FreeOpen(ref slot);
    }

    // A sample that is not the newest. Its time is looked for everywhere, so that no sample is held twice and what a replay brings again is seen.
    private AppendOutcome InsertLate(ref Slot slot, long time, double value)
    {
        var offset = (int)(time - Start);
        if (TryFind(slot, time, out var there))
        {
            // By bits: a stale marker is not just any NaN, and a NaN equals itself here.
            return BitConverter.DoubleToInt64Bits(there) == BitConverter.DoubleToInt64Bits(value) ? AppendOutcome.Repeated : AppendOutcome.Conflicting;
        }

        Samples++;
        IsChanged = true;
        if (Memory!.InsertLate(ref slot, offset, value))
        {
            SealLate(ref slot);
        }

        return AppendOutcome.Added;
    }

    private void SealLate(ref Slot slot)
    {
        var buffer = Memory!.LateOf(slot)!;
        lateChunk.Reset();
        for (var i = 0; i < buffer.Count; i++)
        {
            lateChunk.Append(Start + buffer.Times[i], buffer.Values[i]);
        }

        lateChunk.Seal();
        var record = new ChunkRecord
        {
            Before = slot.SealedLate,
            Series = slot.Series,
            FirstTime = buffer.Times[0],
            LastTime = buffer.Times[^1],
            Count = (byte)buffer.Count,
            IsLate = true,
        };
        slot.SealedLate = log.Append(record, lateChunk.Bytes);
        Memory.FreeLate(ref slot);
    }

    private bool TryFind(in Slot slot, long time, out double value)
    {
        var memory = Memory!;
        if (memory.LateOf(slot) is { } late && late.Times.BinarySearch((int)(time - Start)) is >= 0 and var at)
        {
            value = late.Values[at];
            return true;
        }

        var open = sealing.AsSpan(0, slot.OpenBytes);
        memory.CopyOpen(slot, open);
        var isInOpen = slot.Count > 0 && XorEncoder.FirstTimeOf(open) <= time;
        return (isInOpen ? TryFindIn(open, slot.Count, time, out value) : TryFindSealed(slot.Sealed, time, out value))
            || TryFindSealed(slot.SealedLate, time, out value);
    }

    private bool TryFindSealed(uint place, long time, out double value)
    {
        // From the newest on. In order the first chunk that begins early enough is the last that may have it; late ones overlap.
        while (place != 0)
        {
            chunkFound.Clear();
            if (!log.TryRead(place, chunkFound, out var record))
            {
                break; // what cannot be read is not there; whoever reads the series counts it
            }

            var isInside = Start + record.FirstTime <= time && time <= Start + record.LastTime;
            if (isInside && TryFindIn(chunkFound[0], record.Count, time, out value))
            {
                return true;
            }

            place = !record.IsLate && Start + record.FirstTime <= time ? 0 : record.Before;
        }

        value = 0;
        return false;
    }

    private bool TryFindIn(ReadOnlySpan<byte> chunk, int count, long time, out double value)
    {
        found.Clear();
        var isThere = XorChunkReader.TryRead(chunk, count, time, time, found) && found.Count > 0;
        value = isThere ? found.Values[0] : 0;
        return isThere;
    }
}
