using System.Buffers;
using System.Globalization;

namespace Lm.Agent.Upload;

/// <summary>An answer's status and the headers that matter here. Whatever two programs could read differently is refused.</summary>
/// <remarks>Source: RFC 9112, sections 4 to 6 and 9.3; RFC 9110, section 5.</remarks>
internal sealed class HttpHead
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly bool isVersion10;

    /// <summary>A head that begins with this status line, <c>HTTP/1.1 200 OK</c>.</summary>
    /// <exception cref="HttpFormatException">It is none.</exception>
    public HttpHead(string statusLine)
    {
        if (statusLine.Length < 12 || !statusLine.StartsWith("HTTP/1.", StringComparison.Ordinal)
            || !char.IsAsciiDigit(statusLine[7]) || statusLine[8] != ' '
            || !int.TryParse(statusLine.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            || status < 100 || (statusLine.Length > 12 && statusLine[12] != ' '))
        {
            throw new HttpFormatException("the answer does not begin with an HTTP/1.1 status line");
        }

        Status = status;
        isVersion10 = statusLine[7] == '0';
        IsKept = !isVersion10;
    }

    /// <summary>The status code.</summary>
    public int Status { get; }

    /// <summary>Whether it comes before the real answer (1xx).</summary>
    public bool IsInterim => Status < 200;

    /// <summary>Whether no body follows, whatever the headers say.</summary>
    public bool IsBodiless => Status is 204 or 304;

    /// <summary>Whether the connection can carry another request.</summary>
    public bool IsKept { get; private set; }

    /// <summary>Whether the body comes in chunks.</summary>
    public bool IsChunked { get; private set; }

    /// <summary>The body's length; null when no header says it.</summary>
    public long? Length { get; private set; }

    /// <summary>Seconds or a date; empty for none.</summary>
    public string RetryAfter { get; private set; } = "";

    /// <summary>The body's media type; empty for none.</summary>
    public string ContentType { get; private set; } = "";

    /// <summary>Takes in one header line.</summary>
    /// <exception cref="HttpFormatException">It is none, or contradicts another.</exception>
    public void Take(string line)
    {
        var (name, value) = Split(line);
        if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
        {
            // Twice is refused even where both agree: no program that we know sends that, and the next one might take the other.
            Length = Length is null && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                ? length
                : throw new HttpFormatException("the answer's Content-Length is no single number");
        }
        else if (name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
        {
            IsChunked = !IsChunked && !isVersion10 && value.Equals("chunked", StringComparison.OrdinalIgnoreCase)
                ? true
                : throw new HttpFormatException("the answer has a Transfer-Encoding other than chunked");
        }
        else if (name.Equals("Connection", StringComparison.OrdinalIgnoreCase))
        {
            IsKept &= !value.Contains("close", StringComparison.OrdinalIgnoreCase);
        }
        else if (name.Equals("Retry-After", StringComparison.OrdinalIgnoreCase))
        {
            RetryAfter = value;
        }
        else if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
        {
            // Two types are none: nothing says which of them is meant.
            ContentType = ContentType.Length == 0 ? value : ",";
        }

        if (IsChunked && Length is not null)
        {
            throw new HttpFormatException("the answer has both a Content-Length and a Transfer-Encoding");
        }
    }

    /// <summary>Checks that a line is a header.</summary>
    public static void CheckTrailer(string line) => Split(line);

    private static (string Name, string Value) Split(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || line.AsSpan(0, colon).ContainsAnyExcept(TokenCharacters))
        {
            throw new HttpFormatException("a header line of the answer has no name");
        }

        return (line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }
}
