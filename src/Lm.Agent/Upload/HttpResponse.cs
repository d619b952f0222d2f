namespace Lm.Agent.Upload;

/// <summary>An HTTP answer, read within its bounds.</summary>
/// <param name="Status">The status code.</param>
/// <param name="ContentType">The header's value; empty for none.</param>
/// <param name="RetryAfter">The header's value; empty for none.</param>
/// <param name="IsKept">Whether the connection can carry another request.</param>
/// <param name="Body">The body; a 200's is whole, another's is empty when it did not come whole.</param>
internal sealed record HttpResponse(int Status, string ContentType, string RetryAfter, bool IsKept, byte[] Body)
{
    /// <summary>Whether the body is of this media type, whatever its parameters.</summary>
    public bool IsOf(string mediaType)
    {
        var type = ContentType.AsSpan();
        var parameters = type.IndexOf(';');
        return (parameters < 0 ? type : type[..parameters]).Trim(" \t").Equals(mediaType, StringComparison.OrdinalIgnoreCase);
    }
}

/// <summary>An answer that is not HTTP/1.1 as we take it: the connection is of no more use.</summary>
internal sealed class HttpFormatException(string message) : IOException(message);
