namespace Lm.Protocol;

/// <summary>Gathers the records of one batch and encodes them as <c>lightmetrics.v1.Batch</c>. Reused from batch to batch without
/// allocating in the steady state; not safe for concurrent use.</summary>
public sealed class BatchEncoder : ISampleSink
{
    /// <summary>Forgets everything gathered and begins a batch collected at <paramref name="collectedAt"/>.</summary>
    /// <param name="collectedAt">The tick's time, and that of every sample added by <see cref="Add"/>.</param>
    /// <param name="intervalMs">The agent's interval, milliseconds.</param>
    /// <param name="commonLabels">The agent's own labels, added to every record; a record's own label of the same name wins.</param>
    public void Begin(Lm.Platform.UnixMillis collectedAt, int intervalMs, ReadOnlySpan<Label> commonLabels) => throw new NotImplementedException();

    /// <summary>Whether series added from now on carry their metric's unit and help text. They cost more than the sample itself, so an agent
    /// sends them with its first batch and then once in a while.</summary>
    public bool IncludeMetadata { get; set; }

    /// <summary>Series gathered so far.</summary>
    public int SeriesCount => throw new NotImplementedException();

    /// <summary>Log records gathered so far.</summary>
    public int LogCount => throw new NotImplementedException();

    /// <summary>Alert records gathered so far.</summary>
    public int AlertCount => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value) => throw new NotImplementedException();

    /// <summary>Takes one log record.</summary>
    public void AddLog(in LogRecord record) => throw new NotImplementedException();

    /// <summary>Takes one alert record.</summary>
    public void AddAlert(in AlertRecord record) => throw new NotImplementedException();

    /// <summary>Encodes what was gathered under a key, compressed where that is smaller, as one frame.</summary>
    /// <returns>The frame; valid until the next call to this encoder.</returns>
    public ReadOnlyMemory<byte> EncodeFrame(in BatchKey key) => throw new NotImplementedException();
}

/// <summary>One log record on its way into a batch.</summary>
/// <param name="Time">When it was written, or read where it does not say.</param>
/// <param name="Severity">OpenTelemetry's severity number, 1 to 24; 0 for not known.</param>
/// <param name="Body">The line.</param>
/// <param name="Attributes">At most four for records that the agent makes.</param>
public readonly record struct LogRecord(Lm.Platform.UnixMillis Time, int Severity, string Body, IReadOnlyList<Label> Attributes);

/// <summary>One alert record: something the agent itself reports.</summary>
/// <param name="Time">When it happened.</param>
/// <param name="Severity">OpenTelemetry's severity number, 1 to 24.</param>
/// <param name="Name">A stable name: <c>queue_dropped</c>, <c>batch_rejected</c>.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Labels">What it is about.</param>
public readonly record struct AlertRecord(Lm.Platform.UnixMillis Time, int Severity, string Name, string Message, IReadOnlyList<Label> Labels);
