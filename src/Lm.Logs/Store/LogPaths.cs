using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>Where the files of a log store lie.</summary>
internal static class LogPaths
{
    /// <summary>How the name of a file of lines ends.</summary>
    public const string DataEnding = ".ndjson.zst";

    /// <summary>How the name of its index ends.</summary>
    public const string IndexEnding = ".idx";

    /// <summary>How the name of a file ends that is not complete.</summary>
    public const string TemporaryEnding = ".tmp";

    /// <summary>How the name of an open file ends that was damaged and kept.</summary>
    public const string DamagedEnding = ".damaged";

    /// <summary>The folder of open files.</summary>
    public const string OpenFolder = "open";

    /// <summary>A sealed file's path.</summary>
    public static string SealedPath(string root, LogWindow window, Ulid id) => Path.Combine(root, window.Folder, id + DataEnding);

    /// <summary>Deletes what a try left that failed. What stays all the same goes at the next opening.</summary>
    public static void DeleteLeftover(IFileSystem files, string path)
    {
        try
        {
            files.Delete(path);
        }
        catch (IOException)
        {
            // The next opening deletes it, or finds that another file has the same source.
        }
    }

    /// <summary>The folders of sealed files.</summary>
    public static IEnumerable<(string Path, LogWindow Window)> SealedFolders(IFileSystem files, string root)
    {
        foreach (var date in files.ListDirectories(root))
        {
            if (!date.StartsWith("date=", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var hour in files.ListDirectories(Path.Combine(root, date)))
            {
                if (LogWindow.TryParse(date, hour, out var window))
                {
                    yield return (Path.Combine(root, date, hour), window);
                }
            }
        }
    }
}
