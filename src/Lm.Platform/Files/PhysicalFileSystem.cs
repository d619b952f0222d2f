namespace Lm.Platform.Files;

/// <summary>The real file system, by libc calls whose results are checked.</summary>
public sealed class PhysicalFileSystem : IFileSystem
{
    /// <inheritdoc/>
    public IFileHandle Create(string path) => throw new NotImplementedException();

    /// <inheritdoc/>
    public IFileHandle Open(string path, bool writable) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void CreateDirectory(string path) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void SyncDirectory(string path) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Rename(string source, string target) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Delete(string path) => throw new NotImplementedException();

    /// <inheritdoc/>
    public bool Exists(string path) => throw new NotImplementedException();

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory) => throw new NotImplementedException();

    /// <inheritdoc/>
    public FileIdentity IdentityOf(string path) => throw new NotImplementedException();

    /// <inheritdoc/>
    public IDisposable? TryLock(string directory) => throw new NotImplementedException();
}
