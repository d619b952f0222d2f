using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Chunks;

namespace Lm.Tsdb.Head;

/// <summary>A file with all slots of a window, their open chunks and late samples: what a checkpoint writes whole, and what a window that left memory is read from.</summary>
/// <remarks>Slots by series, ascending, in frames; behind them the first series and place of each frame, so that one series costs one frame.
/// Docs: docs/formats/head.md.</remarks>
internal sealed class WindowState
{
    // Small: one series of a window that left memory costs one frame.
    private const int FrameBytes = 8 << 10;
    private const int SlotSize = 36;
    private const int EntrySize = 12;
    private const int TrailerSize = 16;

    private readonly IFileHandle file;
    private readonly int[] firstSeries;
    private readonly long[] offsets; // and the end of the last frame
    private int references = 1;

    private WindowState(IFileHandle file, int[] firstSeries, long[] offsets) =>
        (this.file, this.firstSeries, this.offsets) = (file, firstSeries, offsets);

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => (firstSeries.Length * (long)EntrySize) + 256;

    /// <summary>Writes a window's slots to a new file, and syncs it.</summary>
    /// <returns>The file's length.</returns>
    public static long Write(IFileSystem files, string path, HeadWindow window)
    {
        using var file = files.Create(path);
        var writer = new FrameWriter(file, 0, FrameBytes);
        Span<byte> header = stackalloc byte[WindowIdentity.HeaderSize];
        window.Identity.Write(header, WindowIdentity.StateMagic);
        writer.WriteRaw(header);
        var memory = window.Memory!;
        var frames = new List<(int Series, long Offset)>();
        foreach (var series in memory.Series())
        {
            ref var slot = ref memory[memory.Find(series)];
            var late = memory.LateOf(slot);
            if (writer.IsAtFrame)
            {
                frames.Add((series, writer.Offset));
            }

            var size = SlotSize + slot.OpenBytes + ((late?.Count ?? 0) * 12);
            var room = writer.Reserve(size);
            memory.CopyOpen(slot, room[SlotSize..]);
            WriteSlot(room, slot, late);
            writer.Advance(size);
        }

        WriteDirectory(writer, frames);
        writer.Flush();
        file.Sync();
        return writer.Offset;
    }

    /// <summary>Opens a file and reads its directory.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="identity">Whose it must be.</param>
    /// <param name="length">How long it must be.</param>
    /// <param name="damage">Why it is not usable; empty when it is.</param>
    public static WindowState? Open(IFileSystem files, string path, in WindowIdentity identity, long length, out string damage)
    {
        IFileHandle? file = null;
        try
        {
            file = files.Open(path, writable: false);
            WindowState? state = null;
            damage = file.Length != length || length < WindowIdentity.HeaderSize + TrailerSize
                ? $"{path} has {file.Length} bytes, {length} were written"
                : ReadDirectory(file, path, identity, length, out state) ?? "";
            if (damage.Length == 0)
            {
                return state;
            }
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            damage = $"{path} is missing";
        }

        file?.Dispose();
        return null;
    }

    /// <summary>Keeps the file open for a reader; under the gate.</summary>
    public void Acquire() => Interlocked.Increment(ref references);

