using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Half-made segments that could not be deleted yet.</summary>
/// <remarks>Their groups were refused. The header of the next segment passes over them; they must be gone before that segment
/// is deleted.</remarks>
internal sealed class Leftovers(IFileSystem files, string directory)
{
    private readonly Lock gate = new(); // guards paths
    private readonly List<string> paths = [];

    /// <summary>Deletes a half-made segment, or remembers it.</summary>
    public bool TryDelete(string path)
    {
        try
        {
            files.Delete(path);
            return true;
        }
        catch (FileSystemException)
        {
            lock (gate)
            {
                paths.Add(path);
            }

            return false;
        }
    }

    /// <summary>Tries again; what still cannot be deleted stays noted.</summary>
    public void TryDelete()
    {
        try
        {
            Delete();
        }
        catch (FileSystemException)
        {
            // The next header passes over it.
        }
    }

    /// <summary>Deletes them all, durably.</summary>
    /// <exception cref="FileSystemException">One still cannot be deleted, or not durably.</exception>
    public void Delete()
    {
        lock (gate)
        {
            if (paths.Count == 0)
            {
                return;
            }

            foreach (var path in paths)
            {
                files.Delete(path);
            }

            files.SyncDirectory(directory);
            paths.Clear();
        }
    }
}
