using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Blocks;

/// <summary>The blocks of a directory: an immutable list that is swapped whole.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Readers take a <see cref="BlockSnapshot"/>; a block that leaves the set stays readable for those that hold it, even after its files are deleted.</item>
/// <item>One writer at a time changes the set: methods that change it take a lock; readers never wait for disk.</item>
/// <item>Blocks are in order of precedence: of two that hold one sample the first wins.</item>
/// <item>A block that cannot be read is left where it is, out of the set, and reported in <see cref="Damaged"/>: its bytes may be all there is.</item>
/// </list>
/// Safe for concurrent use.
/// </remarks>
public sealed class BlockSet : IDisposable
{
    private readonly IFileSystem files;
    private readonly LabelCache cache = new();
    private readonly UlidSource ids;
    private readonly Lock gate = new(); // guards changes of blocks, and takes of snapshots against a release in between
    private IReadOnlyList<BlockReader> blocks = [];

    private BlockSet(IFileSystem files, string directory, TimeProvider time)
    {
        (this.files, Directory) = (files, directory);
        ids = new UlidSource(time);
    }

    /// <summary>The folder that holds the blocks.</summary>
    public string Directory { get; }

    /// <summary>Blocks that could not be opened, each with the reason.</summary>
    public IReadOnlyList<DamagedBlock> Damaged { get; private set; } = [];

    /// <summary>What the blocks' <c>meta.json</c> say, in order of precedence.</summary>
    public IReadOnlyList<BlockMeta> Metas => [.. Volatile.Read(ref blocks).Select(block => block.Meta)];

    /// <summary>Bytes of all blocks.</summary>
    public long SizeBytes => Volatile.Read(ref blocks).Sum(block => block.SizeBytes);

    /// <summary>Up to where the spool's records of each window are in blocks.</summary>
    public IReadOnlyList<BlockCoverage> Coverage => BlockCoverage.Merge(Volatile.Read(ref blocks).SelectMany(block => block.Meta.Coverage));

    internal IFileSystem Files => files;

    /// <summary>Opens a directory, which is created where it is missing: what a crash left half made or half deleted goes, blocks that a merged one replaces go.</summary>
    /// <exception cref="FileSystemException">The directory cannot be read or changed.</exception>
    public static BlockSet Open(IFileSystem files, string directory, TimeProvider time)
    {
        files.CreateDirectory(directory);
        var set = new BlockSet(files, directory, time);
        var opened = new List<BlockReader>();
        var damaged = new List<DamagedBlock>();
        try
        {
            foreach (var name in files.ListDirectories(directory))
            {
                if (BlockPaths.IsLeftover(name))
                {
                    FolderTree.Delete(files, Path.Combine(directory, name));
                }
                else if (Ulid.TryParse(name, out var id))
                {
                    set.ids.Saw(id);
                    set.OpenOne(name, opened, damaged);
                }
            }

            set.Damaged = damaged;
            set.blocks = Ordered(opened);
            set.DeleteReplaced();
            return set;
        }
        catch
        {
            opened.ForEach(block => block.Dispose());
            throw;
        }
    }

    /// <summary>The name for the next block; every one is greater than those before.</summary>
    public Ulid NextId() => ids.Next();

    /// <summary>Begins a block in this directory. After <see cref="BlockWriter.Commit"/> it comes into the set by <see cref="Add"/>.</summary>
    /// <param name="minTime">No sample is older.</param>
    /// <param name="maxTime">All samples are older.</param>
    public BlockWriter Write(long minTime, long maxTime) => new(files, Directory, ids.Next(), minTime, maxTime);

    /// <summary>Takes a committed block in.</summary>
    /// <exception cref="BlockDamageException">It cannot be read.</exception>
    public void Add(Ulid id)
    {
        var added = BlockReader.Open(files, Path.Combine(Directory, id.ToString()), cache);
        lock (gate)
        {
            Volatile.Write(ref blocks, Ordered([.. blocks, added]));
        }
    }

