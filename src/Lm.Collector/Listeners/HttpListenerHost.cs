using System.Net;
using System.Net.Security;
using Lm.Collector.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Lm.Collector.Listeners;

/// <summary>One listener: a Kestrel server of its own and one endpoint. No routing, no middleware: what a listener answers is its endpoint's
/// code and nothing else.</summary>
internal sealed class HttpListenerHost : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly IServer server;
    private readonly IHttpEndpoint endpoint;
    private readonly ConnectionCounter connections = new();

    /// <param name="address">Where to listen.</param>
    /// <param name="endpoint">What answers.</param>
    /// <param name="bounds">Its bounds.</param>
    /// <param name="tls">TLS as it is now, asked at each handshake; null for plain HTTP.</param>
    /// <param name="loggers">Makes loggers.</param>
    public HttpListenerHost(
        ListenAddress address, IHttpEndpoint endpoint, ListenerBounds bounds, Func<SslServerAuthenticationOptions>? tls, ILoggerFactory loggers)
    {
        this.endpoint = endpoint;
        // The builder only because Kestrel's TLS wants services that are internal; its pipeline is not used, so it costs nothing per request.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().UseSockets(sockets => Configure(sockets, endpoint)).ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            bounds.Apply(options.Limits);
            options.Listen(new IPEndPoint(address.Address, address.Port), listen => Configure(listen, bounds, tls));
        });
        application = builder.Build();
        server = application.Services.GetRequiredService<IServer>();
    }

    /// <summary>Open connections.</summary>
    public long ConnectionCount => connections.Open;

    /// <summary>Connections taken since the start.</summary>
    public long ConnectionsTotal => connections.Total;

    /// <summary>Where it listens, the port known; after the start.</summary>
    public IPEndPoint LocalEndPoint
    {
        get
        {
            var address = new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First().Replace("[::]", "[::1]", StringComparison.Ordinal));
            return new IPEndPoint(IPAddress.Parse(address.Host.Trim('[', ']')), address.Port);
        }
    }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">The address is in use or not this machine's.</exception>
    public Task StartAsync(CancellationToken cancellationToken) => server.StartAsync(new Application(endpoint), cancellationToken);

    /// <summary>Stops listening, lets requests in hand finish until the token is cancelled, then cuts them.</summary>
    public Task StopAsync(CancellationToken deadline) => server.StopAsync(deadline);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => application.DisposeAsync();

    private static void Configure(SocketTransportOptions sockets, IHttpEndpoint endpoint)
    {
        // The usual three hops from thread to thread between a socket and its answer cost more than a batch's work.
        sockets.UnsafePreferInlineScheduling = endpoint.IsQuick;

        // One call to the kernel less for each request, for 4 KiB held by each connection that waits.
        sockets.WaitForDataBeforeAllocatingBuffer = !endpoint.IsQuick;
    }

    private void Configure(ListenOptions listen, ListenerBounds bounds, Func<SslServerAuthenticationOptions>? tls)
    {
        listen.Use(connections.Count);
        listen.Protocols = tls is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
        if (tls is not null)
        {
            listen.UseHttps(new TlsHandshakeCallbackOptions
            {
                // A new connection gets what is current; those that stand keep theirs.
                OnConnection = _ => ValueTask.FromResult(tls()),
                HandshakeTimeout = bounds.HandshakeTimeout,
            });
        }
    }

    private sealed class Application(IHttpEndpoint endpoint) : IHttpApplication<DefaultHttpContext>
    {
        public DefaultHttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            // Kestrel keeps a place for the context beside its own per-connection objects, so that requests of one connection share it.
            if (contextFeatures is Microsoft.AspNetCore.Hosting.Server.Abstractions.IHostContextContainer<DefaultHttpContext> container)
            {
                if (container.HostContext is { } known)
                {
                    known.Initialize(contextFeatures);
                    return known;
                }

                return container.HostContext = new DefaultHttpContext(contextFeatures);
            }

            return new DefaultHttpContext(contextFeatures);
        }

        public Task ProcessRequestAsync(DefaultHttpContext context) => endpoint.HandleAsync(context);

        public void DisposeContext(DefaultHttpContext context, Exception? exception) => context.Uninitialize();
    }
}
