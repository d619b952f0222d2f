using Lm.Collector.Ingest;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Settings;

/// <summary>The <c>[ingest]</c> table: the public listener.</summary>
internal sealed record IngestSettings
{
    /// <summary>Where it listens. Default 0.0.0.0:18443. Not reloadable.</summary>
    public required ListenAddress Listen { get; init; }

    /// <summary>Whether a batch is acknowledged after its commit to the log that collectors share in the object store (<c>s3_manifest</c>), and not after its sync to the spool. Not reloadable.</summary>
    public bool IsShared { get; init; }

    /// <summary>What a batch may have. Reloadable.</summary>
    public required Limits Limits { get; init; }

    /// <summary>What a remote-write request may have. Reloadable.</summary>
    public WriteLimits RemoteWrite { get; init; } = new();

    /// <summary>How old a sample or log record may be (<c>storage.backfill_days</c>). Reloadable.</summary>
    public required TimeSpan Backfill { get; init; }

    /// <summary>How often what was accepted goes to the object store. Default 60 s. Reloadable.</summary>
    public TimeSpan LandingInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Who may send. Reloadable.</summary>
    public required TokenTable Tokens { get; init; }

    /// <summary>Certificate, key, client authentication. Reloadable.</summary>
    public required IngestTls Tls { get; init; }
}
