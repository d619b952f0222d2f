using System.Globalization;
using Lm.Collector.Agents;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Extensions.Primitives;

namespace Lm.Collector.Ingest;

/// <summary>Reads the headers of a batch request.</summary>
internal static class RequestHeaders
{
    private const int UserAgentMax = 128;

    /// <summary>The token of <c>Authorization: Bearer …</c>; empty when there is none.</summary>
    public static ReadOnlySpan<char> BearerToken(IHeaderDictionary headers)
    {
        const string scheme = "Bearer ";
        var authorization = headers.Authorization;
        if (authorization.Count != 1 || authorization[0] is not { } text || !text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return default;
        }

        return text.AsSpan(scheme.Length).Trim(' ');
    }

    /// <summary>Reads the numbers.</summary>
    /// <returns>Null, or which header is wrong, what it says and what is expected.</returns>
    public static string? TryRead(IHeaderDictionary headers, string agentId, UnixMillis receivedAt, out IngestRequest request)
    {
        request = default;
        if (TryReadNumber(headers, BatchHeaders.SeqStart, 1, isRequired: true, out var start) is { } startFault)
        {
            return startFault;
        }

        if (TryReadNumber(headers, BatchHeaders.SeqEnd, 1, isRequired: true, out var end) is { } endFault)
        {
            return endFault;
        }

        if (TryReadNumber(headers, BatchHeaders.SeqFloor, 0, isRequired: false, out var floor) is { } floorFault)
        {
            return floorFault;
        }

        if (TryReadNumber(headers, BatchHeaders.SentAt, 0, isRequired: false, out var sentAt) is { } sentAtFault)
        {
            return sentAtFault;
        }

        if (end < start)
        {
            return $"{BatchHeaders.SeqEnd} is {end}, below {BatchHeaders.SeqStart}, which is {start}";
        }

        request = new IngestRequest
        {
            AgentId = agentId,
            SeqStart = start,
            SeqEnd = end,
            SeqFloor = floor,
            SentAt = headers.ContainsKey(BatchHeaders.SentAt) ? new UnixMillis((long)Math.Min(sentAt, long.MaxValue)) : null,
            ReceivedAt = receivedAt,
        };
        return null;
    }

    /// <summary>Reads <c>batches=1, bytes=2, oldest_ms=3, dropped=4, rejected=5</c>; null when it is absent or reads otherwise: it informs
    /// people, so a fault in it refuses nothing.</summary>
    public static QueueReport? TryReadQueue(StringValues header)
    {
        if (header.Count != 1 || header[0] is not { Length: <= 256 } text)
        {
            return null;
        }

        long batches = 0, bytes = 0, oldest = 0, dropped = 0, rejected = 0;
        foreach (var part in text.AsSpan().Split(','))
        {
            var pair = text.AsSpan()[part].Trim();
            var equals = pair.IndexOf('=');
            if (equals <= 0 || !long.TryParse(pair[(equals + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                return null;
            }

            switch (pair[..equals])
            {
                case "batches": batches = value; break;
                case "bytes": bytes = value; break;
                case "oldest_ms": oldest = value; break;
                case "dropped": dropped = value; break;
                case "rejected": rejected = value; break;
                default: break; // a later agent may say more
            }
        }

        return new QueueReport(batches, bytes, oldest == 0 ? null : new UnixMillis(oldest), dropped, rejected);
    }

    /// <summary>The User-Agent, cut; null when there is none.</summary>
    public static string? UserAgent(IHeaderDictionary headers) =>
        headers.UserAgent.ToString() is { Length: > 0 } text ? text[..Math.Min(text.Length, UserAgentMax)] : null;

    private static string? TryReadNumber(IHeaderDictionary headers, string name, ulong min, bool isRequired, out ulong value)
    {
        value = 0;
        var header = headers[name];
        if (header.Count == 0)
        {
            return isRequired ? $"{name} is missing" : null;
        }

        return header.Count == 1 && ulong.TryParse(header[0], NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min
            ? null
            : $"{name} is {Show(header)}; one whole number from {min} to {ulong.MaxValue} is expected";
    }

    private static string Show(StringValues header)
    {
        var text = header.ToString();
        return "\"" + (text.Length > 40 ? text[..40] + "…" : text) + "\"";
    }
}
