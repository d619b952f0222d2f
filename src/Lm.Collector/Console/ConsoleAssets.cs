using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Lm.Collector.Listeners;

namespace Lm.Collector.Console;

/// <summary>The built console (<c>console/dist</c>), embedded in the program as gzip and Brotli and sent as it is.</summary>
/// <remarks>Pages are filled in with the base path and asked for again each time; what they load has its content's hash in its name and may be kept for ever.</remarks>
internal sealed class ConsoleAssets
{
    /// <summary>Scripts, styles and pictures come from here alone; nothing is injected as HTML; nobody may frame a page.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; "
        + "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Prefix = "console/";
    private const string Forever = "public, max-age=31536000, immutable";

    private readonly Dictionary<string, string> pages = new(StringComparer.Ordinal);
    private readonly HashSet<string> packed = new(StringComparer.Ordinal); // names with .gz or .br

    /// <summary>Lists them.</summary>
    public ConsoleAssets()
    {
        var assembly = typeof(ConsoleAssets).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            if (name.EndsWith(".html", StringComparison.Ordinal))
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                pages.Add(name[Prefix.Length..], reader.ReadToEnd());
            }
            else
            {
                packed.Add(name[Prefix.Length..]);
            }
        }
    }

    /// <summary>Names of all files that pages load, as in <c>assets/index-BED3O7si.js</c>.</summary>
    public IEnumerable<string> Names => packed.Where(static name => name.EndsWith(".gz", StringComparison.Ordinal)).Select(static name => name[..^3]);

    /// <summary>Whether there is a file of this name for pages to load.</summary>
    public bool Has(string name) => packed.Contains(name + ".gz");

    /// <summary>Sends a page, or 304 when the browser has it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">As in <c>login.html</c>.</param>
    /// <param name="basePath">Where the console is served: every address in the page begins with it, because a page's own depth differs.</param>
    public Task WritePageAsync(HttpContext context, string name, string basePath)
    {
        var bytes = Encoding.UTF8.GetBytes(pages[name].Replace("=\"./", $"=\"{basePath}", StringComparison.Ordinal));
        var response = context.Response;
        response.Headers.CacheControl = "no-cache"; // may be kept, must be asked for: a new version shows at once
        if (IsKnown(context, $"W/\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\""))
        {
            return Task.CompletedTask;
        }

        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    /// <summary>Sends a file that pages load, or 304 when the browser has it.</summary>
    public async Task WriteAsync(HttpContext context, string name)
    {
        var response = context.Response;
        response.Headers.CacheControl = Forever;
        response.Headers.Vary = "Accept-Encoding";
        if (IsKnown(context, $"W/\"{Path.GetFileName(name)}\""))
        {
            return;
        }

        response.ContentType = TypeOf(name);
        var encoding = packed.Contains(name + ".br") && GzipAnswers.Accepts(context.Request, "br") ? "br" : GzipAnswers.Accepts(context.Request, "gzip") ? "gzip" : null;
        var stored = typeof(ConsoleAssets).Assembly.GetManifestResourceStream($"{Prefix}{name}.{(encoding == "br" ? "br" : "gz")}")!;
        await using (stored)
        {
            if (encoding is null)
            {
                // No browser comes here: the plain file is not kept, to keep the program small.
                await using var plain = new GZipStream(stored, CompressionMode.Decompress);
                await plain.CopyToAsync(response.Body, context.RequestAborted);
                return;
            }

            response.Headers.ContentEncoding = encoding;
            response.ContentLength = stored.Length;
            await stored.CopyToAsync(response.Body, context.RequestAborted);
        }
    }

    // Weak: the same file has one tag in every encoding.
    private static bool IsKnown(HttpContext context, string tag)
    {
        context.Response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch is not [{ } known] || known != tag)
        {
            return false;
        }

        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return true;
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}