    /// <summary>Takes a block in and those out that it replaces, in one step; then deletes these.</summary>
    /// <exception cref="BlockDamageException">The new one cannot be read; it is deleted, and the old ones stay.</exception>
    /// <exception cref="FileSystemException">The same; or the old ones are out of the set, but not all deleted: the next start does it.</exception>
    public void Replace(Ulid added, IReadOnlyCollection<Ulid> replaced)
    {
        var folder = Path.Combine(Directory, added.ToString());
        BlockReader block;
        try
        {
            block = BlockReader.Open(files, folder, cache);
        }
        catch (Exception failure) when (failure is BlockDamageException or FileSystemException)
        {
            // All of it is in the old ones, and the next merge would make a second block of the same sources.
            BlockPaths.DeleteBlock(files, folder);
            throw;
        }

        Swap(each => !replaced.Contains(each.Meta.Id), block);
    }

    /// <summary>Takes blocks out of the set and deletes them; readers that hold them go on.</summary>
    /// <exception cref="FileSystemException">They are out of the set, but not all deleted: the next start brings those back.</exception>
    public void Delete(IReadOnlyCollection<Ulid> removed) => Swap(each => !removed.Contains(each.Meta.Id), null);

    /// <summary>The blocks that may hold samples of a range, both ends included; to be disposed of.</summary>
    public BlockSnapshot Take(long from, long until)
    {
        lock (gate)
        {
            var held = new List<BlockReader>();
            foreach (var block in blocks)
            {
                if (block.Overlaps(from, until) && block.TryHold())
                {
                    held.Add(block);
                }
            }

            return new BlockSnapshot(held);
        }
    }

    /// <summary>Takes all blocks out; their files stay.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            var all = blocks;
            blocks = [];
            foreach (var block in all)
            {
                block.Dispose();
            }
        }
    }

    internal static IReadOnlyList<BlockReader> Ordered(IEnumerable<BlockReader> all) =>
        [.. all.OrderBy(block => block.Meta.Precedence).ThenBy(block => block.Meta.Id)];

    private void OpenOne(string name, List<BlockReader> opened, List<DamagedBlock> damaged)
    {
        try
        {
            opened.Add(BlockReader.Open(files, Path.Combine(Directory, name), cache));
        }
        catch (Exception failure) when (failure is BlockDamageException or FileSystemException)
        {
            damaged.Add(new DamagedBlock(name, failure.Message));
        }
    }

    private void DeleteReplaced()
    {
        var replaced = blocks.Where(block => blocks.Any(other => other.Meta.Replaces(block.Meta))).Select(block => block.Meta.Id).ToHashSet();
        if (replaced.Count > 0)
        {
            Delete(replaced);
        }
    }

    private void Swap(Func<BlockReader, bool> stays, BlockReader? added)
    {
        IReadOnlyList<BlockReader> removed;
        lock (gate)
        {
            removed = [.. blocks.Where(block => !stays(block))];
            Volatile.Write(ref blocks, Ordered(added is null ? blocks.Where(stays) : [.. blocks.Where(stays), added]));
        }

        foreach (var block in removed)
        {
            block.Release();
        }

        foreach (var block in removed)
        {
            BlockPaths.DeleteBlock(files, block.Folder);
        }

        files.SyncDirectory(Directory);
    }
}

/// <summary>A block that cannot be read.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="Reason">File, place, what was found and expected.</param>
public readonly record struct DamagedBlock(string Name, string Reason);

/// <summary>Blocks as they were at one moment, in order of precedence, readable until disposed of.</summary>
/// <param name="blocks">The blocks, each held once for this.</param>
public sealed class BlockSnapshot(IReadOnlyList<BlockReader> blocks) : IDisposable
{
    private int disposed;

    /// <summary>The blocks.</summary>
    public IReadOnlyList<BlockReader> Blocks => blocks;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            foreach (var block in blocks)
            {
                block.Release();
            }
        }
    }
}
