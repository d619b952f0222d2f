using Lm.Platform.Files;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Head;

/// <summary>What a reader copies of one series in one window, and turns into samples without the gate. Used again and again, by one reader.</summary>
internal sealed class SeriesView
{
    private readonly ChunkBytes inOrder = new(); // the newest chunk first
    private readonly List<(int Count, long LastTime)> counts = [];
    private readonly ChunkBytes late = new();
    private readonly List<int> lateCounts = [];
    private readonly List<(long Time, double Value)> lateSamples = [];
    private readonly List<(long Time, double Value)> rows = [];
    private readonly SampleBuffer unordered = new();
    private readonly SampleMerge merge = new();
    private long[] lateTimes = [];
    private double[] lateValues = [];
    private byte[] frame = [];
    private int frameLength;
    private (WindowState? File, long Offset) frameOf;
    private long start;
    private uint sealedPlace;
    private uint sealedLatePlace;

    /// <summary>Chunks that could not be read.</summary>
    public long Unreadable { get; set; }

    /// <summary>The message of the last one; empty when there was none.</summary>
    public string Damage { get; set; } = "";

    /// <summary>The series' chunks in order may be taken as they are: nothing else is there.</summary>
    public bool IsChunksOnly => sealedLatePlace == 0 && lateSamples.Count == 0 && rows.Count == 0;

    /// <summary>Begins with a window.</summary>
    public void Begin(long windowStart)
    {
        inOrder.Clear();
        counts.Clear();
        late.Clear();
        lateCounts.Clear();
        lateSamples.Clear();
        rows.Clear();
        (start, sealedPlace, sealedLatePlace) = (windowStart, 0, 0);
    }

    /// <summary>Copies what is in memory; under the gate.</summary>
    public void Take(WindowMemory memory, int series)
    {
        var at = memory.Find(series);
        if (at < 0)
        {
            return;
        }

        ref var slot = ref memory[at];
        if (TakeSlot(slot))
        {
            memory.CopyOpen(slot, inOrder.Add(slot.OpenBytes));
        }

        if (memory.LateOf(slot) is { } buffer)
        {
            for (var i = 0; i < buffer.Count; i++)
            {
                lateSamples.Add((start + buffer.Times[i], buffer.Values[i]));
            }
        }
    }

    /// <summary>Takes what a file has.</summary>
    public void Take(in WindowState.SlotRecord record)
    {
        if (TakeSlot(record.Slot))
        {
            inOrder.Add(record.Chunk);
        }

        for (var i = 0; i < record.LateCount; i++)
        {
            lateSamples.Add((start + record.LateTime(i), record.LateValue(i)));
        }
    }

    /// <summary>Adds a sample of the rows; they are the newest.</summary>
    public void TakeRow(long time, double value) => rows.Add((time, value));

    /// <summary>Reads the sealed chunks that a range needs; without the gate.</summary>
    public void Collect(ChunkLog log, long from, long until)
    {
        for (var place = sealedPlace; place != 0;)
        {
            if (!TryChunk(log, place, inOrder, out var record))
            {
                break;
            }

            place = start + record.FirstTime <= from ? 0 : record.Before;
            if (start + record.FirstTime > until || start + record.LastTime < from)
            {
                inOrder.RemoveLast();
            }
            else
            {
                counts.Add((record.Count, start + record.LastTime));
            }
        }

        for (var place = sealedLatePlace; place != 0;)
        {
            if (!TryChunk(log, place, late, out var record))
            {
                break;
            }

            place = record.Before;
            if (start + record.FirstTime > until || start + record.LastTime < from)
            {
                late.RemoveLast();
            }
            else
            {
                lateCounts.Add(record.Count);
            }
        }
    }

