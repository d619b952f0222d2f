namespace Lm.Platform.Files;

/// <summary>Replaces a small file whole: temporary file, sync, rename, sync of the directory.</summary>
public static class AtomicFile
{
    /// <summary>Writes <paramref name="content"/> to <paramref name="path"/>; after a crash the old or the new content is there, whole.</summary>
    /// <exception cref="FileSystemException">A step failed: the old content, or the new one whole, is there.</exception>
    public static void Write(IFileSystem files, string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".tmp";
        files.Delete(temporary); // what a crash left
        try
        {
            using (var file = files.Create(temporary))
            {
                file.Write(0, content);
                file.Sync();
            }

            files.Rename(temporary, path);
        }
        catch (FileSystemException)
        {
            DeleteLeftover(files, temporary);
            throw;
        }

        files.SyncDirectory(Path.GetDirectoryName(path) ?? "/");
    }

    /// <summary>The whole content, or null when there is no such file.</summary>
    /// <exception cref="FileSystemException">It cannot be read, or is longer than <paramref name="sizeMax"/> bytes (EFBIG).</exception>
    public static byte[]? Read(IFileSystem files, string path, int sizeMax)
    {
        try
        {
            using var file = files.Open(path, writable: false);
            var length = file.Length;
            if (length > sizeMax)
            {
                throw new FileSystemException("read", path, Libc.FileTooBig, $"it has {length} bytes, at most {sizeMax} are allowed");
            }

            var content = new byte[length];
            var count = file.Read(0, content);
            return count == content.Length ? content : content[..count];
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            return null;
        }
    }

    private static void DeleteLeftover(IFileSystem files, string temporary)
    {
        try
        {
            files.Delete(temporary);
        }
        catch (FileSystemException)
        {
            // The first failure is the one to report; the next write deletes the leftover.
        }
    }
}
