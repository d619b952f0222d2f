using System.Buffers;
using Lm.ObjectStore;
using Lm.Platform.Files;

namespace Lm.Collector.Bucket;

/// <summary>An object of the store as far as someone wanted to read it: a sparse file with the pages that were fetched.</summary>
/// <remarks>
/// Invariants:
/// a page is fetched once however many want it; those who come meanwhile wait for the first;
/// a page counts as there after all of it stands in the file;
/// the file lives as long as someone holds the object or the cache has room for it.
/// What the pages hold is checked by whoever reads them: every part of a block, an index and a frame has a checksum of its own. Safe for concurrent use.
/// </remarks>
internal sealed class CachedObject
{
    /// <summary>What is fetched at the least.</summary>
    public const int PageSize = 64 << 10;

    // Who reads on where it ended gets twice as much each time, up to this.
    private const int RunMax = 64;

    private readonly IObjectStore store;
    private readonly Action<CachedObject, int> fetched;
    private readonly Lock gate = new(); // guards all below
    private readonly ulong[] pages;
    private readonly Dictionary<int, Task> inFlight = [];
    private IFileHandle? file;
    private int missing;
    private int nextPage = -1; // where the last fetch ended
    private int run = 1;

    /// <summary>Makes one of an object of which nothing is here yet.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The object.</param>
    /// <param name="size">Its bytes.</param>
    /// <param name="file">An empty file; its own from then on.</param>
    /// <param name="fetched">Hears how many bytes came.</param>
    public CachedObject(IObjectStore store, string key, long size, IFileHandle file, Action<CachedObject, int> fetched)
    {
        (this.store, Key, Size, this.file, this.fetched) = (store, key, size, file, fetched);
        missing = checked((int)((size + PageSize - 1) / PageSize));
        pages = new ulong[(missing + 63) / 64];
    }

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

    /// <summary>Fetches what is missing of a range.</summary>
    /// <exception cref="IOException">The store cannot be asked, or the cache's disk takes nothing.</exception>
    public void Ensure(long offset, int count)
    {
        if (Volatile.Read(ref missing) == 0 || count <= 0)
        {
            return;
        }

        var (first, last) = ((int)(offset / PageSize), (int)((offset + count - 1) / PageSize));
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

    private bool Has(int page) => (pages[page / 64] & (1UL << (page % 64))) != 0;

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
            var pageCount = (int)((Size + PageSize - 1) / PageSize);
            var end = Math.Min(Math.Max(last + 1, first + run), Math.Min(pageCount, first + RunMax));
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

            (file ?? throw new ObjectDisposedException(Key)).Write(start, buffer.AsSpan(0, size));
            fetched(this, size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Done(int from, int to)
    {
        lock (gate)
        {
            for (var page = from; page < to; page++)
            {
                pages[page / 64] |= 1UL << (page % 64);
                inFlight.Remove(page);
            }

            Volatile.Write(ref missing, missing - (to - from));
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
