namespace Lm.Logs.Query;

/// <summary>A query that can be read has no answer: it is too large, or a line does not fit it. The message says which, and what is allowed.</summary>
public sealed class LogQueryException : Exception
{
    /// <summary>With a message.</summary>
    public LogQueryException(string message)
        : base(message)
    {
    }

    /// <summary>With a message and what lies under it.</summary>
    public LogQueryException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
