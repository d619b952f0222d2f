using Lm.Collector.Listeners;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Bucket;

/// <summary>Lets queries read what lies in the object store alone: blocks and log files, by range, through <c>cache_dir</c>.</summary>
/// <remarks>What is there is known from a list, made at start and every few minutes. Without an answer queries reach what was known before.</remarks>
internal sealed class BucketReader : IDisposable
{
    private const string CacheFolder = "objects";

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(2);

    // A list of a large bucket has some twenty pages. Batches are taken meanwhile.
    private static readonly TimeSpan ListMax = TimeSpan.FromSeconds(10);

    private readonly BucketReaderParts parts;
    private readonly ObjectCache cache;
    private readonly StoreBlocks blocks;
    private readonly StoreLogs logs;
    private readonly RetryPolicy backoff = new(RetryFirst, Interval, new Random());
    private readonly SemaphoreSlim passing = new(1); // one list at a time: an older one must not come behind a newer one
    private volatile BucketCatalog catalog = BucketCatalog.Empty;
    private volatile bool isListed;
    private int failures;
    private long listBegan = long.MinValue; // of the one that is known

    /// <summary>Opens the cache; nothing is asked of the store yet.</summary>
    /// <exception cref="IOException">The cache's folder cannot be used.</exception>
    public BucketReader(BucketReaderParts parts)
    {
        this.parts = parts;
        cache = ObjectCache.Open(parts.Store, parts.Files, Path.Combine(parts.CacheDirectory, CacheFolder), parts.CacheSizeMax, parts.Time, parts.Logger);
        var files = new StoreFileSystem(cache, key => catalog.Sizes.TryGetValue(key, out var size) ? size : null);
        blocks = new StoreBlocks(files, id => StoreFileSystem.PathOf(parts.Keys.BlocksFolder + id), parts.IsHere, parts.Time, parts.Logger);
        logs = new StoreLogs(files, parts.IsHere);
        cache.Crowded += blocks.Shrink;
    }

    /// <summary>The blocks of the store.</summary>
    public IBlockSource Blocks => blocks;

    /// <summary>The log files of the store.</summary>
    public ILogFileSource Logs => logs;

    /// <summary>Whether queries find all that a block holds in the store.</summary>
    public bool Finds(BlockMeta block) => blocks.Finds(block);

    /// <summary>Whether queries find a log file in the store.</summary>
    public bool Finds(StoredLogFile file) => logs.Finds(file);

    /// <summary>Whether what is known of the store is a list that began after a time, by the process' clock.</summary>
    public bool WasListedSince(long at) => IsListed && Volatile.Read(ref listBegan) >= at;

    /// <summary>What the store has, as of the last list.</summary>
    public BucketCatalog Catalog => catalog;

    /// <summary>Whether the store was listed since start.</summary>
    public bool IsListed => isListed;

    /// <summary>Lists the store at once, in bounded time.</summary>
    public async Task AskAsync(CancellationToken stopping)
    {
        using var deadline = new CancellationTokenSource(ListMax, parts.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, deadline.Token);
        try
        {
            await TryPassAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            BeginTrouble($"the store did not answer within {ListMax.TotalSeconds} s");
        }
    }

    /// <summary>Lists the store now.</summary>
    /// <exception cref="IOException">It cannot be listed.</exception>
    public async Task ListAsync(CancellationToken cancellationToken)
    {
        if (!await TryPassAsync(cancellationToken))
        {
            throw new IOException("blocks and log files in the object store could not be listed; the log says why");
        }
    }

    /// <summary>All blocks of the store that may hold samples of a range, those that lie here, too, each held once for the caller.</summary>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public IReadOnlyList<BlockReader> TakeAll(long from, long until) => blocks.TakeAll(from, until);

