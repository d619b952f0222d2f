namespace Lm.Journal;

/// <summary>An append that was not committed: the write or sync of its group failed, or the journal is closed. The record will
/// never be seen; it may be appended again.</summary>
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
