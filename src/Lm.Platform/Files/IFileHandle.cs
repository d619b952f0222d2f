namespace Lm.Platform.Files;

/// <summary>An open file. Not safe for concurrent writes; reads may run beside them.</summary>
public interface IFileHandle : IDisposable
{
    /// <summary>The path it was opened by.</summary>
    string Path { get; }

    /// <summary>The file's length in bytes.</summary>
    long Length { get; }

    /// <summary>Reads at an offset until the buffer is full or the file ends.</summary>
    /// <returns>Bytes read; fewer than asked only at the file's end.</returns>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Writes all of <paramref name="data"/> at an offset. On failure any part of it may have been written.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Returns once the bytes and the length are on stable storage (<c>fdatasync</c>). After a failure nothing written since
    /// the last successful sync can be relied on, whatever a later sync says.</summary>
    void Sync();

    /// <summary>Cuts the file to <paramref name="length"/> bytes.</summary>
    void Truncate(long length);

    /// <summary>Maps a part of the file into memory, for reading. It may reach behind the end: what lies there may be read once the file has grown that far, and
    /// holds what was written since.</summary>
    /// <param name="offset">Where the part begins; a multiple of 64 KiB.</param>
    /// <param name="length">Its bytes, at least 1.</param>
    /// <returns>Null where that is not possible: read instead.</returns>
    MappedFile? TryMap(long offset, long length) => null;

    /// <summary>Drops clean cached pages, so that the next read shows what the device holds.</summary>
    void DropCache();
}
