using System.Diagnostics;
using System.Globalization;
using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Logs.Search;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>A file that lines are added to: an append-only list of frames, in the order in which they came, and the lines that are no frame yet.</summary>
/// <remarks>
/// Invariants:
/// what counts of the file after a crash is what the manifest says; what was appended behind it is cut off;
/// a frame that cannot be written stays in memory, and so does every one behind it;
/// after a failed sync nothing of the file is trusted but what its checksums vouch for: all of it is copied to a new one.
/// Used under the store's lock; what is frozen never changes.
/// </remarks>
internal sealed class OpenFile : IDisposable
{
    private const int TailKept = 64 << 10;

    private readonly IFileSystem files;
    private readonly string folder;
    private readonly ByteBuffer tail = new();
    private readonly List<Slot> slots = [];
    private readonly Queue<Pending> pending = [];
    private IndexBuilder builder = new();
    private IFileHandle? data;
    private IFileHandle? indexFile;
    private long indexWritten;
    private long tailMinTime = long.MaxValue;
    private long tailMaxTime = long.MinValue;
    private StreamHead? lastHead;
    private int lastNumber;

    /// <summary>Begins one; there is no file before something is written.</summary>
    public OpenFile(IFileSystem files, string folder, uint number, LogWindow window, long receivedAt)
    {
        (this.files, this.folder) = (files, folder);
        (Number, Birth, Window, FirstReceived) = (number, number, window, receivedAt);
    }

    /// <summary>Its number; never given twice.</summary>
    public uint Number { get; private set; }

    /// <summary>The number that it had first, in this process: it gets another one when it moves to another file.</summary>
    public uint Birth { get; }

    /// <summary>Which lines it holds.</summary>
    public LogWindow Window { get; }

    /// <summary>When its first line came.</summary>
    public long FirstReceived { get; private set; }

    /// <summary>Whether it is complete and waits to be sealed.</summary>
    public bool IsFrozen { get; private set; }

    /// <summary>Bytes of its frames, written or not.</summary>
    public long Length { get; private set; }

    /// <summary>Its lines.</summary>
    public long Lines { get; private set; }

    /// <summary>Bytes of their bodies.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>The time of the oldest line.</summary>
    public long MinTime { get; private set; } = long.MaxValue;

    /// <summary>The time of the newest line.</summary>
    public long MaxTime { get; private set; } = long.MinValue;

    /// <summary>Grows with each line that any file gets: who was written to least recently.</summary>
    public long LastWritten { get; set; }

    /// <summary>Whether a sync of it failed.</summary>
    public bool IsSuspect { get; private set; }

    /// <summary>Whether there are lines or frames that are not in the file.</summary>
    public bool HasUnwritten => slots.Count > 0 || pending.Count > 0;

    /// <summary>Bytes in memory, about.</summary>
    public long MemoryBytes => tail.Capacity + (slots.Capacity * 64L) + PendingBytes + builder.Index.MemoryBytes + builder.Bytes.Capacity + GramFilter.SizeMax;

    /// <summary>Those of <see cref="MemoryBytes"/> that are given back when the file is sealed, and not before: what a frozen file keeps when its frames are
    /// written and its filters dropped.</summary>
    public long MemoryBytesToSeal => IsFrozen ? MemoryBytes - PendingBytes - builder.Index.FilterBytes : 0;

    /// <summary>Whether the lines that are no frame yet should become one.</summary>
    public bool IsFrameDue => tail.Length >= FrameMaker.RawSizeTarget;

    /// <summary>The file's path.</summary>
    public string Path => PathOf(folder, Number, Window);

    /// <summary>Its index's path.</summary>
    public string IndexPath => IndexPathOf(Path);

    private long PendingBytes { get; set; }

    /// <summary>The path of an open file.</summary>
    public static string PathOf(string folder, uint number, LogWindow window) =>
        System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{number:d10}_{window.Folder.Replace('/', '_')}{LogPaths.DataEnding}"));

    /// <summary>The path of its index.</summary>
    public static string IndexPathOf(string path) => path[..^LogPaths.DataEnding.Length] + LogPaths.IndexEnding;

