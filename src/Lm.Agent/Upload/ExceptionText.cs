namespace Lm.Agent.Upload;

/// <summary>What an exception and the one behind it say; the outer one of TLS often says only that there is an inner one.</summary>
internal static class ExceptionText
{
    public static string Of(Exception failure) => failure.InnerException is { } inner && !failure.Message.Contains(inner.Message.TrimEnd('.'), StringComparison.Ordinal)
        ? $"{failure.Message.TrimEnd('.')} ({inner.Message.TrimEnd('.')})"
        : failure.Message.TrimEnd('.');
}
