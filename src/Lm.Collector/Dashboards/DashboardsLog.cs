namespace Lm.Collector.Dashboards;

/// <summary>Log events of dashboards: 2850 to 2859.</summary>
internal static partial class DashboardsLog
{
    [LoggerMessage(EventId = 2850, Level = LogLevel.Information, Message = "{Source} saved the dashboard {Id} by {By}.")]
    public static partial void Saved(ILogger logger, string source, string id, string by);

    [LoggerMessage(EventId = 2851, Level = LogLevel.Information, Message = "{Source} deleted the dashboard {Id} by {By}.")]
    public static partial void Deleted(ILogger logger, string source, string id, string by);

    [LoggerMessage(EventId = 2852, Level = LogLevel.Warning, Message = "The saved dashboard {Id} is left out, since this program does not take it: {Fault}.")]
    public static partial void NotTaken(ILogger logger, string id, string fault);
}
