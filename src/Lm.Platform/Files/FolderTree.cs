namespace Lm.Platform.Files;

/// <summary>A folder with all that is in it.</summary>
public static class FolderTree
{
    /// <summary>Deletes it; nothing when it is not there.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">The folder.</param>
    /// <exception cref="FileSystemException">Something of it stays.</exception>
    public static void Delete(IFileSystem files, string path)
    {
        if (!files.Exists(path))
        {
            return;
        }

        foreach (var name in files.ListDirectories(path))
        {
            Delete(files, Path.Combine(path, name));
        }

        foreach (var name in files.List(path))
        {
            files.Delete(Path.Combine(path, name));
        }

        files.DeleteDirectory(path);
    }
}
