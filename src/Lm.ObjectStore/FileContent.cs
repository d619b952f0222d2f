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

    /// <summary>Why the file could not be read; null when it could. What a put then fails with is the store's business, which may not know whose fault it was.</summary>
    public FileSystemException? Fault { get; private set; }

    /// <inheritdoc/>
    public override int Read(long offset, Span<byte> buffer)
    {
        try
        {
            return file.Read(offset, buffer);
        }
        catch (FileSystemException e)
        {
            Fault = e;
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
