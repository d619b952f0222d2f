using System.Net;

namespace Lm.Collector.Console;

/// <summary>Log events of sign-in and console: 2900 to 2999.</summary>
internal static partial class ConsoleLog
{
    [LoggerMessage(EventId = 2900, Level = LogLevel.Information, Message = "{Source} signed in to the console.")]
    public static partial void SignedIn(ILogger logger, IPAddress? source);

    [LoggerMessage(EventId = 2901, Level = LogLevel.Warning, Message = "{Source} tried to sign in to the console with a wrong token.")]
    public static partial void SignInRefused(ILogger logger, IPAddress? source);

    [LoggerMessage(EventId = 2902, Level = LogLevel.Information, Message = "{Source} signed out of the console.")]
    public static partial void SignedOut(ILogger logger, IPAddress? source);

    [LoggerMessage(EventId = 2903, Level = LogLevel.Warning,
        Message = "{Source} sent more than {Count} wrong tokens within a minute to the private listener: further ones are answered 429 for {Seconds} s.")]
    public static partial void TooManyWrongTokens(ILogger logger, IPAddress? source, int count, int seconds);
}
