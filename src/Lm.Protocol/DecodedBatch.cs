using Lm.Platform;

namespace Lm.Protocol;

/// <summary>A batch as read from its bytes: arrays over one buffer, reused from batch to batch.</summary>
/// <remarks>Everything here is a view of the payload given to <see cref="BatchDecoder"/> and lives as long as that buffer and no
/// further decode into this object. Symbols are UTF-8, valid, and each distinct.</remarks>
public sealed class DecodedBatch
{
    /// <summary>The dedupe key.</summary>
    public BatchKey Key { get; internal set; }

    /// <summary>When the batch was collected.</summary>
    public UnixMillis CollectedAt { get; internal set; }

    /// <summary>The agent's interval, milliseconds; 0 when not said.</summary>
    public int IntervalMs { get; internal set; }

    /// <summary>References (name, value, name, value, …) of the agent's own labels.</summary>
    public ReadOnlySpan<uint> CommonLabels => throw new NotImplementedException();

    /// <summary>The series.</summary>
    public ReadOnlySpan<DecodedSeries> Series => throw new NotImplementedException();

    /// <summary>The log records.</summary>
    public ReadOnlySpan<DecodedLog> Logs => throw new NotImplementedException();

    /// <summary>The alert records.</summary>
    public ReadOnlySpan<DecodedAlert> Alerts => throw new NotImplementedException();

    /// <summary>How many symbols there are; number 0 is the empty string.</summary>
    public int SymbolCount => throw new NotImplementedException();

    /// <summary>A symbol's UTF-8 bytes.</summary>
    public ReadOnlySpan<byte> Symbol(uint reference) => throw new NotImplementedException();

    /// <summary>A series' label references (name, value, name, value, …), <c>__name__</c> among them.</summary>
    public ReadOnlySpan<uint> Labels(in DecodedSeries series) => throw new NotImplementedException();

    /// <summary>A series' sample times, milliseconds since 1970.</summary>
    public ReadOnlySpan<long> Times(in DecodedSeries series) => throw new NotImplementedException();

    /// <summary>A series' sample values, as many as <see cref="Times"/>; bit patterns are kept (stale markers).</summary>
    public ReadOnlySpan<double> Values(in DecodedSeries series) => throw new NotImplementedException();

    /// <summary>A log record's body, UTF-8.</summary>
    public ReadOnlySpan<byte> Body(in DecodedLog log) => throw new NotImplementedException();

    /// <summary>A log record's attribute references (name, value, …).</summary>
    public ReadOnlySpan<uint> Attributes(in DecodedLog log) => throw new NotImplementedException();

    /// <summary>An alert record's label references (name, value, …).</summary>
    public ReadOnlySpan<uint> Labels(in DecodedAlert alert) => throw new NotImplementedException();
}

/// <summary>One series of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedSeries
{
    /// <summary>The metric's type.</summary>
    public MetricType Type { get; init; }

    /// <summary>Symbol of the unit; 0 for none.</summary>
    public uint Unit { get; init; }

    /// <summary>Symbol of the help text; 0 for none.</summary>
    public uint Help { get; init; }

    internal int LabelStart { get; init; }

    internal int LabelCount { get; init; }

    internal int SampleStart { get; init; }

    internal int SampleCount { get; init; }
}

/// <summary>One log record of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedLog
{
    /// <summary>When it was written.</summary>
    public UnixMillis Time { get; init; }

    /// <summary>OpenTelemetry's severity number, 0 for not known.</summary>
    public int Severity { get; init; }

    internal int BodyStart { get; init; }

    internal int BodyLength { get; init; }

    internal int AttributeStart { get; init; }

    internal int AttributeCount { get; init; }
}

/// <summary>One alert record of a <see cref="DecodedBatch"/>.</summary>
public readonly record struct DecodedAlert
{
    /// <summary>When it happened.</summary>
    public UnixMillis Time { get; init; }

    /// <summary>OpenTelemetry's severity number.</summary>
    public int Severity { get; init; }

    /// <summary>Symbol of the stable name.</summary>
    public uint Name { get; init; }

    /// <summary>Symbol of the sentence for people.</summary>
    public uint Message { get; init; }

    internal int LabelStart { get; init; }

    internal int LabelCount { get; init; }
}
