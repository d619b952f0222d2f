using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <summary>The sealed chunks of a window, one after another: pages in memory that become a file, byte for byte.</summary>
/// <remarks>
/// Invariants: bytes are only ever appended; a record does not cross a page; what was written and synced lies before <see cref="Written"/>, and only such
/// pages leave memory. A place is an offset in units of eight bytes; 0 is none, for the header stands there.
/// Written by the head's writer. A reader that learnt a place under the gate may read it without: from memory, or from the file, which is mapped piece by
/// piece as readers need it. Nothing is cut off a mapped file, and only what lies before <see cref="Written"/> is looked at, so every byte read is there.
/// Pages are given back and taken under the gate. Whoever disposes of it answers for no reader being left.
/// </remarks>
internal sealed class ChunkLog : IDisposable
{
    /// <summary>Bytes of the file's header.</summary>
    public const int HeaderSize = 32;

    private const int PageBytes = ChunkPages.PageBytes;
    private const int PageBits = ChunkPages.PageBits;
    private const int PlaceBits = 3;
    private const int FirstRead = 512; // a usual chunk with its header
    private const int PieceBits = 24; // a piece that is mapped at a time: 16 MiB of addresses, whole pages

    private readonly IFileSystem files;
    private readonly string path;
    private readonly ChunkPages free;
    private byte[]?[] pages = new byte[4][];
    private readonly Lock mapping = new(); // guards the growth of pieces
    private MappedFile?[] pieces = [];
    private IFileHandle? handle;
    private long length;
    private int pageCount;
    private int firstPage; // those below are not in memory

    private ChunkLog(IFileSystem files, string path, ChunkPages free) => (this.files, this.path, this.free) = (files, path, free);

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Bytes that are written and synced.</summary>
    public long Written { get; private set; }

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => (long)pageCount * PageBytes;

    /// <summary>Begins a log; its file appears with the first write.</summary>
    public static ChunkLog Create(IFileSystem files, string path, ChunkPages free, in WindowIdentity identity)
    {
        var log = new ChunkLog(files, path, free);
        identity.Write(log.AddPage(0), WindowIdentity.LogMagic);
        log.length = HeaderSize;
        return log;
    }

    /// <summary>Opens a log's file.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="free">Where pages come from.</param>
    /// <param name="identity">Whose it must be.</param>
    /// <param name="written">Bytes that count; what stands behind them is cut.</param>
    /// <param name="damage">Why it is not usable; empty when it is.</param>
    public static ChunkLog? Open(IFileSystem files, string path, ChunkPages free, in WindowIdentity identity, long written, out string damage)
    {
        var log = new ChunkLog(files, path, free) { Written = written, length = written, firstPage = (int)(written >> PageBits) };
        Span<byte> header = stackalloc byte[HeaderSize];
        try
        {
            log.handle = files.Open(path, writable: true);
            var found = log.handle.Length;
            damage = found < written ? $"{path} has {found} bytes, {written} were written"
                : log.handle.Read(0, header) < HeaderSize || !identity.Matches(header, WindowIdentity.LogMagic) ? $"{path}: its header is not that of window {identity.Number}"
                : "";
            if (damage.Length == 0 && found > written)
            {
                log.handle.Truncate(written);
            }
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            damage = $"{path} is missing";
        }

        if (damage.Length > 0)
        {
            log.Dispose();
            return null;
        }

        return log;
    }

    /// <summary>Appends a chunk.</summary>
    /// <returns>Its place.</returns>
    public uint Append(ChunkRecord record, ReadOnlySpan<byte> bytes)
    {
        var size = (ChunkRecord.HeaderSize + bytes.Length + 7) & ~7;
        var page = (int)(length >> PageBits);
        var at = (int)(length & (PageBytes - 1));
        if (at + size > PageBytes || (at > 0 && PageAt(page) is null))
        {
            // What is left of the page stays zero; of a page that lies in the file only, too: nothing is written there twice.
            (page, at) = (page + 1, 0);
            length = (long)page << PageBits;
        }

        var target = (PageAt(page) ?? AddPage(page)).AsSpan(at, size);
        record.Write(target, bytes);
        var place = (uint)(length >> PlaceBits);
        length += size;
        return place;
    }

    /// <summary>Reads a chunk.</summary>
    /// <param name="place">Where.</param>
    /// <param name="into">Takes its bytes.</param>
    /// <param name="record">What it is.</param>
    /// <returns>False when the file cannot be read or its bytes are damaged.</returns>
    public bool TryRead(uint place, ChunkBytes into, out ChunkRecord record)
    {
        var offset = (long)place << PlaceBits;
        if (PageAt((int)(offset >> PageBits)) is { } page)
        {
            var bytes = page.AsSpan((int)(offset & (PageBytes - 1)));
            record = ChunkRecord.Read(bytes);
            into.Add(bytes.Slice(ChunkRecord.HeaderSize, record.Length));
            return true;
        }

        return TryReadFile(offset, into, out record);
    }

