using Lm.Platform;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Collector.Bucket;

/// <summary>The blocks of the store, read by range through the cache: the parts of the index that a query needs, then the chunks.</summary>
/// <remarks>A block is opened when a query first wants it, and stays open until the cache is crowded or the block goes. One that is not what its
/// format says may have been changed on its way here, so it is fetched again: at once, and then every few minutes. Meanwhile it is left out of all answers,
/// as a damaged local one is: it is counted and told. Safe for concurrent use.</remarks>
/// <param name="files">Objects as files.</param>
/// <param name="folderOf">The folder of a block.</param>
/// <param name="isHere">Whether all that a block as it was first put, by its name, and an oldest time holds is on the local disk, too.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed class StoreBlocks(StoreFileSystem files, Func<Ulid, string> folderOf, Func<Ulid, long, bool> isHere, TimeProvider time, ILogger logger) : IBlockSource, IDisposable
{
    /// <summary>How long a block that stays damaged is not fetched again.</summary>
    public static readonly TimeSpan FetchAgainInterval = TimeSpan.FromMinutes(5); // each query of a dashboard would fetch it

    private const int OpensAtOnce = 8;

    private readonly LabelCache labels = new();
    private readonly Lock gate = new(); // guards blocks, the members of them, holders, uses
    private readonly Dictionary<Ulid, Place> blocks = [];
    private ILookup<Ulid, Place> holders = Holders([]); // of blocks, by source
    private long uses;

    /// <summary>Blocks that are open.</summary>
    public int OpenCount
    {
        get
        {
            lock (gate)
            {
                return blocks.Values.Count(static place => place.Reader is not null);
            }
        }
    }

    /// <summary>Blocks that were damaged when they were opened last, and are left out.</summary>
    public int DamagedCount
    {
        get
        {
            lock (gate)
            {
                return blocks.Values.Count(static place => place.IsDamaged);
            }
        }
    }

    /// <summary>Whether queries find all that a block holds in the store.</summary>
    public bool Finds(BlockMeta block)
    {
        lock (gate)
        {
            return block.Sources.All(source => holders[source].Any(static there => !there.IsDamaged));
        }
    }

    /// <summary>The store was listed.</summary>
    public void Listed(IReadOnlyList<BlockMeta> there)
    {
        lock (gate)
        {
            var ids = there.Select(static block => block.Id).ToHashSet();
            foreach (var gone in blocks.Keys.Where(id => !ids.Contains(id)).ToArray())
            {
                blocks[gone].Close();
                blocks.Remove(gone);
            }

            foreach (var block in there)
            {
                blocks.TryAdd(block.Id, new Place(block));
            }

            holders = Holders(blocks.Values);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<BlockReader> Take(long from, long until, IReadOnlyList<BlockMeta> local) => Take(from, until, local, isHere);

    /// <summary>All blocks that may hold samples of a range, both ends included, each held once for the caller.</summary>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public IReadOnlyList<BlockReader> TakeAll(long from, long until) => Take(from, until, [], static (_, _) => false);

    private IReadOnlyList<BlockReader> Take(long from, long until, IReadOnlyList<BlockMeta> local, Func<Ulid, long, bool> isNeedless)
    {
        List<Place> wanted;
        lock (gate)
        {
            wanted = [.. blocks.Values.Where(place => !IsLeftOut(place) && place.Meta.MinTime <= until && place.Meta.MaxTime > from && !place.Meta.Sources.All(source => isNeedless(source, place.Meta.MinTime)))];
            if (wanted.Count == 0)
            {
                return [];
            }

            var here = local.SelectMany(static block => block.Sources).ToHashSet();
            wanted.RemoveAll(place => place.Meta.Sources.All(here.Contains));
            wanted.ForEach(place => place.LastUsed = ++uses);
        }

        var held = new BlockReader?[wanted.Count];
        try
        {
            Parallel.For(0, held.Length, new ParallelOptions { MaxDegreeOfParallelism = OpensAtOnce }, i => held[i] = Hold(wanted[i]));
        }
        catch (AggregateException e)
        {
            Array.ForEach(held, static block => block?.Release());
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        return [.. held.OfType<BlockReader>()];
    }

    /// <summary>Closes the half of the open blocks that was used least recently; queries that read them go on.</summary>
    public void Shrink()
    {
        lock (gate)
        {
            var open = blocks.Values.Where(static place => place.Reader is not null).OrderBy(static place => place.LastUsed).ToList();
            foreach (var place in open.Take((open.Count + 1) / 2))
            {
                place.Close();
            }
        }
    }

    /// <summary>Closes all.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var place in blocks.Values)
            {
                place.Close();
            }

            blocks.Clear();
            holders = Holders([]);
        }
    }

    private static ILookup<Ulid, Place> Holders(IEnumerable<Place> places) =>
        places.SelectMany(static place => place.Meta.Sources, static (place, source) => (place, source)).ToLookup(static each => each.source, static each => each.place);

    // Null: it is left out.
    private BlockReader? Hold(Place place)
    {
        lock (place.Opening)
        {
            lock (gate)
            {
                if (IsLeftOut(place))
                {
                    return null; // who was here before found it so
                }

                if (place.Reader is { HasDamage: true } && MayFetchAgain(place))
                {
                    Forget(place);
                }

                if (place.Reader is { } open && open.TryHold())
                {
                    return open;
                }
            }

            if (Open(place) is not { } opened)
            {
                return null;
            }

            lock (gate)
            {
                if (!blocks.ContainsKey(place.Meta.Id))
                {
                    return opened; // the caller's alone
                }

                place.Reader = opened;
                opened.TryHold();
                return opened;
            }
        }
    }

    private BlockReader? Open(Place place)
    {
        try
        {
            return OpenFetched(place);
        }
        catch (BlockDamageException)
        {
            Forget(place); // what came may have been changed on its way: the second copy tells
        }

        try
        {
            return OpenFetched(place);
        }
        catch (BlockDamageException damage)
        {
            Forget(place);
            LeaveOut(place, damage);
            return null;
        }
    }

    private BlockReader OpenFetched(Place place)
    {
        var opened = BlockReader.Open(files, folderOf(place.Meta.Id), labels);
        lock (gate)
        {
            if (!place.IsDamaged)
            {
                return opened;
            }

            place.IsDamaged = false;
        }

        BucketLog.BlockMended(logger, place.Meta.Id);
        return opened;
    }

    private void LeaveOut(Place place, BlockDamageException damage)
    {
        lock (gate)
        {
            if (place.IsDamaged)
            {
                return;
            }

            place.IsDamaged = true;
        }

        BucketLog.BlockDamaged(logger, damage.Message);
    }

    private void Forget(Place place)
    {
        lock (gate)
        {
            place.Close();
            place.ForgottenAt = time.GetTimestamp();
        }

        files.Forget(folderOf(place.Meta.Id));
    }

    private bool IsLeftOut(Place place) => place.IsDamaged && !MayFetchAgain(place);

    private bool MayFetchAgain(Place place) => place.ForgottenAt is not { } at || time.GetElapsedTime(at) >= FetchAgainInterval;

    private sealed class Place(BlockMeta meta)
    {
        public BlockMeta Meta => meta;

        public Lock Opening { get; } = new(); // held by who opens it: one at a time

        public BlockReader? Reader { get; set; }

        public long LastUsed { get; set; }

        public bool IsDamaged { get; set; }

        public long? ForgottenAt { get; set; } // when what was here of it was given up for damage last

        public void Close()
        {
            Reader?.Release();
            Reader = null;
        }
    }
}
