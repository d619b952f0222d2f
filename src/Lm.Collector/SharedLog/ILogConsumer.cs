namespace Lm.Collector.SharedLog;

/// <summary>Takes what became visible in the shared log, in its order.</summary>
internal interface ILogConsumer
{
    /// <summary>Takes the visible entries of a commit.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="commit">The commit.</param>
    /// <param name="visible">Which entries.</param>
    /// <param name="own">What it came from, where it was made by this very member: its senders are answered before anything is thrown.</param>
    /// <param name="cancellationToken">Gives up; the commit comes again then.</param>
    /// <exception cref="IOException">It could not be taken; it comes again. <see cref="LogObjectMissingException"/> when its object is gone.</exception>
    ValueTask ApplyAsync(long number, DataCommit commit, bool[] visible, Draft? own, CancellationToken cancellationToken);

    /// <summary>Takes what an object that holds many commits has of commits behind one.</summary>
    /// <exception cref="IOException">It could not be taken; it comes again.</exception>
    ValueTask ApplyPartAsync(LogPart part, long after, CancellationToken cancellationToken);

    /// <summary>Commits whose records it does not get: blocks and log files in the store hold them, and nothing else there does any more.</summary>
    void Skip(long first, long last);
}

/// <summary>An object that a commit or a part names is not there: it was covered meanwhile, or someone deleted it.</summary>
internal sealed class LogObjectMissingException(string message) : IOException(message);

/// <summary>Records that were uploaded and are to be committed.</summary>
/// <param name="Raw">The object that holds them: of this draft alone.</param>
/// <param name="Entries">The records.</param>
internal sealed record Draft(StoredObject Raw, IReadOnlyList<CommitEntry> Entries)
{
    /// <summary>What tells its commit from all others.</summary>
    public Guid Nonce { get; } = Guid.NewGuid();
}
