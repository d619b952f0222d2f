using System.Buffers;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Bucket;

/// <summary>An object of the store as far as someone wanted to read it: a sparse file with the pages that were fetched.</summary>
/// <remarks>
/// Invariants:
/// a page is fetched once however many want it; those who come meanwhile wait for the first;
/// a page counts as there after all of it stands in the file, and its checksum (CRC-32C) in memory;
/// the first read of a page in each <see cref="CheckInterval"/> compares the file with that checksum: what the disk lost or changed is dropped and fetched again, and nobody sees it. In between
/// the system has in memory what was compared, or written;
/// the file lives as long as someone holds the object or the cache has room for it. No other process reads it: an older one's files are deleted at start, so they need no format.
/// Safe for concurrent use.
/// </remarks>
internal sealed class CachedObject
{
    /// <summary>What is fetched at the least.</summary>
    public const int PageSize = 64 << 10;

    /// <summary>How long a page that was compared with its checksum is read without.</summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(1); // comparing takes some 15 us: 64 MiB that are in use all the time cost 15 ms a minute

    // Who reads on where it ended gets twice as much each time, up to this.
    private const int RunMax = 64;

    private readonly IObjectStore store;
    private readonly TimeProvider time;
    private readonly long checkTicks;
    private readonly uint[] checksums; // of pages that are here; one that is fetched is its fetcher's
    private readonly Lock gate = new(); // guards all below; pages are read without
    private readonly long[] pages; // 0: not here; else the time from which it is compared again before it is read
    private readonly Dictionary<int, Task> inFlight = [];
    private IFileHandle? file;
    private int nextPage = -1; // where the last fetch ended
    private int run = 1;

    /// <summary>Makes one of an object of which nothing is here yet.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The object.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="file">An empty file; its own from then on.</param>
    /// <param name="time">The clock.</param>
    public CachedObject(IObjectStore store, string key, long size, IFileHandle file, TimeProvider time)
    {
        (this.store, Key, Size, this.file, this.time) = (store, key, size, file, time);
        checkTicks = (long)(CheckInterval.TotalSeconds * time.TimestampFrequency);
        pages = new long[checked((int)((size + PageSize - 1) / PageSize))];
        checksums = new uint[pages.Length];
    }

    /// <summary>Hears how many bytes came.</summary>
    public required Action<CachedObject, int> Fetched { get; init; }

    /// <summary>Hears how many bytes were dropped because the disk does not have them as they came.</summary>
    public required Action<CachedObject, int> Damaged { get; init; }

    /// <summary>The object's key.</summary>
    public string Key { get; }

    /// <summary>The object's bytes.</summary>
    public long Size { get; }

    /// <summary>The cache's file.</summary>
    public string FilePath => (file ?? throw new ObjectDisposedException(Key)).Path;

    /// <summary>Bytes that are here. The cache's gate guards it.</summary>
    public long CachedBytes { get; set; }

    /// <summary>Who holds it. The cache's gate guards it.</summary>
    public int Holders { get; set; }

    /// <summary>When it was used last. The cache's gate guards it.</summary>
    public long LastUsed { get; set; }

    /// <summary>Reads a range of the object.</summary>
    /// <returns>Bytes read; fewer than asked only at its end.</returns>
    /// <exception cref="IOException">Neither cache nor store have it.</exception>
    public int Read(long offset, Span<byte> buffer)
    {
        var count = (int)Math.Clamp(Size - offset, 0, buffer.Length);
        if (count == 0)
        {
            return 0;
        }

        Ensure(offset, count);
        return (file ?? throw new ObjectDisposedException(Key)).Read(offset, buffer[..count]);
    }

    /// <summary>Maps the object: a part is fetched when it is looked at.</summary>
    /// <param name="release">Called once nobody looks any more.</param>
    /// <returns>Null where that is not possible.</returns>
    public MappedFile? TryMap(Action release) =>
        Size > 0 && (file ?? throw new ObjectDisposedException(Key)).TryMap(0, Size) is { } mapped ? mapped.WithPages(Key, Ensure, release) : null;

    /// <summary>Fetches what is missing of a range, or damaged.</summary>
    /// <exception cref="IOException">The store cannot be asked, or the cache's disk takes nothing.</exception>
    public void Ensure(long offset, int count)
    {
        if (count <= 0)
        {
            return;
        }

        var (first, last) = ((int)(offset / PageSize), (int)((offset + count - 1) / PageSize));
        if (AreFresh(first, last))
        {
            return;
        }

        while (Next(first, last) is { } step)
        {
            if (step.Own is not { } own)
            {
                Await(step.Other!);
                continue;
            }

            try
            {
                Fetch(step.From, step.To);
                Done(step.From, step.To);
                own.SetResult();
            }
            catch (Exception e) // whatever it is: who waits for these pages must not wait for ever
            {
                Failed(step.From, step.To);
                own.SetException(e);
                _ = own.Task.Exception; // who waits has seen it, or nobody waits
                throw;
            }
        }
    }

