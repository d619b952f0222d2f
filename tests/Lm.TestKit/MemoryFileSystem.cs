using System.Runtime.InteropServices;

using Lm.Platform.Files;

namespace Lm.TestKit;

/// <summary>A file system in memory that keeps what the device holds apart from what the page cache shows, so that a test can cut
/// the power, kill the process, fail any call, or fill the disk.</summary>
/// <remarks>After <see cref="PowerCut"/> or <see cref="Kill"/> this instance is dead, every call fails, and the returned one is the
/// machine as it comes up again. Everything random comes from the seed.</remarks>
public sealed class MemoryFileSystem : IFileSystem
{
    private readonly Dictionary<string, MemoryDirectory> directories = new(StringComparer.Ordinal);
    private readonly List<DirectoryChange> unsynced = []; // in order; a directory's creation is durable at once, as CreateDirectory promises
    private readonly HashSet<string> locks = new(StringComparer.Ordinal);
    private ulong nextInode = 2;
    private int operations;
    private bool dead;

    public MemoryFileSystem(int seed = 1) => Random = new Random(seed);

    /// <summary>Says how a call fails; null: it does not. Called under the file system's lock.</summary>
    public Func<FileOperation, FileFault?>? Fault { get; set; }

    /// <summary>At this call the machine stops: it and all later ones fail.</summary>
    public int? HaltAt { get; set; }

    /// <summary>Bytes that fit; a write beyond takes what fits and fails with ENOSPC.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>Calls so far.</summary>
    public int OperationCount
    {
        get
        {
            lock (Gate)
            {
                return operations;
            }
        }
    }

    /// <summary>Whether <see cref="HaltAt"/> was reached, or the machine was crashed.</summary>
    public bool IsDead
    {
        get
        {
            lock (Gate)
            {
                return dead;
            }
        }
    }

    internal Lock Gate { get; } = new(); // guards everything here and in the files

    internal Random Random { get; }

    /// <summary>The machine after a power cut: of what was not synced, any part is there.</summary>
    public MemoryFileSystem PowerCut(Random random)
    {
        var next = Restart((directory, copies) => directory.AfterPowerCut(random, copies), random);
        next.LoseDirectoryChanges(random);
        return next;
    }

    /// <summary>The machine after a kill -9: the page cache stands, synced or not.</summary>
    public MemoryFileSystem Kill() => Restart((directory, copies) => directory.AfterKill(copies), new Random(Random.Next()));

    /// <summary>A file's bytes as the cache shows them; not counted as a call.</summary>
    public byte[] Peek(string path)
    {
        lock (Gate)
        {
            return Find(path).Content.ToArray();
        }
    }

