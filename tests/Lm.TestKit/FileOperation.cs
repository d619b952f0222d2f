namespace Lm.TestKit;

/// <summary>One call to a <see cref="MemoryFileSystem"/>.</summary>
/// <param name="Index">How many calls were counted before it.</param>
/// <param name="Kind">What was called.</param>
/// <param name="Path">On which file or directory.</param>
public readonly record struct FileOperation(int Index, FileOperationKind Kind, string Path);

public enum FileOperationKind
{
    Create,
    Open,
    Read,
    Write,
    Sync,
    Truncate,
    DropCache,
    Rename,
    Delete,
    CreateDirectory,
    SyncDirectory,
    DeleteDirectory,
    List,
    Map,
}

/// <summary>How a call fails.</summary>
/// <param name="Error">errno: 5 EIO, 28 ENOSPC.</param>
/// <param name="TakesEffect">The call does its work (a write: half of it) and reports the failure all the same.</param>
public readonly record struct FileFault(int Error, bool TakesEffect = false)
{
    public static readonly FileFault InputOutput = new(5);
    public static readonly FileFault NoSpace = new(28);
}
