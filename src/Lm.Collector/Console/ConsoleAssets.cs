using System.Security.Cryptography;

namespace Lm.Collector.Console;

/// <summary>The console's files, embedded in the program and read once.</summary>
internal sealed class ConsoleAssets
{
    /// <summary>Scripts, styles and pictures come from here alone; nothing is injected as HTML; nobody may frame a page.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; "
        + "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Prefix = "console/";

    private readonly Dictionary<string, Asset> assets = new(StringComparer.Ordinal);

    /// <summary>Reads them.</summary>
    public ConsoleAssets()
    {
        var assembly = typeof(ConsoleAssets).Assembly;
        foreach (var name in assembly.GetManifestResourceNames())
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                continue;
            }

            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            assets.Add(name[Prefix.Length..], new Asset(bytes, TypeOf(name), $"W/\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..32]}\""));
        }
    }

    /// <summary>Whether there is a file of this name, as in <c>app.css</c>.</summary>
    public bool Has(string name) => assets.ContainsKey(name);

    /// <summary>Sends a file, or 304 when the browser has it.</summary>
    public Task WriteAsync(HttpContext context, string name)
    {
        var asset = assets[name];
        var response = context.Response;
        response.Headers.CacheControl = "no-cache"; // may be kept, must be asked for: a new version shows at once
        response.Headers.ETag = asset.ETag;
        if (context.Request.Headers.IfNoneMatch is [{ } known] && known == asset.ETag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = asset.Type;
        response.ContentLength = asset.Bytes.Length;
        return response.Body.WriteAsync(asset.Bytes, context.RequestAborted).AsTask();
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    /// <param name="Bytes">The file.</param>
    /// <param name="Type">Its media type.</param>
    /// <param name="ETag">Weak: the file as gzip has the same one.</param>
    private sealed record Asset(byte[] Bytes, string Type, string ETag);
}
