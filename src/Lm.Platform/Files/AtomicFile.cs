namespace Lm.Platform.Files;

/// <summary>Replaces a small file whole: temporary file, sync, rename, sync of the directory.</summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="content"/> to <paramref name="path"/>; after a crash the old or the new content is there, whole.</summary>
    public static void Write(IFileSystem files, string path, ReadOnlySpan<byte> content) => throw new NotImplementedException();

    /// <summary>The whole content, or null when there is no such file.</summary>
    /// <exception cref="FileSystemException">It cannot be read, or is longer than <paramref name="sizeMax"/> bytes (EFBIG).</exception>
    public static byte[]? Read(IFileSystem files, string path, int sizeMax) => throw new NotImplementedException();
}
