using System.Buffers.Binary;
using System.Text;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Head;

/// <summary>The file of series: their numbers and labels, each label's text once. Appended to; begun anew when series went.</summary>
/// <remarks>Docs: docs/formats/head.md.</remarks>
internal sealed class SeriesFile(IFileSystem files, SeriesTable table)
{
    private const int HeaderSize = 24;
    private const int FrameBytes = 64 << 10;
    private const int Version = 1;

    private readonly List<int> pending = []; // series that the file does not have yet
    private int[] numbers = new int[64]; // by label: its number in the file, from 1; 0 when it is not there
    private int lastNumber;
    private bool isStale;
    private IFileHandle? file;

    /// <summary>The file's number; 0 when there is none.</summary>
    public uint Number { get; private set; }

    /// <summary>Bytes that are written and synced.</summary>
    public long Length { get; private set; }

    /// <summary>Notes a new series.</summary>
    public void Add(int series) => pending.Add(series);

    /// <summary>Notes that series went: the next write begins a file, since labels' numbers in this one mean others soon.</summary>
    public void NoteRemoval() => isStale = true;

    /// <summary>Writes what the file does not have, and syncs.</summary>
    /// <param name="nextNumber">The number of a new file, when one is begun.</param>
    /// <param name="pathOf">A file's path.</param>
    /// <returns>Whether a file was begun.</returns>
    public bool Write(uint nextNumber, Func<uint, string> pathOf)
    {
        if (!isStale && file is not null)
        {
            if (pending.Count > 0)
            {
                var writer = new FrameWriter(file, Length, FrameBytes);
                var before = lastNumber;
                try
                {
                    WriteSeries(writer, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(pending));
                    writer.Flush();
                    file.Sync();
                }
                catch (FileSystemException)
                {
                    Forget(before);
                    throw;
                }

                Length = writer.Offset;
                pending.Clear();
            }

            return false;
        }

        Begin(nextNumber, pathOf(nextNumber));
        return true;
    }

