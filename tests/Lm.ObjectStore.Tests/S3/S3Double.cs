using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security;
using System.Text;

namespace Lm.ObjectStore.Tests.S3;

/// <summary>As much of an S3 server as the store asks for, in this process, with faults on demand. Signatures are not checked: the other servers do that.</summary>
internal sealed class S3Double : IAsyncDisposable
{
    public const string Bucket = S3Server.Bucket;

    private readonly HttpListener listener = new();
    private readonly Lock gate = new(); // guards objects, uploads
    private readonly SortedDictionary<string, byte[]> objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, byte[]>> uploads = [];
    private readonly ConcurrentBag<Task> answering = [];
    private readonly TaskCompletionSource stopped = new();
    private readonly Task accepting;

    public S3Double()
    {
        Endpoint = new Uri($"http://127.0.0.1:{FreePort()}/");
        listener.Prefixes.Add(Endpoint.ToString());
        listener.Start();
        accepting = AcceptAsync();
    }

    public Uri Endpoint { get; }

    /// <summary>Says what becomes of a request: called with its method and path.</summary>
    public Func<HttpListenerRequest, S3Trouble> Trouble { get; set; } = static _ => S3Trouble.None;

    /// <summary>Every request as method and path with query.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Whether a condition is passed over, as some servers do.</summary>
    public bool Overwrites { get; set; }

    /// <summary>Whether a condition is answered 501.</summary>
    public bool LacksConditions { get; set; }

    /// <summary>Whether a range is passed over.</summary>
    public bool LacksRanges { get; set; }

