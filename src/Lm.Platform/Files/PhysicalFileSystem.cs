namespace Lm.Platform.Files;

/// <summary>The real file system, by libc calls whose results are checked.</summary>
public sealed class PhysicalFileSystem : IFileSystem
{
    private const uint FileMode = 0x180; // 0600: queue and spool hold other people's data
    private const uint DirectoryMode = 0x1C0; // 0700

    /// <inheritdoc/>
    public IFileHandle Create(string path) =>
        new PhysicalFile(path, Open(path, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenExclusive));

    /// <inheritdoc/>
    public IFileHandle Open(string path, bool writable)
    {
        // The kernel opens a folder for reading, and says of its length 9223372036854775807.
        if (!writable && Directory.Exists(path))
        {
            throw new FileSystemException("open", path, Libc.IsDirectory, "it is a folder; a file is expected");
        }

        return new PhysicalFile(path, Open(path, writable ? Libc.OpenReadWrite : Libc.OpenReadOnly));
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        if (Path.GetDirectoryName(path) is not { } parent)
        {
            return; // the root
        }

        if (Exists(path))
        {
            SyncParentOfExisting(parent);
            return;
        }

        CreateDirectory(parent);
        if (Libc.MakeDirectory(path, DirectoryMode) != 0)
        {
            var failure = Libc.Failure("mkdir", path);
            if (failure.Error != Libc.AlreadyExists)
            {
                throw failure;
            }
        }

        SyncDirectory(parent);
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        using var descriptor = Open(path, Libc.OpenReadOnly | Libc.OpenDirectory);
        while (Libc.Sync(descriptor) != 0)
        {
            if (!Libc.WasInterrupted())
            {
                throw Libc.Failure("fsync", path);
            }
        }
    }

    /// <inheritdoc/>
    public void Rename(string source, string target)
    {
        if (Libc.Rename(source, target) != 0)
        {
            throw Libc.Failure("rename", source);
        }
    }

    /// <inheritdoc/>
    public bool TryRenameToFree(string source, string target)
    {
        if (Libc.RenameAt(Libc.AtCurrentDirectory, source, Libc.AtCurrentDirectory, target, Libc.RenameNoReplace) == 0)
        {
            return true;
        }

        var failure = Libc.Failure("renameat2", source);
        return failure.Error switch
        {
            Libc.AlreadyExists => false,
            // A file system that does not know the flag (NFS, for one) still refuses a second link of one name.
            Libc.InvalidArgument or Libc.NoSuchCall => TryLinkToFree(source, target),
            _ => throw failure,
        };
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Libc.Unlink(path) != 0)
        {
            var failure = Libc.Failure("unlink", path);
            if (!failure.IsNotFound)
            {
                throw failure;
            }
        }
    }

    /// <inheritdoc/>
    public void DeleteDirectory(string path)
    {
        if (Libc.RemoveDirectory(path) != 0)
        {
            var failure = Libc.Failure("rmdir", path);
            if (!failure.IsNotFound)
            {
                throw failure;
            }
        }
    }

    /// <inheritdoc/>
    public bool Exists(string path)
    {
        if (Libc.Stat(Libc.AtCurrentDirectory, path, 0, Libc.StatxIno, out _) == 0)
        {
            return true;
        }

        var failure = Libc.Failure("statx", path);
        return failure.Error is Libc.NoEntry or Libc.NotDirectory ? false : throw failure;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory) => Names(directory, Directory.EnumerateFiles);

    /// <inheritdoc/>
    public IReadOnlyList<string> ListDirectories(string directory) => Names(directory, Directory.EnumerateDirectories);

    /// <inheritdoc/>
    public unsafe MappedFile Map(string path)
    {
        using var file = new PhysicalFile(path, Open(path, Libc.OpenReadOnly));
        var length = file.Length;
        if (length == 0)
        {
            return new MappedFile(path, 0, 0, static (_, _) => { }); // the kernel refuses to map nothing
        }

        var start = Libc.Map(0, (nuint)length, Libc.ProtectionRead, Libc.MapShared, file.Descriptor, 0);
        return start != Libc.MapFailed
            ? new MappedFile(path, start, length, static (start, length) => Libc.Unmap(start, (nuint)length))
            : throw Libc.Failure("mmap", path);
    }

    /// <inheritdoc/>
    public FileIdentity IdentityOf(string path)
    {
        if (Libc.Stat(Libc.AtCurrentDirectory, path, 0, Libc.StatxIno, out var found) != 0)
        {
            throw Libc.Failure("statx", path);
        }

        return new FileIdentity(DeviceNumber(found.DeviceMajor, found.DeviceMinor), found.Inode);
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string directory)
    {
        var path = Path.Combine(directory, "lock");
        var descriptor = Open(path, Libc.OpenReadWrite | Libc.OpenCreate);
        while (Libc.Lock(descriptor, Libc.LockExclusive | Libc.LockNonBlocking) != 0)
        {
            if (Libc.WasInterrupted())
            {
                continue;
            }

            var failure = Libc.Failure("flock", path);
            descriptor.Dispose();
            return failure.Error == Libc.WouldBlock ? null : throw failure;
        }

        return descriptor;
    }

    internal bool TryLinkToFree(string source, string target)
    {
        if (Libc.Link(source, target) != 0)
        {
            var failure = Libc.Failure("link", source);
            return failure.Error == Libc.AlreadyExists ? false : throw failure;
        }

        Delete(source);
        return true;
    }

    private static IReadOnlyList<string> Names(string directory, Func<string, IEnumerable<string>> enumerate)
    {
        try
        {
            return [.. enumerate(directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            throw Libc.Failure("opendir", directory, Libc.NoEntry);
        }
        catch (UnauthorizedAccessException)
        {
            throw Libc.Failure("opendir", directory, Libc.AccessDenied);
        }
        catch (IOException failure)
        {
            throw Libc.Failure("readdir", directory, failure.HResult); // on Unix HResult is the error number
        }
    }

    private static Descriptor Open(string path, int flags)
    {
        while (true)
        {
            var number = Libc.Open(path, flags | Libc.OpenCloseOnExec, FileMode);
            if (number >= 0)
            {
                return new Descriptor(number);
            }

            if (!Libc.WasInterrupted())
            {
                throw Libc.Failure("open", path);
            }
        }
    }

    /// <summary>A directory that is there may have been made just before a kill, its name not synced yet.</summary>
    private void SyncParentOfExisting(string parent)
    {
        try
        {
            SyncDirectory(parent);
        }
        catch (FileSystemException failure) when (failure.Error == Libc.AccessDenied)
        {
            // A parent that we may not read is one that we did not create in: its names are its owner's to make durable.
        }
    }

    // The encoding of glibc's makedev(3), so that the number equals st_dev.
    internal static ulong DeviceNumber(ulong major, ulong minor) =>
        ((major & 0xFFFu) << 8) | ((major & ~0xFFFUL) << 32) | (minor & 0xFFu) | ((minor & ~0xFFUL) << 12);
}
