using System.Globalization;
using Lm.Platform.Files;

namespace Lm.Tsdb.Blocks;

/// <summary>The names of a block's folder and files.</summary>
internal static class BlockPaths
{
    public const string Meta = "meta.json";
    public const string Index = "index";
    public const string Chunks = "chunks";

    /// <summary>Index entries on their way; never in a finished block.</summary>
    public const string SeriesSpill = "index.series";

    /// <summary>Folders with these endings are what a crash left. Prometheus has the same two, and deletes them, too.</summary>
    public const string CreationSuffix = ".tmp-for-creation";

    /// <inheritdoc cref="CreationSuffix"/>
    public const string DeletionSuffix = ".tmp-for-deletion";

    public static string ChunkFile(int number) => $"{Chunks}/{number.ToString("d6", CultureInfo.InvariantCulture)}";

    public static bool IsLeftover(string name) =>
        name.EndsWith(CreationSuffix, StringComparison.Ordinal) || name.EndsWith(DeletionSuffix, StringComparison.Ordinal);

    /// <summary>Deletes a folder and what is in it; nothing when it is not there.</summary>
    public static void DeleteTree(IFileSystem files, string path)
    {
        if (!files.Exists(path))
        {
            return;
        }

        foreach (var name in files.ListDirectories(path))
        {
            DeleteTree(files, Path.Combine(path, name));
        }

        foreach (var name in files.List(path))
        {
            files.Delete(Path.Combine(path, name));
        }

        files.DeleteDirectory(path);
    }

    /// <summary>Makes a block vanish in one step, and only then deletes its files.</summary>
    public static void DeleteBlock(IFileSystem files, string path)
    {
        var doomed = path + DeletionSuffix;
        DeleteTree(files, doomed);
        files.Rename(path, doomed);
        files.SyncDirectory(Path.GetDirectoryName(path)!);
        DeleteTree(files, doomed);
    }
}