    /// <summary>Appends the samples of a range, ascending, each time once.</summary>
    public void Read(long from, long until, SampleBuffer into)
    {
        var first = into.Count;
        ReadInOrder(from, until, into);
        if (late.Count == 0 && lateSamples.Count == 0)
        {
            return;
        }

        unordered.Clear();
        for (var i = 0; i < late.Count; i++)
        {
            CountUnless(XorChunkReader.TryRead(late[i], lateCounts[i], from, until, unordered));
        }

        foreach (var (time, value) in lateSamples)
        {
            if (time >= from && time <= until)
            {
                unordered.Add(time, value);
            }
        }

        var second = into.Count;
        AppendSorted(into);
        merge.Merge(into, first, second);
    }

    /// <summary>The chunks in order, the oldest first; the last may be open, its number of samples then is not written in it.</summary>
    public int ChunkCount => inOrder.Count;

    /// <summary>One of them, from the oldest on.</summary>
    public ReadOnlySpan<byte> Chunk(int index, out int count, out long lastTime)
    {
        (count, lastTime) = counts[^(index + 1)];
        return inOrder[inOrder.Count - 1 - index];
    }

    /// <summary>Reads a frame of a file, or takes the one read last.</summary>
    internal bool TryFrame(WindowState owner, IFileHandle file, long offset, long end, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (frameOf != (owner, offset))
        {
            frameOf = default;
            frameLength = (int)(end - offset);
            if (frame.Length < frameLength)
            {
                frame = new byte[frameLength];
            }

            try
            {
                if (file.Read(offset, frame.AsSpan(0, frameLength)) < frameLength)
                {
                    return Fail($"{file.Path} at byte {offset}: the file ends within a frame");
                }
            }
            catch (FileSystemException failure)
            {
                return Fail(failure.Message);
            }
        }

        if (!FrameReader.TryCheck(frame.AsSpan(0, frameLength), out payload))
        {
            return Fail($"{file.Path} at byte {offset}: the checksum of a frame is wrong");
        }

        frameOf = (owner, offset);
        return true;
    }

    /// <summary>Counts something that cannot be read.</summary>
    /// <returns>False.</returns>
    internal bool Fail(string damage)
    {
        Unreadable++;
        Damage = damage;
        return false;
    }

    // Whether there is an open chunk to copy.
    private bool TakeSlot(in Slot slot)
    {
        (sealedPlace, sealedLatePlace) = (slot.Sealed, slot.SealedLate);
        if (slot.Count == 0)
        {
            return false;
        }

        counts.Add((slot.Count, start + slot.LastTime));
        return true;
    }

    private bool TryChunk(ChunkLog log, uint place, ChunkBytes into, out ChunkRecord record)
    {
        if (log.TryRead(place, into, out record))
        {
            return true;
        }

        return Fail($"{log.Path} at byte {(long)place * 8}: a chunk cannot be read, or its checksum is wrong");
    }

    private void ReadInOrder(long from, long until, SampleBuffer into)
    {
        for (var i = inOrder.Count - 1; i >= 0; i--)
        {
            CountUnless(XorChunkReader.TryRead(inOrder[i], counts[i].Count, from, until, into));
        }

        foreach (var (time, value) in rows)
        {
            if (time >= from && time <= until)
            {
                into.Add(time, value);
            }
        }
    }

    // Late chunks overlap; each time is in one of them only.
    private void AppendSorted(SampleBuffer into)
    {
        var count = unordered.Count;
        if (lateTimes.Length < count)
        {
            (lateTimes, lateValues) = (new long[count * 2], new double[count * 2]);
        }

        unordered.Times.CopyTo(lateTimes);
        unordered.Values.CopyTo(lateValues);
        lateTimes.AsSpan(0, count).Sort(lateValues.AsSpan(0, count));
        into.Reserve(count, out var times, out var values);
        lateTimes.AsSpan(0, count).CopyTo(times);
        lateValues.AsSpan(0, count).CopyTo(values);
        into.Advance(count);
    }

    private void CountUnless(bool isRead) => Unreadable += isRead ? 0 : 1;
}
