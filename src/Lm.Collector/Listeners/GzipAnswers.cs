using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Lm.Collector.Listeners;

/// <summary>Which answers of the private listener leave as gzip: text of some size, for clients that accept it.</summary>
/// <remarks>
/// Also over TLS, where the length of a compressed body can give a secret in it away to one who can put text of his own beside it (BREACH): no body
/// here holds a secret. The query token comes in a header and is sent to nobody, a session's id leaves in Set-Cookie, and a page elsewhere cannot
/// make a browser ask in a session's name, because its cookie is SameSite=Strict. Whoever adds a secret to a body has to leave it out here.
/// Never a stream of events: compression would hold them back.
/// </remarks>
internal sealed class GzipAnswers : IResponseCompressionProvider
{
    // Below, the headers cost as much as the body.
    private const int SizeMin = 1024;

    private static readonly string[] Types =
        ["application/json", "application/x-ndjson", "text/plain", "text/html", "text/css", "text/javascript", "text/csv", "image/svg+xml"];

    private readonly GzipCompressionProvider gzip = new(Options.Create(new GzipCompressionProviderOptions { Level = CompressionLevel.Fastest }));

    /// <inheritdoc/>
    public ICompressionProvider? GetCompressionProvider(HttpContext context) => Accepts(context.Request, "gzip") ? gzip : null;

    /// <inheritdoc/>
    public bool ShouldCompressResponse(HttpContext context)
    {
        var response = context.Response;
        return response.StatusCode != StatusCodes.Status304NotModified
            && response.Headers.ContentEncoding.Count == 0 // the console's files are stored compressed
            && response.ContentLength is null or >= SizeMin
            && MediaTypeHeaderValue.TryParse(response.ContentType, out var type)
            && Types.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase);
    }

    /// <inheritdoc/>
    /// <remarks>Always: those who do not accept it get <c>Vary</c>, too, so that a cache does not give them what another accepted.</remarks>
    public bool CheckRequestAcceptsCompression(HttpContext context) => true;

    /// <summary>Whether a client takes an encoding.</summary>
    /// <remarks>RFC 9110, 12.5.3: by name or by *, the name before the star, a weight of 0 is no.</remarks>
    public static bool Accepts(HttpRequest request, string name)
    {
        if (!StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var encodings))
        {
            return false;
        }

        var named = encodings.FirstOrDefault(encoding => encoding.Value.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? encodings.FirstOrDefault(encoding => encoding.Value == "*");
        return named is not null && named.Quality is null or > 0;
    }
}
