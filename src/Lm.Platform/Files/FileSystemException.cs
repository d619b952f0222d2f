namespace Lm.Platform.Files;

/// <summary>A failed file operation, with the operating system's error number.</summary>
public sealed class FileSystemException : IOException
{
    /// <summary>Describes the failure as <c>operation path: reason</c>.</summary>
    /// <param name="operation">The call, for example <c>fdatasync</c>.</param>
    /// <param name="path">The file or directory.</param>
    /// <param name="error">The error number (errno).</param>
    /// <param name="reason">The error's text, for example <c>No space left on device</c>.</param>
    public FileSystemException(string operation, string path, int error, string reason)
        : base($"{operation} {path}: {reason}")
    {
        Operation = operation;
        Path = path;
        Error = error;
    }

    /// <summary>The call that failed.</summary>
    public string Operation { get; }

    /// <summary>The file or directory.</summary>
    public string Path { get; }

    /// <summary>The error number (errno).</summary>
    public int Error { get; }

    /// <summary>ENOSPC or EDQUOT: there may be room again later.</summary>
    public bool IsNoSpace => Error is 28 or 122;

    /// <summary>ENOENT.</summary>
    public bool IsNotFound => Error is 2;
}
