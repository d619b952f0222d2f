using System.Net;
using Lm.Protocol;

namespace Lm.Agent.Settings;

/// <summary>The whole configuration, immutable: what <c>agent.toml</c> says, with the files it names read.</summary>
internal sealed record AgentSettings
{
    /// <summary>The agent's name: 1 to 128 letters, digits, <c>. _ -</c>. Never changes while the program runs.</summary>
    public required string AgentId { get; init; }

    /// <summary>The collector: <c>https</c>, host and port.</summary>
    public required Uri IngestUrl { get; init; }

    /// <summary>The bearer token.</summary>
    public required Secret Token { get; init; }

    /// <summary>Certificates for TLS.</summary>
    public required TlsMaterial Tls { get; init; }

    /// <summary>The queue's directory, absolute. Never changes while the program runs.</summary>
    public required string QueueDirectory { get; init; }

    /// <summary>The queue's size on disk, bytes; beyond it the oldest whole segment goes, counted. Default 512 MiB.</summary>
    public required long QueueBytesMax { get; init; }

    /// <summary>Time between two batches. Default 15 s.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>How long the last flush may take after SIGTERM. Default 10 s.</summary>
    public required TimeSpan ShutdownTimeout { get; init; }

    /// <summary>Log records of one batch; no higher than the collector's <c>ingest.max_logs_per_batch</c>.</summary>
    public required int LogsPerBatchMax { get; init; }

    /// <summary>UTF-8 bytes of a log record's body; no higher than the collector's <c>ingest.max_log_message_bytes</c>.</summary>
    public required int LogMessageBytesMax { get; init; }

    /// <summary>Alert records of one batch; 0 switches them off.</summary>
    public required int AlertsPerBatchMax { get; init; }

    /// <summary><c>[labels]</c>: added to every series and log record.</summary>
    public required Label[] Labels { get; init; }

    /// <summary><c>[[log_inputs]]</c>.</summary>
    public required IReadOnlyList<LogInput> LogInputs { get; init; }

    /// <summary><c>[sources]</c>.</summary>
    public SourcesSettings Sources { get; init; } = new();

    /// <summary><c>[events]</c>.</summary>
    public EventSettings Events { get; init; } = new();

    /// <summary><c>[[watch]]</c>.</summary>
    public IReadOnlyList<WatchSettings> Watches { get; init; } = [];

    /// <summary><c>[[scrapes]]</c>, <c>[[commands]]</c>, <c>[[plugins]]</c>, <c>[textfile]</c>.</summary>
    public GatherSettings Gather { get; init; } = new();

    /// <summary><c>[metrics]</c>: the loopback address that the last tick is served at; null for none.</summary>
    public IPEndPoint? MetricsListen { get; init; }
}
