using Lm.Platform.Files;

namespace Lm.ObjectStore;

/// <summary>A file that nobody writes to any more, as the content of an object.</summary>
public sealed class FileContent : ObjectContent, IDisposable
{
    private readonly IFileHandle file;

    /// <summary>Opens the file.</summary>
    /// <exception cref="FileSystemException">It cannot be opened.</exception>
    public FileContent(IFileSystem files, string path)
    {
        file = files.Open(path, writable: false);
        Length = file.Length;
    }

    /// <inheritdoc/>
    public override long Length { get; }

    /// <inheritdoc/>
    public override int Read(long offset, Span<byte> buffer) => file.Read(offset, buffer);

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
