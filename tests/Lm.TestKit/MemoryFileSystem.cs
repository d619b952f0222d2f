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
    public MemoryFileSystem PowerCut(Random random) => Restart((directory, copies) => directory.AfterPowerCut(random, copies), random);

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
            Perform(FileOperationKind.SyncDirectory, path, directory.Sync);
        }
    }

    public void Rename(string source, string target)
    {
        lock (Gate)
        {
            var file = Find(source);
            Perform(
                FileOperationKind.Rename,
                source,
                () => DirectoryOf(source).Rename(Path.GetFileName(source), Path.GetFileName(target), file));
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

            return next;
        }
    }

    private MemoryDirectory DirectoryAt(string path) =>
        directories.TryGetValue(path, out var directory) ? directory : throw Failure("open", path, 2);

    private MemoryDirectory DirectoryOf(string path) => DirectoryAt(Path.GetDirectoryName(path) ?? "/");

    private MemoryFile Find(string path) => DirectoryOf(path).Find(Path.GetFileName(path)) ?? throw Failure("open", path, 2);

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
