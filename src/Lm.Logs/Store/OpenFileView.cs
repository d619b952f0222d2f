using Lm.Logs.Files;
using Lm.Logs.Search;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>An open file as a search reads it: what it had when the search began.</summary>
/// <remarks>The index goes on growing; its frames so far are copied here.</remarks>
internal sealed class OpenFileView : ISearchFile, IDisposable
{
    private readonly FileInUse hold; // keeps the handle open between two sweeps
    private readonly IFileHandle? handle;
    private readonly FileIndex index;
    private readonly Dictionary<long, byte[]> unwritten; // by offset
    private readonly FrameRef? rest;

    public OpenFileView(IFileHandle? handle, FileIndex index, Dictionary<long, byte[]> unwritten, FrameRef? rest, long minTime, long maxTime)
    {
        (this.handle, this.unwritten, this.rest, MinTime, MaxTime) = (handle, unwritten, rest, minTime, maxTime);
        this.index = index.Copy();
        hold = new FileInUse(handle, []);
    }

    /// <inheritdoc/>
    public long MinTime { get; }

    /// <inheritdoc/>
    public long MaxTime { get; }

    /// <inheritdoc/>
    public FileInUse? Open(LogScan scan, IReadOnlyList<ushort[]> hashes, out int skipped)
    {
        var frames = new List<FrameRef>();
        foreach (var info in index.Choose(scan, hashes, out skipped))
        {
            frames.Add(new FrameRef(info, unwritten.GetValueOrDefault(info.Offset), null));
        }

        if (rest is not null && rest.Info.MaxTime >= scan.From && rest.Info.MinTime < scan.Until)
        {
            frames.Add(rest);
        }

        hold.Hold();
        return new FileInUse(handle, frames, hold);
    }

    /// <inheritdoc/>
    public void Dispose() => hold.Release();
}