    /// <summary>Closes the file. Nobody holds the object any more.</summary>
    public void Close()
    {
        lock (gate)
        {
            file?.Dispose();
            file = null;
        }
    }

    // Whoever waits for another's fetch tries itself when that failed.
    private static void Await(Task other)
    {
        try
        {
            other.GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Its own try says what is the matter.
        }
    }

    private bool Has(int page) => pages[page] != 0;

    private int SizeOf(int page) => (int)Math.Min(PageSize, Size - ((long)page * PageSize));

    // Drops what turns out to be damaged. False: not all of it is here.
    private bool AreFresh(int first, int last)
    {
        var (areHere, now) = (true, time.GetTimestamp());
        for (var page = first; page <= last; page++)
        {
            var checkAt = Volatile.Read(ref pages[page]);
            if (checkAt > now)
            {
                continue;
            }

            var isFresh = checkAt != 0 && IsWhole(page);
            if (isFresh)
            {
                Interlocked.CompareExchange(ref pages[page], now + checkTicks, checkAt);
            }
            else if (checkAt != 0)
            {
                Drop(page, checkAt);
            }

            areHere &= isFresh;
        }

        return areHere;
    }

    private bool IsWhole(int page)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PageSize);
        try
        {
            var bytes = buffer.AsSpan(0, SizeOf(page));
            return (file ?? throw new ObjectDisposedException(Key)).Read((long)page * PageSize, bytes) == bytes.Length && Crc32C.Compute(bytes) == checksums[page];
        }
        catch (IOException)
        {
            return false; // a bad sector: writing may mend it
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Not what another has fetched again since it was seen.
    private void Drop(int page, long seen)
    {
        lock (gate)
        {
            if (pages[page] != seen)
            {
                return;
            }

            pages[page] = 0;
        }

        Damaged(this, SizeOf(page));
    }

    // Null: nothing is missing. Else a stretch of pages to fetch, or the fetch to wait for.
    private Step? Next(int first, int last)
    {
        lock (gate)
        {
            while (first <= last && Has(first))
            {
                first++;
            }

            if (first > last)
            {
                return null;
            }

            if (inFlight.TryGetValue(first, out var other))
            {
                return new Step(first, first, null, other);
            }

            run = first == nextPage ? Math.Min(RunMax, run * 2) : 1;
            var end = Math.Min(Math.Max(last + 1, first + run), Math.Min(pages.Length, first + RunMax));
            var own = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var to = first;
            for (; to < end && !Has(to) && !inFlight.ContainsKey(to); to++)
            {
                inFlight.Add(to, own.Task);
            }

            nextPage = to;
            return new Step(first, to, own, null);
        }
    }

    private void Fetch(int from, int to)
    {
        var (start, size) = ((long)from * PageSize, (int)Math.Min((long)(to - from) * PageSize, Size - ((long)from * PageSize)));
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            // Whoever asks stands in the middle of an index or a chunk: there is nothing else for it to do. Each try has its time limit.
            var range = store.ReadAsync(Key, start, buffer.AsMemory(0, size), CancellationToken.None).GetAwaiter().GetResult();
            if (range != new ObjectRange(size, Size))
            {
                throw new ObjectStoreException(ObjectStoreFault.Failed, $"{Key} in {store.Description} is not there any more, or is another one", cause: null);
            }

            for (var page = from; page < to; page++)
            {
                checksums[page] = Crc32C.Compute(buffer.AsSpan((page - from) * PageSize, SizeOf(page)));
            }

            (file ?? throw new ObjectDisposedException(Key)).Write(start, buffer.AsSpan(0, size));
            Fetched(this, size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Done(int from, int to)
    {
        var checkAt = time.GetTimestamp() + checkTicks;
        lock (gate)
        {
            for (var page = from; page < to; page++)
            {
                Volatile.Write(ref pages[page], checkAt);
                inFlight.Remove(page);
            }
        }
    }

    private void Failed(int from, int to)
    {
        lock (gate)
        {
            for (var page = from; page < to; page++)
            {
                inFlight.Remove(page);
            }
        }
    }

    private readonly record struct Step(int From, int To, TaskCompletionSource? Own, Task? Other);
}
