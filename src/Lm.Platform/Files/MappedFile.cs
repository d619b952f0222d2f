using System.Diagnostics;

namespace Lm.Platform.Files;

/// <summary>Bytes of a file, or of a part of it, in memory, for reading. The file may be deleted meanwhile; it must not be cut.</summary>
/// <remarks>Safe for concurrent reads. Whoever disposes of it answers for no span of it being in use any more.</remarks>
/// <param name="path">The path it was opened by.</param>
/// <param name="start">Address of the first byte; 0 when the file is empty.</param>
/// <param name="length">How many bytes.</param>
/// <param name="release">Gives the memory back.</param>
public sealed unsafe class MappedFile(string path, nint start, long length, Action<nint, long> release) : IDisposable
{
    private int disposed;

    /// <summary>The path it was opened by.</summary>
    public string Path => path;

    /// <summary>How many bytes.</summary>
    public long Length => length;

    /// <summary>A part of them, valid until this is disposed of.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It does not lie within them.</exception>
    public ReadOnlySpan<byte> Slice(long offset, int count)
    {
        Debug.Assert(disposed == 0, "a mapping must outlive its readers");
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, length - count);
        return new ReadOnlySpan<byte>((byte*)start + offset, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0)
        {
            release(start, length);
        }
    }
}
