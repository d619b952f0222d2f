using Lm.Logs.Files;
using Lm.Platform.Files;

namespace Lm.Logs.Search;

/// <summary>A frame that a search may read.</summary>
/// <param name="Info">What is known of it.</param>
/// <param name="Stored">Its bytes, when they are in memory only.</param>
/// <param name="Raw">Its lines, when they are no frame yet.</param>
internal sealed record FrameRef(FrameInfo Info, byte[]? Stored, byte[]? Raw);

/// <summary>A file that a search may read: opened when its turn comes.</summary>
internal interface ISearchFile
{
    /// <summary>The time of its oldest line.</summary>
    long MinTime { get; }

    /// <summary>The time of its newest line.</summary>
    long MaxTime { get; }

    /// <summary>Opens it.</summary>
    /// <returns>Null when it is gone: retention deleted it.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    FileInUse? Open(LogScan scan, IReadOnlyList<ushort[]> hashes, out int skipped);
}

/// <summary>A file that is read: let go of when the last who uses it lets go.</summary>
/// <param name="handle">Its handle; null when all of it is in memory.</param>
/// <param name="frames">Its frames that may hold what is looked for.</param>
/// <param name="owner">Who closes the handle, held once for this; null: this does.</param>
internal sealed class FileInUse(IFileHandle? handle, List<FrameRef> frames, FileInUse? owner = null)
{
    private int users = 1;

    /// <summary>Its handle.</summary>
    public IFileHandle? Handle => handle;

    /// <summary>Its frames.</summary>
    public List<FrameRef> Frames => frames;

    /// <summary>One more uses it.</summary>
    public void Hold() => Interlocked.Increment(ref users);

    /// <summary>One less does.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref users) > 0)
        {
            return;
        }

        if (owner is not null)
        {
            owner.Release();
        }
        else
        {
            handle?.Dispose();
        }
    }
}
