using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>Makes blocks and log files of records, and holds what is on its way from one key to another.</summary>
internal interface IFileMaker
{
    /// <summary>Makes the files of a plan.</summary>
    /// <exception cref="IOException">Store or disk failed, or a part cannot be read.</exception>
    Task<MadeFiles> MakeAsync(FilesPlan plan, CancellationToken cancellationToken);

    /// <summary>Holds bytes that come piece by piece.</summary>
    /// <param name="size">How many come.</param>
    /// <param name="fetch">Gives them, in order.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">They cannot be fetched, or held.</exception>
    Task<HeldContent> HoldAsync(long size, Func<Action<ReadOnlySpan<byte>>, CancellationToken, Task> fetch, CancellationToken cancellationToken);
}

/// <summary>Files that were made, until disposed of.</summary>
/// <param name="files">Each with its key below the prefix, in the order in which they are put.</param>
/// <param name="newest">Nothing in them is of a later time.</param>
/// <param name="release">Lets go of them.</param>
internal sealed class MadeFiles(IReadOnlyList<(string Path, ObjectContent Content)> files, UnixMillis newest, Action release) : IDisposable
{
    /// <summary>Each with its key below the prefix, in the order in which they are put.</summary>
    public IReadOnlyList<(string Path, ObjectContent Content)> Files => files;

    /// <summary>Nothing in them is of a later time.</summary>
    public UnixMillis Newest => newest;

    /// <inheritdoc/>
    public void Dispose() => release();
}

/// <summary>Bytes that are held until disposed of.</summary>
/// <param name="content">The bytes.</param>
/// <param name="release">Lets go of them.</param>
internal sealed class HeldContent(ObjectContent content, Action release) : IDisposable
{
    /// <summary>The bytes.</summary>
    public ObjectContent Content => content;

    /// <inheritdoc/>
    public void Dispose() => release();
}
