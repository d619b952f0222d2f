using Microsoft.Extensions.Logging;

namespace Lm.Agent.SystemdJournal;

/// <summary>Events of journal inputs, 1550 to 1599.</summary>
internal static partial class JournalLog
{
    [LoggerMessage(EventId = 1550, Level = LogLevel.Information, Message = "Log input {Input}: {Program} runs as process {ProcessId} behind cursor '{Cursor}'.")]
    public static partial void Following(ILogger logger, string input, string program, int processId, string cursor);

    [LoggerMessage(EventId = 1551, Level = LogLevel.Error,
        Message = "Log input {Input}: the systemd journal cannot be read: {Reason}. It is tried again, up to a minute apart; entries wait in the journal.")]
    public static partial void Failed(ILogger logger, string input, string reason);

    [LoggerMessage(EventId = 1552, Level = LogLevel.Information, Message = "Log input {Input}: the systemd journal is read again.")]
    public static partial void Recovered(ILogger logger, string input);
}
