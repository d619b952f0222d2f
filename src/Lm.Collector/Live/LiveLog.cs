namespace Lm.Collector.Live;

/// <summary>Log events of the live stream: 2700 to 2799.</summary>
internal static partial class LiveLog
{
    [LoggerMessage(EventId = 2701, Level = LogLevel.Error, Message = "The live stream failed; its clients are cut off and come back")]
    public static partial void RoundFailed(ILogger logger, Exception failure);
}