    /// <summary>The paths of all files in a folder and below it, sorted; not counted as a call.</summary>
    public IReadOnlyList<string> AllFiles(string folder)
    {
        lock (Gate)
        {
            return [.. directories.Where(each => each.Key == folder || each.Key.StartsWith(folder + "/", StringComparison.Ordinal))
                .SelectMany(static each => each.Value.Names().Select(name => Path.Combine(each.Key, name))).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Changes stored bytes behind everyone's back: bit rot.</summary>
    public void Corrupt(string path, int offset, params ReadOnlySpan<byte> data)
    {
        lock (Gate)
        {
            Find(path).Overwrite(offset, data);
        }
    }

    /// <summary>Puts a whole synced file there; not counted as a call.</summary>
    public void Put(string path, ReadOnlySpan<byte> content)
    {
        lock (Gate)
        {
            var file = new MemoryFile(nextInode++);
            file.Write(0, content, Random);
            file.Sync();
            DirectoryOf(path).PutDurably(Path.GetFileName(path), file);
        }
    }

    public IFileHandle Create(string path)
    {
        lock (Gate)
        {
            var directory = DirectoryOf(path);
            var name = Path.GetFileName(path);
            if (directory.Find(name) is not null)
            {
                throw Failure("open", path, 17);
            }

            var file = new MemoryFile(nextInode++);
            Perform(FileOperationKind.Create, path, () => directory.Set(name, file));
            return new MemoryFileHandle(this, path, file, writable: true);
        }
    }

    public IFileHandle Open(string path, bool writable)
    {
        lock (Gate)
        {
            var file = Find(path);
            Perform(FileOperationKind.Open, path, static () => { });
            return new MemoryFileHandle(this, path, file, writable);
        }
    }

    public void CreateDirectory(string path)
    {
        lock (Gate)
        {
            Perform(
                FileOperationKind.CreateDirectory,
                path,
                () =>
                {
                    for (var each = path; each is not null; each = Path.GetDirectoryName(each))
                    {
                        directories.TryAdd(each, new MemoryDirectory(nextInode++));
                    }
                });
        }
    }

    public void SyncDirectory(string path)
    {
        lock (Gate)
        {
            var directory = DirectoryAt(path);
            Perform(
                FileOperationKind.SyncDirectory,
                path,
                () =>
                {
                    directory.Sync();
                    unsynced.RemoveAll(change => Path.GetDirectoryName(change.Source) == path);
                });
        }
    }

    public void Rename(string source, string target)
    {
        lock (Gate)
        {
            if (directories.ContainsKey(source))
            {
                Perform(FileOperationKind.Rename, source, () => RenameDirectory(source, target));
                return;
            }

            var file = Find(source);
            Perform(
                FileOperationKind.Rename,
                source,
                () => DirectoryOf(source).Rename(Path.GetFileName(source), Path.GetFileName(target), file));
        }
    }

    public bool TryRenameToFree(string source, string target)
    {
        lock (Gate)
        {
            if (Exists(target))
            {
                return false;
            }

            Rename(source, target);
            return true;
        }
    }

    public void Delete(string path)
    {
        lock (Gate)
        {
            var directory = DirectoryOf(path);
            Perform(FileOperationKind.Delete, path, () => directory.Remove(Path.GetFileName(path)));
        }
    }

    public void DeleteDirectory(string path)
    {
        lock (Gate)
        {
            if (!directories.TryGetValue(path, out var directory))
            {
                return;
            }

            if (directory.Names().Length > 0 || ChildrenOf(path).Length > 0)
            {
                throw Failure("rmdir", path, 39);
            }

            Perform(
                FileOperationKind.DeleteDirectory,
                path,
                () =>
                {
                    directories.Remove(path);
                    unsynced.Add(new DirectoryChange(path, null, directory));
                });
        }
    }

    public bool Exists(string path)
    {
        lock (Gate)
        {
            return directories.ContainsKey(path)
                || (directories.TryGetValue(Path.GetDirectoryName(path) ?? "/", out var directory)
                    && directory.Find(Path.GetFileName(path)) is not null);
        }
    }

    public IReadOnlyList<string> List(string directory)
    {
        lock (Gate)
        {
            var found = DirectoryAt(directory);
            Perform(FileOperationKind.List, directory, static () => { });
            return found.Names();
        }
    }

    public IReadOnlyList<string> ListDirectories(string directory)
    {
        lock (Gate)
        {
            DirectoryAt(directory);
            Perform(FileOperationKind.List, directory, static () => { });
            return [.. ChildrenOf(directory).Select(child => Path.GetFileName(child)).Order(StringComparer.Ordinal)];
        }
    }

    public unsafe MappedFile Map(string path)
    {
        lock (Gate)
        {
            var content = Find(path).Content;
            Perform(FileOperationKind.Map, path, static () => { });
            var memory = (byte*)NativeMemory.Alloc((nuint)content.Length);
            content.CopyTo(new Span<byte>(memory, content.Length));
            return new MappedFile(path, (nint)memory, content.Length, static (start, _) => NativeMemory.Free((void*)start));
        }
    }

    public FileIdentity IdentityOf(string path)
    {
        lock (Gate)
        {
            return new FileIdentity(1, directories.TryGetValue(path, out var directory) ? directory.Inode : Find(path).Inode);
        }
    }

    public IDisposable? TryLock(string directory)
    {
        lock (Gate)
        {
            return locks.Add(directory) ? new HeldLock(this, directory) : null;
        }
    }

    internal static FileSystemException Failure(string operation, string path, int error) =>
        new(operation, path, error, Marshal.GetPInvokeErrorMessage(error));

    /// <summary>Counts a call and does its work, or fails as the test wants. The caller holds the lock.</summary>
    internal void Perform(FileOperationKind kind, string path, Action work, Action? workOfFailure = null, bool alwaysFails = false)
    {
        var operation = new FileOperation(operations, kind, path);
        dead |= operation.Index >= HaltAt;
        if (dead)
        {
            throw new FileSystemException(kind.ToString(), path, 5, "the machine has stopped");
        }

        operations++;
        if (Fault?.Invoke(operation) is not { } fault)
        {
            work();
            return;
        }

        if (alwaysFails)
        {
            workOfFailure!(); // a failing sync is never without consequence
        }
        else if (fault.TakesEffect)
        {
            (workOfFailure ?? work)();
        }

        throw Failure(kind.ToString(), path, fault.Error);
    }

    /// <summary>Writes what fits.</summary>
    internal void Store(string path, MemoryFile file, long offset, ReadOnlySpan<byte> data)
    {
        var used = directories.Values.Sum(directory => directory.SizeBytes) - file.Length;
        var fits = (int)Math.Clamp(Capacity - used - offset, 0, data.Length);
        if (fits > 0)
        {
            file.Write(offset, data[..fits], Random);
        }

        if (fits < data.Length)
        {
            throw Failure("pwrite", path, 28);
        }
    }

    private MemoryFileSystem Restart(
        Func<MemoryDirectory, Dictionary<MemoryFile, MemoryFile>, MemoryDirectory> survivor, Random random)
    {
        lock (Gate)
        {
            dead = true;
            var next = new MemoryFileSystem(random.Next()) { nextInode = nextInode, Capacity = Capacity };
            var copies = new Dictionary<MemoryFile, MemoryFile>();
            foreach (var (path, directory) in directories)
            {
                next.directories.Add(path, survivor(directory, copies));
            }

            next.unsynced.AddRange(unsynced.Select(change => change with
            {
                Deleted = change.Deleted is null ? null : survivor(change.Deleted, copies),
            }));
            return next;
        }
    }

    private string[] ChildrenOf(string path) => [.. directories.Keys.Where(each => Path.GetDirectoryName(each) == path)];

    private void RenameDirectory(string source, string target)
    {
        if (directories.ContainsKey(target))
        {
            throw Failure("rename", source, 39);
        }

        MoveTree(source, target);
        unsynced.Add(new DirectoryChange(source, target, null));
    }

    private void MoveTree(string source, string target)
    {
        foreach (var path in directories.Keys.Where(each => each == source || each.StartsWith(source + "/", StringComparison.Ordinal)).ToArray())
        {
            directories.Remove(path, out var moved);
            directories.Add(target + path[source.Length..], moved!);
        }
    }

    // The last of them are undone, as a journal that was not written does.
    private void LoseDirectoryChanges(Random random)
    {
        for (var left = random.Next(unsynced.Count + 1); unsynced.Count > left; unsynced.RemoveAt(unsynced.Count - 1))
        {
            var (source, target, deleted) = unsynced[^1];
            if (target is null)
            {
                directories.TryAdd(source, deleted!); // made anew since: that one is durable
            }
            else
            {
                MoveTree(target, source);
            }
        }

        unsynced.Clear();
    }

    private MemoryDirectory DirectoryAt(string path) =>
        directories.TryGetValue(path, out var directory) ? directory : throw Failure("open", path, 2);

    private MemoryDirectory DirectoryOf(string path) => DirectoryAt(Path.GetDirectoryName(path) ?? "/");

    private MemoryFile Find(string path) => DirectoryOf(path).Find(Path.GetFileName(path)) ?? throw Failure("open", path, 2);

    /// <summary>A rename of a directory, or without a target its deletion.</summary>
    private readonly record struct DirectoryChange(string Source, string? Target, MemoryDirectory? Deleted);

    private sealed class HeldLock(MemoryFileSystem files, string directory) : IDisposable
    {
        public void Dispose()
        {
            lock (files.Gate)
            {
                files.locks.Remove(directory);
            }
        }
    }
}
