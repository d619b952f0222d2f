using Lm.Collector.Live;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lm.Collector.Listeners;

/// <summary>What a client may take of a listener.</summary>
internal sealed record ListenerBounds
{
    /// <summary>The ingest listener: many agents, one or two connections each.</summary>
    public static ListenerBounds Ingest { get; } = new() { ConnectionsMax = 10_000 };

    /// <summary>The private listener: people, dashboards, Prometheus, and every client of the live stream.</summary>
    public static ListenerBounds Private { get; } = new() { ConnectionsMax = 5000, UpgradesMax = LiveHub.ListenersMax };

    /// <summary>Connections at a time; further ones are closed at once.</summary>
    public required int ConnectionsMax { get; init; }

    /// <summary>WebSockets at a time, counted apart from <see cref="ConnectionsMax"/>; further ones get status 503. None where nothing answers them.</summary>
    public int UpgradesMax { get; init; }

    /// <summary>A TLS handshake that takes longer ends.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Request line and headers must be there by then.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A connection without a request is closed; agents send every 15 s by default, so theirs live.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Sets Kestrel's limits.</summary>
    public void Apply(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = ConnectionsMax;
        limits.MaxConcurrentUpgradedConnections = UpgradesMax;
        limits.RequestHeadersTimeout = HeadersTimeout;
        limits.KeepAliveTimeout = IdleTimeout;
        limits.MaxRequestLineSize = 8 << 10;
        limits.MaxRequestHeadersTotalSize = 16 << 10;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestBodySize = null; // the endpoints count for themselves: the limit is a setting that a reload changes
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MaxResponseBufferSize = 64 << 10;
        limits.Http2.MaxStreamsPerConnection = 32;
        limits.Http2.MaxRequestHeaderFieldSize = 8 << 10;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(60);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }
}