    /// <summary>Reads a file into the table.</summary>
    /// <returns>What is wrong with it; null when nothing.</returns>
    public string? Load(uint number, string path, long length)
    {
        try
        {
            file = files.Open(path, writable: true);
            if (file.Length < length)
            {
                return $"{path} has {file.Length} bytes, {length} were written";
            }

            file.Truncate(length);
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            return $"{path} is missing";
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        Span<byte> expected = stackalloc byte[HeaderSize];
        WriteHeader(expected, number);
        if (file.Read(0, header) < HeaderSize || !header.SequenceEqual(expected))
        {
            return $"{path}: its header is not that of a file of series with number {number}";
        }

        (Number, Length) = (number, length);
        return Restore(new FrameReader(file, HeaderSize, length));
    }

    /// <summary>Closes the file.</summary>
    public void Close()
    {
        file?.Dispose();
        file = null;
    }

    private void Begin(uint number, string path)
    {
        files.Delete(path); // left by an attempt that failed
        var begun = files.Create(path);
        Array.Clear(numbers);
        lastNumber = 0;
        isStale = true; // until all is written: the numbers are not those of the old file any more
        try
        {
            Span<byte> header = stackalloc byte[HeaderSize];
            WriteHeader(header, number);
            var writer = new FrameWriter(begun, 0, FrameBytes);
            writer.WriteRaw(header);
            WriteSeries(writer, table.All().Ascending());
            writer.Flush();
            begun.Sync();
            (Number, Length) = (number, writer.Offset);
        }
        catch (FileSystemException)
        {
            begun.Dispose();
            throw;
        }

        file?.Dispose();
        file = begun;
        isStale = false;
        pending.Clear();
    }

    private void WriteSeries(FrameWriter writer, ReadOnlySpan<int> series)
    {
        foreach (var each in series)
        {
            var labels = table.LabelsOf(each);
            var room = writer.Reserve(20 + SizeOf(labels));
            var used = GoVarint.Write(room, (ulong)each);
            used += GoVarint.Write(room[used..], (ulong)labels.Length);
            foreach (var label in labels)
            {
                used += WriteLabel(room[used..], label);
            }

            writer.Advance(used);
        }
    }

    private int SizeOf(ReadOnlySpan<int> labels)
    {
        var size = 0;
        foreach (var label in labels)
        {
            var text = NumberOf(label) > 0 ? default : table.Labels[label];
            size += 30 + (3 * ((text.Name?.Length ?? 0) + (text.Value?.Length ?? 0)));
        }

        return size;
    }

    private int WriteLabel(Span<byte> room, int label)
    {
        ref var number = ref NumberOf(label);
        var used = GoVarint.Write(room, (ulong)number);
        if (number == 0)
        {
            number = ++lastNumber;
            var (name, value) = table.Labels[label];
            used += WriteText(room[used..], name);
            used += WriteText(room[used..], value);
        }

        return used;
    }

    private ref int NumberOf(int label)
    {
        if (label >= numbers.Length)
        {
            Array.Resize(ref numbers, Math.Max(label + 1, numbers.Length * 2));
        }

        return ref numbers[label];
    }

    // After a failed append the file's bytes are as before: so are the numbers.
    private void Forget(int before)
    {
        lastNumber = before;
        foreach (ref var number in numbers.AsSpan())
        {
            number = number > before ? 0 : number;
        }
    }

    private string? Restore(FrameReader reader)
    {
        var labels = new List<int> { 0 }; // by number in the file
        Span<int> run = new int[SeriesTable.LabelsMax];
        while (reader.TryRead(out var payload))
        {
            while (payload.Length > 0)
            {
                if (!TryReadSeries(ref payload, labels, run, out var series, out var count) || !table.TryRestore(series, run[..count]))
                {
                    return $"{file!.Path} at byte {reader.FrameOffset}: a series does not fit";
                }
            }
        }

        table.EndRestore();
        lastNumber = labels.Count - 1;
        for (var i = 1; i < labels.Count; i++)
        {
            NumberOf(labels[i]) = i;
        }

        return reader.Damage;
    }

    private bool TryReadSeries(ref ReadOnlySpan<byte> payload, List<int> labels, Span<int> run, out int series, out int count)
    {
        (series, count) = (0, 0);
        if (!GoVarint.TryRead(ref payload, out var number) || !GoVarint.TryRead(ref payload, out var labelCount)
            || number >= SeriesTable.SeriesMax || labelCount > SeriesTable.LabelsMax)
        {
            return false;
        }

        (series, count) = ((int)number, (int)labelCount);
        for (var i = 0; i < count; i++)
        {
            if (!GoVarint.TryRead(ref payload, out var label) || label >= (ulong)labels.Count)
            {
                return false;
            }

            if (label == 0)
            {
                if (!TryReadText(ref payload, out var name) || !TryReadText(ref payload, out var value))
                {
                    return false;
                }

                label = (ulong)labels.Count;
                labels.Add(table.Labels.FindOrAdd(name, value));
            }

            run[i] = labels[(int)label];
        }

        return true;
    }

    private static void WriteHeader(Span<byte> target, uint number)
    {
        "LMHSERS\n"u8.CopyTo(target);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], number);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(target[20..], Crc32C.Compute(target[..20]));
    }

    private static int WriteText(Span<byte> room, string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        var used = GoVarint.Write(room, (ulong)bytes);
        return used + Encoding.UTF8.GetBytes(text, room[used..]);
    }

    private static bool TryReadText(ref ReadOnlySpan<byte> payload, out string text)
    {
        text = "";
        if (!GoVarint.TryRead(ref payload, out var bytes) || bytes > (ulong)payload.Length)
        {
            return false;
        }

        text = Encoding.UTF8.GetString(payload[..(int)bytes]);
        payload = payload[(int)bytes..];
        return true;
    }
}
