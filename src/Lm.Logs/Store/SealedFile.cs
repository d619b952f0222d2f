using Lm.Logs.Search;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>A sealed file as a search reads it.</summary>
/// <param name="files">The file system.</param>
/// <param name="file">The file.</param>
/// <param name="indexes">Indexes in memory.</param>
internal sealed class SealedFile(IFileSystem files, StoredLogFile file, IndexCache indexes) : ISearchFile
{
    /// <inheritdoc/>
    public long MinTime => file.MinTime;

    /// <inheritdoc/>
    public long MaxTime => file.MaxTime;

    /// <inheritdoc/>
    public FileInUse? Open(LogScan scan, IReadOnlyList<ushort[]> hashes, out int skipped)
    {
        skipped = 0;
        IFileHandle handle;
        try
        {
            handle = files.Open(file.Path, writable: false);
        }
        catch (FileSystemException e) when (e.IsNotFound)
        {
            return null; // retention was faster
        }

        try
        {
            var frames = indexes.Of(file, handle).Choose(scan, hashes, out skipped);
            return new FileInUse(handle, [.. frames.Select(static info => new FrameRef(info, null, null))]);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