    /// <summary>Ends <see cref="Acquire"/>, or the window's own hold; the last one closes the file.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref references) == 0)
        {
            file.Dispose();
        }
    }

    /// <summary>Reads all slots into memory.</summary>
    /// <returns>Null when the file is damaged: <paramref name="damage"/> says where.</returns>
    public WindowMemory? Load(int seriesLimit, out string damage)
    {
        var memory = new WindowMemory();
        var reader = new FrameReader(file, WindowIdentity.HeaderSize, offsets[^1]);
        damage = "";
        while (reader.TryRead(out var payload))
        {
            while (payload.Length > 0)
            {
                if (!SlotRecord.TryRead(ref payload, out var record) || record.Slot.Series < 0 || record.Slot.Series >= seriesLimit || memory.Find(record.Slot.Series) >= 0)
                {
                    damage = $"{file.Path} at byte {reader.FrameOffset}: a slot does not fit";
                    return null;
                }

                Restore(memory, record, seriesLimit);
            }
        }

        damage = reader.Damage ?? "";
        return damage.Length == 0 ? memory : null;
    }

    /// <summary>All series, ascending.</summary>
    /// <param name="view">Counts the frames that cannot be read or are damaged: their series are missing.</param>
    public int[] Series(SeriesView view)
    {
        var found = new List<int>();
        for (var frame = 0; frame < firstSeries.Length; frame++)
        {
            if (!view.TryFrame(this, file, offsets[frame], offsets[frame + 1], out var payload))
            {
                continue;
            }

            while (payload.Length > 0)
            {
                if (!SlotRecord.TryRead(ref payload, out var record))
                {
                    view.Fail($"{file.Path} at byte {offsets[frame]}: a slot does not fit");
                    break;
                }

                found.Add(record.Slot.Series);
            }
        }

        return [.. found];
    }

    /// <summary>Reads one series' slot.</summary>
    /// <param name="series">Which.</param>
    /// <param name="view">Takes it; nothing when the window has no such series.</param>
    /// <returns>False when the frame cannot be read or is damaged.</returns>
    public bool TryRead(int series, SeriesView view)
    {
        var frame = firstSeries.AsSpan().BinarySearch(series);
        frame = frame < 0 ? ~frame - 1 : frame;
        if (frame < 0)
        {
            return true;
        }

        if (!view.TryFrame(this, file, offsets[frame], offsets[frame + 1], out var payload))
        {
            return false;
        }

        while (payload.Length > 0)
        {
            if (!SlotRecord.TryRead(ref payload, out var record))
            {
                return view.Fail($"{file.Path} at byte {offsets[frame]}: a slot does not fit");
            }

            if (record.Slot.Series == series)
            {
                view.Take(record);
                break;
            }
        }

        return true;
    }

    private static void Restore(WindowMemory memory, in SlotRecord record, int seriesLimit)
    {
        ref var slot = ref memory[memory.Add(record.Slot.Series, seriesLimit)];
        slot = record.Slot;
        memory.RestoreOpen(ref slot, record.Chunk);
        for (var i = 0; i < record.LateCount; i++)
        {
            memory.InsertLate(ref slot, record.LateTime(i), record.LateValue(i));
        }
    }

    private static void WriteSlot(Span<byte> target, in Slot slot, LateBuffer? late)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, slot.Series);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], slot.Sealed);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], slot.SealedLate);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], slot.LastTime);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], slot.LastDelta);
        BinaryPrimitives.WriteUInt64LittleEndian(target[20..], slot.LastValue);
        BinaryPrimitives.WriteUInt16LittleEndian(target[28..], slot.Bits);
        (target[30], target[31], target[32], target[33]) = (slot.Count, slot.Leading, slot.Trailing, (byte)(late?.Count ?? 0));
        BinaryPrimitives.WriteUInt16LittleEndian(target[34..], 0);
        target = target[(SlotSize + slot.OpenBytes)..];
        for (var i = 0; late is not null && i < late.Count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(target, late.Times[i]);
            BinaryPrimitives.WriteDoubleLittleEndian(target[4..], late.Values[i]);
            target = target[12..];
        }
    }

    private static void WriteDirectory(FrameWriter writer, List<(int Series, long Offset)> frames)
    {
        writer.WriteRaw([]); // ends the last frame: the directory begins where it ends
        var start = writer.Offset;
        var bytes = new byte[(frames.Count * EntrySize) + TrailerSize];
        var at = 0;
        foreach (var (series, offset) in frames)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), series);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at + 4), offset);
            at += EntrySize;
        }

        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), start);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at + 8), frames.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 12), Crc32C.Compute(bytes.AsSpan(0, at + 12)));
        writer.WriteRaw(bytes);
    }

    private static string? ReadDirectory(IFileHandle file, string path, in WindowIdentity identity, long length, out WindowState? state)
    {
        state = null;
        Span<byte> header = stackalloc byte[WindowIdentity.HeaderSize];
        Span<byte> trailer = stackalloc byte[TrailerSize];
        if (file.Read(0, header) < header.Length || !identity.Matches(header, WindowIdentity.StateMagic))
        {
            return $"{path}: its header is not that of window {identity.Number}";
        }

        file.Read(length - TrailerSize, trailer);
        var start = BinaryPrimitives.ReadInt64LittleEndian(trailer);
        var count = BinaryPrimitives.ReadInt32LittleEndian(trailer[8..]);
        if (count < 0 || start < WindowIdentity.HeaderSize || start + ((long)count * EntrySize) + TrailerSize != length)
        {
            return $"{path}: its directory is damaged";
        }

        var bytes = new byte[length - start];
        file.Read(start, bytes);
        if (Crc32C.Compute(bytes.AsSpan(0, bytes.Length - 4)) != BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4)))
        {
            return $"{path}: the checksum of its directory is wrong";
        }

        var (firstSeries, offsets) = (new int[count], new long[count + 1]);
        for (var i = 0; i < count; i++)
        {
            firstSeries[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(i * EntrySize));
            offsets[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan((i * EntrySize) + 4));
        }

        offsets[count] = start;
        state = new WindowState(file, firstSeries, offsets);
        return null;
    }

    /// <summary>A slot as the file has it.</summary>
    internal readonly ref struct SlotRecord
    {
        private readonly ReadOnlySpan<byte> late;

        private SlotRecord(Slot slot, ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> late)
        {
            Slot = slot;
            Chunk = chunk;
            this.late = late;
        }

        /// <summary>The slot; without places in memory.</summary>
        public Slot Slot { get; }

        /// <summary>Its open chunk.</summary>
        public ReadOnlySpan<byte> Chunk { get; }

        /// <summary>How many late samples wait.</summary>
        public int LateCount => late.Length / 12;

        /// <summary>The time of one.</summary>
        public int LateTime(int index) => BinaryPrimitives.ReadInt32LittleEndian(late[(index * 12)..]);

        /// <summary>Its value.</summary>
        public double LateValue(int index) => BinaryPrimitives.ReadDoubleLittleEndian(late[((index * 12) + 4)..]);

        /// <summary>Reads the first of a frame's slots.</summary>
        public static bool TryRead(ref ReadOnlySpan<byte> payload, out SlotRecord record)
        {
            record = default;
            if (payload.Length < SlotSize)
            {
                return false;
            }

            var slot = new Slot
            {
                Series = BinaryPrimitives.ReadInt32LittleEndian(payload),
                Sealed = BinaryPrimitives.ReadUInt32LittleEndian(payload[4..]),
                SealedLate = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]),
                LastTime = BinaryPrimitives.ReadInt32LittleEndian(payload[12..]),
                LastDelta = BinaryPrimitives.ReadInt32LittleEndian(payload[16..]),
                LastValue = BinaryPrimitives.ReadUInt64LittleEndian(payload[20..]),
                Bits = BinaryPrimitives.ReadUInt16LittleEndian(payload[28..]),
                Count = payload[30],
                Leading = payload[31],
                Trailing = payload[32],
                Late = -1,
            };
            var chunkBytes = (slot.Bits + 7) >> 3;
            var lateBytes = payload[33] * 12;
            if (slot.Count >= XorChunk.SamplesMax || (slot.Count == 0) != (slot.Bits == 0) || payload.Length < SlotSize + chunkBytes + lateBytes)
            {
                return false;
            }

            record = new SlotRecord(slot, payload.Slice(SlotSize, chunkBytes), payload.Slice(SlotSize + chunkBytes, lateBytes));
            payload = payload[(SlotSize + chunkBytes + lateBytes)..];
            return true;
        }
    }
}