    /// <summary>Lists the store now and then until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await Task.Delay(failures == 0 ? Interval : backoff.DelayAfter(failures), parts.Time, stopping);
                await TryPassAsync(stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends.
        }
    }

    /// <summary>The values for <c>/metrics</c>.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        var now = catalog;
        yield return new CollectorMetric("lm_collector_bucket_blocks", "Blocks in the object store that queries reach, as of the last list.", false, "", now.Blocks.Count);
        yield return new CollectorMetric(
            "lm_collector_bucket_blocks_damaged", "Blocks in the object store that are left out of answers because they cannot be read.", false, "", now.Unreadable.Count + blocks.DamagedCount);
        yield return new CollectorMetric(
            "lm_collector_bucket_blocks_downsampled", "Blocks in the object store that are left out of answers because they are of another resolution.", false, "", now.Downsampled.Count);
        yield return new CollectorMetric("lm_collector_bucket_log_files", "Log files in the object store that queries reach, as of the last list.", false, "", now.Logs.Count);
        yield return new CollectorMetric("lm_collector_bucket_blocks_open", "Blocks of the object store that are open.", false, "", blocks.OpenCount);
        yield return new CollectorMetric("lm_collector_bucket_list_failures", "Lists of the object store that failed since the last one that did not.", false, "", Volatile.Read(ref failures));
        yield return new CollectorMetric("lm_collector_cache_bytes", "Bytes of objects in cache_dir.", false, "", cache.Bytes);
        yield return new CollectorMetric("lm_collector_cache_files", "Objects of which there is something in cache_dir; each keeps a file open.", false, "", cache.Count);
        yield return new CollectorMetric("lm_collector_cache_reads_total", "Reads from the object store for queries.", true, "", cache.Fetches);
        yield return new CollectorMetric("lm_collector_cache_read_bytes_total", "Bytes of them.", true, "", cache.FetchedBytes);
        yield return new CollectorMetric("lm_collector_cache_evicted_bytes_total", "Bytes given up for room in the cache.", true, "", cache.EvictedBytes);
        yield return new CollectorMetric("lm_collector_cache_damaged_pages_total", "Pages of 64 KiB that cache_dir's disk did not have as they came, and that were fetched again.", true, "", cache.DamagedPages);
    }

    /// <summary>Closes what is open.</summary>
    public void Dispose()
    {
        blocks.Dispose();
        cache.Dispose();
        passing.Dispose();
    }

    internal async Task<bool> TryPassAsync(CancellationToken stopping)
    {
        await passing.WaitAsync(stopping);
        try
        {
            return await PassAsync(stopping);
        }
        finally
        {
            passing.Release();
        }
    }

    private async Task<bool> PassAsync(CancellationToken stopping)
    {
        try
        {
            var began = parts.Time.GetTimestamp();
            var listed = await parts.BeginListAsync(stopping);
            var found = await BucketCatalog.ReadAsync(parts.Store, parts.Keys, catalog, parts.Logger, stopping);
            var isNews = !isListed || found.Blocks.Count != catalog.Blocks.Count || found.Logs.Count != catalog.Logs.Count;
            catalog = found;
            blocks.Listed(found.Blocks);
            logs.Listed(found.Logs);
            isListed = true;
            Volatile.Write(ref listBegan, began);
            listed();
            if (isNews)
            {
                BucketLog.Listed(parts.Logger, found.Blocks.Count, found.Logs.Count);
            }

            EndTrouble();
            return true;
        }
        catch (IOException e)
        {
            BeginTrouble(e.Message);
            return false;
        }
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
        {
            BucketLog.PassFailed(parts.Logger, e);
            BeginTrouble("a fault of the program; the log has it");
            return false;
        }
    }

    private void BeginTrouble(string reason)
    {
        if (failures++ == 0)
        {
            BucketLog.TroubleBegan(parts.Logger, reason);
        }
    }

    private void EndTrouble()
    {
        if (failures > 0)
        {
            BucketLog.TroubleEnded(parts.Logger, failures);
        }

        failures = 0;
    }
}

/// <summary>What a bucket reader works with.</summary>
/// <param name="Store">The store; not disposed of.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Files">The file system of the cache.</param>
/// <param name="CacheDirectory">cache_dir.</param>
/// <param name="CacheSizeMax">Bytes that the cache may have, as it is now.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Its log.</param>
internal sealed record BucketReaderParts(IObjectStore Store, ObjectKeys Keys, IFileSystem Files, string CacheDirectory, Func<long> CacheSizeMax, TimeProvider Time, ILogger Logger)
{
    /// <summary>Whether all that a file of a name and an oldest time (milliseconds since 1970) holds is on the local disk, too: then it is not read.</summary>
    public Func<Ulid, long, bool> IsHere { get; init; } = static (_, _) => false;

    /// <summary>Asked before each list; what it returns is called when that has succeeded.</summary>
    public Func<CancellationToken, Task<Action>> BeginListAsync { get; init; } = static _ => Task.FromResult<Action>(static () => { });
}
