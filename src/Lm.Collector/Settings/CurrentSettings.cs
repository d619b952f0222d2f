using System.Net.Security;
using Lm.Collector.Listeners;
using Lm.Platform;

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

    /// <summary>What the last attempt to reload was refused for; null when it was taken, or there was none.</summary>
    public RefusedReload? Refused { get; private set; }

    /// <summary>What was changed since the start and is in effect only after the next one.</summary>
    public IReadOnlyList<string> AwaitsRestart { get; private set; } = [];

    /// <summary>Notes how a reload went.</summary>
    public void Note(RefusedReload? refused, IReadOnlyList<string> awaitsRestart) => (Refused, AwaitsRestart) = (refused, awaitsRestart);

    private sealed class Loaded(ServerSettings settings)
    {
        public ServerSettings Settings { get; } = settings;

        public SslServerAuthenticationOptions IngestTls { get; } = TlsOptions.For(settings.Ingest.Tls);

        public SslServerAuthenticationOptions? QueryTls { get; } = settings.Query.Certificate is { } certificate ? TlsOptions.For(certificate) : null;
    }
}

/// <summary>A reload that kept the old settings.</summary>
/// <param name="At">When.</param>
/// <param name="Faults">Why, as <c>file:line:column: message</c>.</param>
internal sealed record RefusedReload(UnixMillis At, IReadOnlyList<string> Faults);
