namespace Lm.Journal;

/// <summary>An append that was not committed: the write or sync of its group failed, or the journal is closed. It may be appended
/// again. Once a later append has succeeded the failed record is never seen; if the machine stops before that, it may still turn up
/// (docs/formats/journal.md), as after an answer that was lost: owners know their records by a key.</summary>
public sealed class JournalException : IOException
{
    /// <summary>Describes the failure.</summary>
    /// <param name="message">What failed, where.</param>
    /// <param name="inner">The file operation that failed, when there is one.</param>
    public JournalException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether the disk had no room.</summary>
    public bool IsNoSpace => InnerException is Lm.Platform.Files.FileSystemException { IsNoSpace: true };
}
