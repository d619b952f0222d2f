using Lm.PromQL;

namespace Lm.Collector.Settings;

/// <summary>The <c>[query]</c> table: the private listener.</summary>
internal sealed record QuerySettings
{
    /// <summary>Where it listens. Default 127.0.0.1:18080. Not reloadable.</summary>
    public required ListenAddress Listen { get; init; }

    /// <summary>The bearer token of queries, live view and console. Reloadable.</summary>
    public required Secret Token { get; init; }

    /// <summary>How long a query may take. Default 60 s.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>How many samples a query may touch. Default 50,000,000.</summary>
    public required long SamplesMax { get; init; }

    /// <summary>3 or 2: whose semantics PromQL follows.</summary>
    public required int PromqlSemantics { get; init; }

    /// <summary>The same, as the parser takes it.</summary>
    public PromSemantics Semantics => PromqlSemantics == 2 ? PromSemantics.V2 : PromSemantics.V3;

    /// <summary>Host headers (without port, lower case) accepted beside the listen address, localhost, 127.0.0.1 and [::1]. Reloadable.</summary>
    public required IReadOnlyList<string> AllowedHosts { get; init; }

    /// <summary>The path under which a proxy shows the console; begins and ends with a slash.</summary>
    public required string BasePath { get; init; }

    /// <summary>Whether listening beyond loopback without TLS is wanted.</summary>
    public required bool AllowPlaintext { get; init; }

    /// <summary>The <c>[query.tls]</c> table; null when the listener speaks plain HTTP.</summary>
    public required TlsFiles? Tls { get; init; }

    /// <summary>The certificate of <see cref="Tls"/>, read; null when the listener speaks plain HTTP. Reloadable.</summary>
    public ServerCertificate? Certificate { get; init; }
}
