namespace Lm.Agent.Upload;

/// <summary>An HTTP answer, read whole within its bounds.</summary>
/// <param name="Status">The status code.</param>
/// <param name="RetryAfter">The header's value; empty for none.</param>
/// <param name="IsKept">Whether the connection can carry another request.</param>
/// <param name="Body">The body.</param>
internal sealed record HttpResponse(int Status, string RetryAfter, bool IsKept, byte[] Body);

/// <summary>An answer that is not HTTP/1.1 as we take it: the connection is of no more use.</summary>
internal sealed class HttpFormatException(string message) : IOException(message);
