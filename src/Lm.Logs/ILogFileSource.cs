using Lm.Platform.Files;

namespace Lm.Logs;

/// <summary>Sealed files that lie elsewhere than in the store's folder.</summary>
public interface ILogFileSource
{
    /// <summary>What their paths are read by.</summary>
    IFileSystem Files { get; }

    /// <summary>The files that may have lines in a range and are not among local ones.</summary>
    /// <param name="from">The earliest time, milliseconds since 1970.</param>
    /// <param name="until">The first time that no longer belongs to it.</param>
    /// <param name="local">The local files.</param>
    /// <exception cref="IOException">They cannot be read.</exception>
    IReadOnlyList<StoredLogFile> Take(long from, long until, IReadOnlyList<StoredLogFile> local);
}
