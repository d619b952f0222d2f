using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lm.Platform.Files;

/// <summary>Bytes of a file, or of a part of it, in memory, for reading. The file may be deleted meanwhile; it must not be cut.</summary>
/// <remarks>Safe for concurrent reads. Whoever disposes of it answers for no span of it being in use any more.</remarks>
/// <param name="path">The path it was opened by.</param>
/// <param name="start">Address of the first byte; 0 when the file is empty.</param>
/// <param name="length">How many bytes.</param>
/// <param name="release">Gives the memory back.</param>
public sealed unsafe class MappedFile(string path, nint start, long length, Action<nint, long> release) : IDisposable
{
    private const int CopySize = 4 << 20;

    private int disposed;
    private Action<long, int>? fetch;

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
        fetch?.Invoke(offset, count);
        return new ReadOnlySpan<byte>((byte*)start + offset, count);
    }

    /// <summary>The same memory for a file that is made as it is read: each part is fetched before it is given. This one is the other's from then on.</summary>
    /// <param name="name">What to call it.</param>
    /// <param name="fetcher">Makes a part of the file: from where, and how many bytes. What it throws, <see cref="Slice"/> throws.</param>
    /// <param name="released">Called after the memory was given back.</param>
    public MappedFile WithPages(string name, Action<long, int> fetcher, Action released) => new(name, start, length, (_, _) =>
    {
        Dispose();
        released();
    })
    { fetch = fetcher };

    /// <summary>A file's bytes, read into memory: where files cannot be mapped.</summary>
    /// <param name="file">The file; not disposed of.</param>
    /// <param name="released">Called after the memory was given back.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static MappedFile Copy(IFileHandle file, Action released)
    {
        ArgumentNullException.ThrowIfNull(file);
        var length = file.Length;
        var memory = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, length));
        try
        {
            for (var done = 0L; done < length;)
            {
                done += file.Read(done, new Span<byte>(memory + done, (int)Math.Min(length - done, CopySize)));
            }
        }
        catch
        {
            NativeMemory.Free(memory);
            throw;
        }

        return new MappedFile(file.Path, (nint)memory, length, (start, _) =>
        {
            NativeMemory.Free((void*)start);
            released();
        });
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
