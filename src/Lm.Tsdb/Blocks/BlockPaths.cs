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

    /// <summary>Makes a block vanish in one step, and only then deletes its files.</summary>
    public static void DeleteBlock(IFileSystem files, string path)
    {
        var doomed = path + DeletionSuffix;
        FolderTree.Delete(files, doomed);
        files.Rename(path, doomed);
        files.SyncDirectory(Path.GetDirectoryName(path)!);
        FolderTree.Delete(files, doomed);
    }
}
