using System.Net.Security;
using Lm.Collector.Listeners;

namespace Lm.Collector.Settings;

/// <summary>The settings in use: swapped whole, TLS contexts with them.</summary>
internal sealed class CurrentSettings
{
    private volatile Loaded loaded;

    /// <summary>Begins with these.</summary>
    public CurrentSettings(ServerSettings settings) => loaded = new Loaded(settings);

    /// <summary>Others were put in use.</summary>
    public event Action? Swapped;

    /// <summary>The settings.</summary>
    public ServerSettings Value => loaded.Settings;

    /// <summary>TLS of the ingest listener.</summary>
    public SslServerAuthenticationOptions IngestTls => loaded.IngestTls;

    /// <summary>TLS of the private listener; only where it has any.</summary>
    public SslServerAuthenticationOptions QueryTls => loaded.QueryTls ?? throw new InvalidOperationException("the private listener has no TLS");

    /// <summary>Puts others in use.</summary>
    public void Swap(ServerSettings settings)
    {
        loaded = new Loaded(settings);
        Swapped?.Invoke();
    }

    private sealed class Loaded(ServerSettings settings)
    {
        public ServerSettings Settings { get; } = settings;

        public SslServerAuthenticationOptions IngestTls { get; } = TlsOptions.For(settings.Ingest.Tls);

        public SslServerAuthenticationOptions? QueryTls { get; } = settings.Query.Certificate is { } certificate ? TlsOptions.For(certificate) : null;
    }
}