    /// <summary>Writes what is not written yet, and syncs.</summary>
    /// <exception cref="FileSystemException">It failed; all of it is written again next time.</exception>
    public void Write()
    {
        if (length == Written)
        {
            return;
        }

        if (handle is null)
        {
            files.Delete(path); // left by an attempt that failed
            handle = files.Create(path);
        }

        for (var offset = Written; offset < length;)
        {
            var page = (int)(offset >> PageBits);
            var end = Math.Min(length, ((long)page + 1) << PageBits);
            if (PageAt(page) is { } bytes)
            {
                var at = (int)(offset & (PageBytes - 1));
                handle.Write(offset, bytes.AsSpan(at, (int)(end - offset)));
            }

            offset = end;
        }

        handle.Sync();
        Written = length;
    }

    /// <summary>Gives back the memory of whole pages that are in the file.</summary>
    /// <param name="isRead">Whether a reader may be at them.</param>
    /// <returns>How many bytes.</returns>
    public long DropClean(bool isRead) => Drop((int)(Written >> PageBits), isRead);

    /// <summary>Gives back all memory, after <see cref="Write"/>; what comes next begins a page.</summary>
    /// <param name="isRead">Whether a reader may be at it.</param>
    public void DropAll(bool isRead) => Drop((int)((length + PageBytes - 1) >> PageBits), isRead);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var piece in pieces)
        {
            piece?.Dispose();
        }

        pieces = [];
        Drop(pages.Length, isRead: false);
        handle?.Dispose();
    }

    private long Drop(int limit, bool isRead)
    {
        var before = SizeBytes;
        for (; firstPage < limit; firstPage++)
        {
            if (firstPage < pages.Length && pages[firstPage] is { } page)
            {
                pages[firstPage] = null;
                pageCount--;
                if (!isRead)
                {
                    free.Give(page);
                }
            }
        }

        return before - SizeBytes;
    }

    private byte[]? PageAt(int page)
    {
        var now = pages;
        return page < now.Length ? now[page] : null;
    }

    private byte[] AddPage(int page)
    {
        if (page >= pages.Length)
        {
            var longer = pages;
            Array.Resize(ref longer, Math.Max(page + 1, pages.Length * 2));
            pages = longer;
        }

        pageCount++;
        return pages[page] = free.Take();
    }

    private bool TryReadFile(long offset, ChunkBytes into, out ChunkRecord record)
    {
        record = default;
        if (handle is not { } file)
        {
            return false;
        }

        return Mapped(file, offset) is { Length: >= ChunkRecord.HeaderSize } mapped
            ? TryTake(mapped, into, out record)
            : TryReadFile(file, offset, into, out record);
    }

    private static bool TryTake(ReadOnlySpan<byte> mapped, ChunkBytes into, out ChunkRecord record)
    {
        record = ChunkRecord.Read(mapped);
        var size = ChunkRecord.HeaderSize + record.Length;
        if (size > Math.Min(ChunkRecord.SizeMax, mapped.Length) || !ChunkRecord.IsIntact(mapped[..size]))
        {
            return false;
        }

        into.Add(mapped[ChunkRecord.HeaderSize..size]);
        return true;
    }

    // What is written from an offset on to the end of its page; empty where it cannot be mapped.
    private ReadOnlySpan<byte> Mapped(IFileHandle file, long offset)
    {
        var index = (int)(offset >> PieceBits);
        var known = Volatile.Read(ref pieces);
        var piece = (index < known.Length ? known[index] : null) ?? Map(file, index);
        var until = Math.Min(Written, (offset | (PageBytes - 1)) + 1);
        return piece is null || until <= offset ? default : piece.Slice(offset & ((1 << PieceBits) - 1), (int)(until - offset));
    }

    private MappedFile? Map(IFileHandle file, int index)
    {
        lock (mapping)
        {
            var longer = pieces;
            if (index < longer.Length && longer[index] is { } piece)
            {
                return piece;
            }

            Array.Resize(ref longer, Math.Max(index + 1, longer.Length));
            longer[index] = file.TryMap((long)index << PieceBits, 1 << PieceBits);
            Volatile.Write(ref pieces, longer);
            return longer[index];
        }
    }

    private static bool TryReadFile(IFileHandle file, long offset, ChunkBytes into, out ChunkRecord record)
    {
        record = default;

        try
        {
            var buffer = into.Scratch(ChunkRecord.SizeMax);
            var read = file.Read(offset, buffer[..FirstRead]);
            if (read < ChunkRecord.HeaderSize)
            {
                return false;
            }

            record = ChunkRecord.Read(buffer);
            var size = ChunkRecord.HeaderSize + record.Length;
            if (size > ChunkRecord.SizeMax || (size > read && file.Read(offset, buffer[..size]) < size) || !ChunkRecord.IsIntact(buffer[..size]))
            {
                return false;
            }

            into.Add(buffer[ChunkRecord.HeaderSize..size]);
            return true;
        }
        catch (FileSystemException)
        {
            return false; // counted by the caller as a chunk that cannot be read
        }
    }
}