    /// <summary>Goes on with a file that is there.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="entry">What the manifest says of it.</param>
    /// <param name="damage">What is damaged; null when nothing.</param>
    /// <exception cref="IOException">It cannot be read or cut.</exception>
    public static OpenFile Restore(IFileSystem files, string folder, LogManifest.Entry entry, out string? damage)
    {
        var file = new OpenFile(files, folder, entry.Number, entry.Window, entry.FirstReceived);
        try
        {
            damage = file.Restore(entry);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        return file;
    }

    /// <summary>Adds a line.</summary>
    public void Append(in IncomingLine entry)
    {
        Debug.Assert(!IsFrozen, "what is frozen never changes");
        if (!ReferenceEquals(lastHead, entry.Stream))
        {
            (lastHead, lastNumber) = (entry.Stream, builder.NumberOf(entry.Stream.Stream));
        }

        var start = tail.Length;
        LineWriter.Write(tail, entry);
        slots.Add(new Slot(new LogKey(entry.Time, entry.Stream.Stream.Instance, entry.Identity), start, tail.Length - start, lastNumber));
        builder.AddBody(entry.Body);
        (tailMinTime, tailMaxTime) = (Math.Min(tailMinTime, entry.Time), Math.Max(tailMaxTime, entry.Time));
        (MinTime, MaxTime) = (Math.Min(MinTime, entry.Time), Math.Max(MaxTime, entry.Time));
        Lines++;
        BodyBytes += entry.Body.Length;
    }

    /// <summary>Makes a frame of the lines that are none yet.</summary>
    /// <param name="maker">Compresses them.</param>
    /// <param name="sorted">Where they are put in order.</param>
    public void CloseFrame(FrameMaker maker, ByteBuffer sorted)
    {
        if (slots.Count == 0)
        {
            return;
        }

        var raw = Sorted(sorted);
        var frame = maker.Make(raw).ToArray();
        var streams = new SortedSet<int>();
        foreach (var slot in slots)
        {
            streams.Add(slot.Stream);
        }

        var info = new FrameInfo
        {
            Offset = Length,
            Size = frame.Length,
            RawSize = raw.Length,
            Lines = slots.Count,
            MinTime = tailMinTime,
            MaxTime = tailMaxTime,
            Checksum = Crc32C.Compute(frame),
            Streams = [.. streams],
        };
        builder.AddFrame(info);
        pending.Enqueue(new Pending(info, frame));
        PendingBytes += frame.Length;
        Length += frame.Length;
        slots.Clear();
        tail.Release(2 * FrameMaker.RawSizeTarget);
        (tailMinTime, tailMaxTime) = (long.MaxValue, long.MinValue);
        maker.Trim();
        sorted.Release(2 * FrameMaker.RawSizeTarget);
    }

    /// <summary>Writes the frames that wait; those that could not be written wait on.</summary>
    /// <exception cref="IOException">One could not be written.</exception>
    public void Write()
    {
        while (pending.TryPeek(out var next))
        {
            data ??= Create(Path);
            data.Write(next.Info.Offset, next.Frame);
            pending.Dequeue();
            PendingBytes -= next.Frame.Length;
        }
    }

    /// <summary>Gives back the memory of the lines that became frames.</summary>
    public void ReleaseTail()
    {
        if (slots.Count == 0)
        {
            tail.Release(TailKept);
            slots.Capacity = 0;
        }
    }

    /// <summary>Gives back the memory of the filters: searches then read every frame.</summary>
    public void DropFilters() => builder.Index.DropFilters();

    /// <summary>No line comes any more. All of them are frames.</summary>
    public void Freeze()
    {
        Debug.Assert(slots.Count == 0, "its lines are frames before it is frozen");
        builder.CloseFilter();
        ReleaseTail();
        IsFrozen = true;
    }

    /// <summary>Whether it was frozen when it was read back or not, it is now.</summary>
    public void FreezeRestored() => IsFrozen = true;

    /// <summary>Writes what the index does not have yet, and says what is to be synced then.</summary>
    /// <returns>What the manifest is to say of it; null when nothing has ever been written.</returns>
    /// <exception cref="IOException">It could not be written.</exception>
    public LogManifest.Entry? WriteIndex()
    {
        Debug.Assert(pending.Count == 0 && slots.Count == 0, "what is not written cannot count");
        builder.CloseFilter();
        if (data is null)
        {
            return null;
        }

        if (builder.Bytes.Length > 0)
        {
            indexFile ??= Create(IndexPath);
            indexFile.Write(indexWritten, builder.Bytes.Written);
            indexWritten += builder.Bytes.Length;
            builder.Bytes.Release(TailKept);
        }

        return new LogManifest.Entry
        {
            Number = Number,
            Window = Window,
            IsFrozen = IsFrozen,
            Length = Length,
            IndexLength = indexWritten,
            FirstReceived = FirstReceived,
            Lines = Lines,
            BodyBytes = BodyBytes,
        };
    }

    /// <summary>Returns once what was written is on stable storage.</summary>
    /// <exception cref="IOException">It may not be: the file is suspect now.</exception>
    public void Sync()
    {
        try
        {
            data?.Sync();
            indexFile?.Sync();
        }
        catch (IOException)
        {
            IsSuspect = true;
            throw;
        }
    }

    /// <summary>Copies what there is to a new file, after a sync that failed.</summary>
    /// <param name="number">The new file's number.</param>
    /// <returns>The path of the file that it was in.</returns>
    /// <exception cref="IOException">It could not be, or the file has lost what was written to it.</exception>
    public string MoveTo(uint number)
    {
        var source = data!;
        var target = Create(PathOf(folder, number, Window));
        try
        {
            foreach (var info in builder.Index.Frames)
            {
                var frame = new byte[info.Size];
                if (source.Read(info.Offset, frame) != frame.Length || Crc32C.Compute(frame) != info.Checksum)
                {
                    throw new IOException($"{source.Path} at byte {info.Offset}: a frame is lost since a sync failed; its lines stand in the spool and are read from there at the next start");
                }

                target.Write(info.Offset, frame);
            }
        }
        catch
        {
            target.Dispose();
            files.Delete(target.Path);
            throw;
        }

        var old = Path;
        CloseHandles();
        (data, Number, IsSuspect, indexWritten) = (target, number, false, 0);
        builder.Bytes.Clear();
        IndexFormat.WriteHeader(builder.Bytes);
        builder.Index.WriteTo(builder.Bytes);
        return old;
    }

    /// <summary>What a search may read of it; a copy of what still changes.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public OpenFileView View()
    {
        var unwritten = pending.ToDictionary(static each => each.Info.Offset, static each => each.Frame);
        FrameRef? rest = null;
        if (slots.Count > 0)
        {
            var info = new FrameInfo
            {
                Offset = 0,
                Size = 0,
                RawSize = tail.Length,
                Lines = slots.Count,
                MinTime = tailMinTime,
                MaxTime = tailMaxTime,
                Checksum = 0,
                Streams = [],
            };
            rest = new FrameRef(info, null, tail.Written.ToArray());
        }

        return new OpenFileView(data is null ? null : files.Open(Path, writable: false), builder.Index, unwritten, rest, MinTime, MaxTime);
    }

    /// <summary>What there is of some streams in a time range.</summary>
    public LogExtent Measure(long from, long until, Func<LogStream, bool> stream)
    {
        var extent = builder.Index.Measure(from, until, stream);
        var hasRest = slots.Count > 0 && tailMaxTime >= from && tailMinTime < until && slots.Exists(slot => stream(builder.Index.Streams[slot.Stream]));
        return hasRest ? extent + new LogExtent(1, slots.Count, tail.Length) : extent;
    }

    /// <summary>The streams of a time range; some may come twice.</summary>
    public List<LogStream> StreamsIn(long from, long until)
    {
        var found = builder.Index.StreamsIn(from, until);
        if (slots.Count > 0 && tailMaxTime >= from && tailMinTime < until)
        {
            found.AddRange(slots.Select(static slot => slot.Stream).Distinct().Select(number => builder.Index.Streams[number]));
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => CloseHandles();

    private void CloseHandles()
    {
        data?.Dispose();
        indexFile?.Dispose();
        (data, indexFile) = (null, null);
    }

    private IFileHandle Create(string path)
    {
        files.Delete(path); // what a try before this one left
        return files.Create(path);
    }

    private ReadOnlySpan<byte> Sorted(ByteBuffer sorted)
    {
        var isSorted = true;
        for (var i = 1; i < slots.Count && isSorted; i++)
        {
            isSorted = slots[i - 1].Key.CompareTo(slots[i].Key) <= 0;
        }

        if (isSorted)
        {
            return tail.Written;
        }

        slots.Sort(static (left, right) => left.Key.CompareTo(right.Key));
        sorted.Clear();
        foreach (var slot in slots)
        {
            sorted.Add(tail.Written.Slice(slot.Start, slot.Length));
        }

        return sorted.Written;
    }

    private string? Restore(LogManifest.Entry entry)
    {
        data = files.Open(Path, writable: true);
        string? damage = null;
        var length = data.Length;
        if (length < entry.Length)
        {
            damage = $"{Path} has {length} bytes; the manifest counts {entry.Length}";
        }
        else if (length > entry.Length)
        {
            data.Truncate(entry.Length);
        }

        if (damage is not null || !TryRestoreIndex(entry))
        {
            builder = FileSurvey.Run(data, Math.Min(length, entry.Length), out var bodyBytes, out var damaged);
            damage ??= damaged > 0 ? $"{Path}: {damaged} places cannot be read; their lines are missing" : null;
            indexWritten = 0;
            BodyBytes = bodyBytes;
        }
        else
        {
            BodyBytes = entry.BodyBytes;
        }

        Length = builder.Index.Frames.Count == 0 ? 0 : builder.Index.Frames[^1].Offset + builder.Index.Frames[^1].Size;
        foreach (var frame in builder.Index.Frames)
        {
            (MinTime, MaxTime) = (Math.Min(MinTime, frame.MinTime), Math.Max(MaxTime, frame.MaxTime));
            Lines += frame.Lines;
        }

        IsFrozen = entry.IsFrozen;
        return damage;
    }

    private bool TryRestoreIndex(LogManifest.Entry entry)
    {
        if (!files.Exists(IndexPath))
        {
            return false;
        }

        indexFile = files.Open(IndexPath, writable: true);
        if (indexFile.Length < entry.IndexLength)
        {
            return false;
        }

        indexFile.Truncate(entry.IndexLength);
        var bytes = new byte[entry.IndexLength];
        if (indexFile.Read(0, bytes) != bytes.Length || IndexFormat.Read(bytes, out var index, out _) is not null
            || index.Frames.Count == 0 || index.Frames[^1].Offset + index.Frames[^1].Size != entry.Length)
        {
            return false;
        }

        builder = new IndexBuilder(index);
        indexWritten = entry.IndexLength;
        return true;
    }

    private readonly record struct Slot(LogKey Key, int Start, int Length, int Stream);

    private readonly record struct Pending(FrameInfo Info, byte[] Frame);
}
