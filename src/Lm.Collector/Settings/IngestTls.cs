using System.Security.Cryptography.X509Certificates;

namespace Lm.Collector.Settings;

/// <summary>The <c>[ingest.tls]</c> table, its files read.</summary>
internal sealed record IngestTls
{
    /// <summary>The listener's certificate.</summary>
    public required ServerCertificate Certificate { get; init; }

    /// <summary>Whether agents show certificates.</summary>
    public required ClientAuth ClientAuth { get; init; }

    /// <summary>The only roots that an agent's certificate may go back to; empty when none is asked for.</summary>
    public required X509Certificate2Collection ClientRoots { get; init; }

    /// <summary>Whether an agent's certificate must name it.</summary>
    public required bool ClientCertificateBindsAgent { get; init; }
}

/// <summary>Whether a client certificate is asked for.</summary>
internal enum ClientAuth
{
    /// <summary>No.</summary>
    None = 0,

    /// <summary>Asked for and checked when given.</summary>
    Optional,

    /// <summary>No connection without one.</summary>
    Required,
}
