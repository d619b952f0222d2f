namespace Lm.Platform.Files;

/// <summary>The file system as journals and atomic files use it: every call that can fail in a way that matters to
/// durability goes through here, so that tests can fail, tear and reorder it.</summary>
/// <remarks>All paths are absolute. Every failure is a <see cref="FileSystemException"/>. Nothing is durable until it was
/// synced: bytes by <see cref="IFileHandle.Sync"/>, names by <see cref="SyncDirectory"/>.</remarks>
public interface IFileSystem
{
    /// <summary>Creates a file that must not exist yet (mode 0600), for reading and writing.</summary>
    IFileHandle Create(string path);

    /// <summary>Opens an existing file.</summary>
    IFileHandle Open(string path, bool writable);

    /// <summary>Creates the directory (mode 0700) and the missing ones above it, and syncs each parent; nothing when it is there.</summary>
    void CreateDirectory(string path);

    /// <summary>Makes creations, renames and deletions in the directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Renames a file, replacing what stands at <paramref name="target"/>, or a directory to a name that is free.</summary>
    void Rename(string source, string target);

    /// <summary>Renames a file to a name that must be free: of all who try, one succeeds.</summary>
    /// <returns>False, and nothing is changed, when something stands at <paramref name="target"/>.</returns>
    bool TryRenameToFree(string source, string target);

    /// <summary>Deletes a file; nothing when it is not there.</summary>
    void Delete(string path);

    /// <summary>Deletes an empty directory; nothing when it is not there.</summary>
    void DeleteDirectory(string path);

    /// <summary>Whether a file or directory stands there.</summary>
    bool Exists(string path);

    /// <summary>The names (not paths) of a directory's files, sorted ordinally.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>The names (not paths) of the directories in a directory, sorted ordinally.</summary>
    IReadOnlyList<string> ListDirectories(string directory);

    /// <summary>Maps a whole file that nobody writes to any more into memory, for reading.</summary>
    MappedFile Map(string path);

    /// <summary>Which directory this is: it changes when the directory was copied or restored elsewhere.</summary>
    FileIdentity IdentityOf(string path);

    /// <summary>Takes the exclusive lock of a directory (a file <c>lock</c> in it), held until disposed or the process ends.</summary>
    /// <returns>Null when another process holds it.</returns>
    IDisposable? TryLock(string directory);
}

/// <summary>What tells one file or directory from another.</summary>
/// <param name="Device">Device number (st_dev).</param>
/// <param name="Inode">Inode number (st_ino).</param>
public readonly record struct FileIdentity(ulong Device, ulong Inode);