    public int UploadsOpen
    {
        get
        {
            lock (gate)
            {
                return uploads.Count;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        stopped.TrySetResult();
        listener.Stop();
        await accepting;
        await Task.WhenAll(answering);
        listener.Close();
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private async Task AcceptAsync()
    {
        while (listener.IsListening)
        {
            try
            {
                var context = await listener.GetContextAsync();
                answering.Add(Task.Run(() => AnswerAsync(context)));
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            Requests.Enqueue($"{context.Request.HttpMethod} {context.Request.RawUrl}");
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            var trouble = Trouble(context.Request);
            if (trouble.Kind == S3TroubleKind.Silent)
            {
                await stopped.Task;
                context.Response.Abort();
                return;
            }

            if (trouble.Kind == S3TroubleKind.Status)
            {
                Refuse(context, trouble.Status, trouble.Code);
                return;
            }

            if (trouble.Kind == S3TroubleKind.Page)
            {
                await WriteAsync(context, new Answer(trouble.Status, Encoding.UTF8.GetBytes(trouble.Code)), isCut: false);
                return;
            }

            var answer = Handle(context.Request, body.ToArray());
            if (trouble.Kind == S3TroubleKind.LostAnswer)
            {
                Refuse(context, 500, "InternalError");
                return;
            }

            await WriteAsync(context, answer, trouble.Kind == S3TroubleKind.Cut);
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            // The client has gone.
        }
    }

    private static async Task WriteAsync(HttpListenerContext context, Answer answer, bool isCut)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            response.Headers[name] = value;
        }

        response.ContentLength64 = answer.Length ?? answer.Body.Length;
        if (context.Request.HttpMethod != "HEAD")
        {
            await response.OutputStream.WriteAsync(isCut ? answer.Body.AsMemory(0, answer.Body.Length / 2) : answer.Body);
        }

        if (isCut)
        {
            await response.OutputStream.FlushAsync();
            response.Abort();
            return;
        }

        response.Close();
    }

    private static void Refuse(HttpListenerContext context, int status, string code)
    {
        var body = context.Request.HttpMethod == "HEAD" ? [] : Encoding.UTF8.GetBytes($"<Error><Code>{code}</Code><Message>as told</Message></Error>");
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        context.Response.Close(body, willBlock: true);
    }

    private Answer Handle(HttpListenerRequest request, byte[] body)
    {
        var path = Uri.UnescapeDataString(request.Url!.AbsolutePath);
        var query = request.QueryString;
        if (!path.StartsWith($"/{Bucket}", StringComparison.Ordinal))
        {
            return Answer.Error(404, "NoSuchBucket");
        }

        var key = path.Length > Bucket.Length + 2 ? path[(Bucket.Length + 2)..] : "";
        lock (gate)
        {
            return request.HttpMethod switch
            {
                "GET" when key.Length == 0 => List(query["prefix"] ?? "", query["start-after"] ?? "", int.Parse(query["max-keys"] ?? "1000", CultureInfo.InvariantCulture)),
                "GET" => Get(key, request.Headers["Range"]),
                "HEAD" => Head(key),
                "PUT" when query["uploadId"] is { } upload => PutPart(upload, int.Parse(query["partNumber"]!, CultureInfo.InvariantCulture), body),
                "PUT" => Put(key, body, request.Headers["If-None-Match"] is not null),
                "POST" when request.Url.Query.StartsWith("?uploads", StringComparison.Ordinal) => Begin(key),
                "POST" => Complete(key, query["uploadId"]!),
                "DELETE" when query["uploadId"] is { } upload => Abort(upload),
                "DELETE" => Delete(key),
                _ => Answer.Error(405, "MethodNotAllowed"),
            };
        }
    }

    private Answer Put(string key, byte[] body, bool isConditional)
    {
        if (isConditional && LacksConditions)
        {
            return Answer.Error(501, "NotImplemented");
        }

        if (isConditional && !Overwrites && objects.ContainsKey(key))
        {
            return Answer.Error(412, "PreconditionFailed");
        }

        objects[key] = body;
        return new Answer(200, []) { Headers = { ["ETag"] = "\"1\"" } };
    }

    private Answer Get(string key, string? range)
    {
        if (!objects.TryGetValue(key, out var content))
        {
            return Answer.Error(404, "NoSuchKey");
        }

        if (range is null || LacksRanges)
        {
            return new Answer(200, content);
        }

        var bounds = range["bytes=".Length..].Split('-').Select(each => long.Parse(each, CultureInfo.InvariantCulture)).ToArray();
        if (bounds[0] >= content.Length)
        {
            return Answer.Error(416, "InvalidRange");
        }

        var end = Math.Min(bounds[1] + 1, content.Length);
        return new Answer(206, content[(int)bounds[0]..(int)end]) { Headers = { ["Content-Range"] = $"bytes {bounds[0]}-{end - 1}/{content.Length}" } };
    }

    private Answer Head(string key) =>
        objects.TryGetValue(key, out var content) ? new Answer(200, []) { Length = content.Length } : new Answer(404, []);

    private Answer List(string prefix, string after, int limit)
    {
        var found = objects.Where(each => each.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(each.Key, after) > 0).Take(limit + 1).ToArray();
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult>");
        xml.Append(CultureInfo.InvariantCulture, $"<IsTruncated>{(found.Length > limit ? "true" : "false")}</IsTruncated>");
        foreach (var (key, content) in found.Take(limit))
        {
            xml.Append(CultureInfo.InvariantCulture, $"<Contents><Key>{SecurityElement.Escape(key)}</Key><Size>{content.Length}</Size></Contents>");
        }

        return new Answer(200, Encoding.UTF8.GetBytes(xml.Append("</ListBucketResult>").ToString())) { Headers = { ["Content-Type"] = "application/xml" } };
    }

    private Answer Delete(string key)
    {
        objects.Remove(key);
        return new Answer(204, []);
    }

    private Answer Begin(string key)
    {
        var upload = Guid.NewGuid().ToString("N");
        uploads.Add(upload, []);
        return new Answer(200, Encoding.UTF8.GetBytes(
            $"<InitiateMultipartUploadResult><Bucket>{Bucket}</Bucket><Key>{key}</Key><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"));
    }

    private Answer PutPart(string upload, int part, byte[] body)
    {
        uploads[upload][part] = body;
        return new Answer(200, []) { Headers = { ["ETag"] = $"\"{part}\"" } };
    }

    private Answer Complete(string key, string upload)
    {
        objects[key] = [.. uploads[upload].Values.SelectMany(static part => part)];
        uploads.Remove(upload);
        return new Answer(200, Encoding.UTF8.GetBytes($"<CompleteMultipartUploadResult><Bucket>{Bucket}</Bucket><Key>{key}</Key><ETag>\"x-2\"</ETag></CompleteMultipartUploadResult>"));
    }

    private Answer Abort(string upload)
    {
        uploads.Remove(upload);
        return new Answer(204, []);
    }

    private sealed record Answer(int Status, byte[] Body)
    {
        public Dictionary<string, string> Headers { get; } = [];

        public long? Length { get; init; }

        public static Answer Error(int status, string code) => new(status, Encoding.UTF8.GetBytes($"<Error><Code>{code}</Code><Message>no</Message></Error>"));
    }
}

/// <summary>What becomes of a request.</summary>
/// <param name="Kind">The kind of trouble.</param>
/// <param name="Status">The status to answer with.</param>
/// <param name="Code">S3's code, or the page.</param>
internal readonly record struct S3Trouble(S3TroubleKind Kind, int Status = 0, string Code = "")
{
    public static S3Trouble None => default;

    public static S3Trouble Answer(int status, string code) => new(S3TroubleKind.Status, status, code);
}

internal enum S3TroubleKind
{
    /// <summary>It is answered as it should be.</summary>
    None,

    /// <summary>It is answered with a status.</summary>
    Status,

    /// <summary>Something before the server answers with a status and a page of its own.</summary>
    Page,

    /// <summary>It is carried out, and the answer is 500.</summary>
    LostAnswer,

    /// <summary>Half of the answer's body comes, then the connection ends.</summary>
    Cut,

    /// <summary>No answer comes.</summary>
    Silent,
}
