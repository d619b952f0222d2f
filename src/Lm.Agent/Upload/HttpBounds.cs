namespace Lm.Agent.Upload;

/// <summary>How large an answer may be.</summary>
/// <param name="BodyBytesMax">Bytes of its body.</param>
/// <param name="AnswerBytesMax">Bytes that are read for it: interim answers, head, body, chunk lines and trailers together.</param>
/// <param name="TakesUnmarkedEnd">Whether a good answer's body may end with the connection, so that one that was cut short looks whole.</param>
internal sealed record HttpBounds(int BodyBytesMax, int AnswerBytesMax, bool TakesUnmarkedEnd)
{
    /// <summary>Those of a collector's answers.</summary>
    public static readonly HttpBounds OfCollector = new(HttpResponseReader.BodyBytesMax, HttpInput.AnswerBytesMax, TakesUnmarkedEnd: false);

    /// <summary>Those of a scrape's: programs of the old kind end a body with the connection, and a line that was cut shows in its text most of the time.</summary>
    public static HttpBounds ForScrape(int bodyBytesMax)
    {
        // Chunk lines of small chunks, and the head.
        const int Framing = 64 << 10;
        return new(bodyBytesMax, bodyBytesMax + (bodyBytesMax / 8) + Framing, TakesUnmarkedEnd: true);
    }
}
