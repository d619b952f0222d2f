using System.Globalization;
using System.Text;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Upload;

/// <summary>The request line and headers of an upload: docs/protocol.md.</summary>
internal static class HttpRequestHead
{
    public static byte[] Encode(Uri url, Secret token, UploadRequest request)
    {
        var (sequences, status) = (request.Sequences, request.Status);
        var oldest = status.Oldest?.Value ?? request.SentAt.Value;
        var dropped = status.Counters.Dropped + status.Counters.Lost;
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            POST {BatchHeaders.Path} HTTP/1.1
            Host: {HostOf(url)}
            User-Agent: lm-agent/{AgentVersion.Text}
            Authorization: Bearer {token.Reveal()}
            Content-Type: {IngestAck.MediaType}
            Content-Length: {request.BodyBytes}
            {BatchHeaders.Agent}: {request.AgentId}
            {BatchHeaders.SeqStart}: {sequences.Start}
            {BatchHeaders.SeqEnd}: {sequences.End}
            {BatchHeaders.SeqFloor}: {status.Floor}
            {BatchHeaders.SentAt}: {request.SentAt.Value}
            {BatchHeaders.Queue}: batches={status.Batches}, bytes={status.SizeBytes}, oldest_ms={oldest}, dropped={dropped}, rejected={status.Counters.Rejected}


            """).ReplaceLineEndings("\r\n"));
    }

    /// <summary>The question for the collector's limits.</summary>
    public static byte[] EncodeQuestion(Uri url, Secret token, string agentId) => Encoding.ASCII.GetBytes($"""
        GET {BatchHeaders.LimitsPath} HTTP/1.1
        Host: {HostOf(url)}
        User-Agent: lm-agent/{AgentVersion.Text}
        Authorization: Bearer {token.Reveal()}
        {BatchHeaders.Agent}: {agentId}


        """.ReplaceLineEndings("\r\n"));

    // In ASCII, as TLS names it, too; the port as far as it is not the scheme's own.
    private static string HostOf(Uri url)
    {
        var host = url.HostNameType == UriHostNameType.IPv6 ? $"[{url.IdnHost}]" : url.IdnHost;
        return url.IsDefaultPort ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{url.Port}");
    }
}
