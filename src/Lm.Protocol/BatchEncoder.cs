using System.Buffers.Binary;
using Lm.Platform;
using Lm.Protocol.Framing;
using Lm.Protocol.Wire;

namespace Lm.Protocol;

/// <summary>Gathers the records of one batch and encodes them as <c>lightmetrics.v1.Batch</c>. Reused from batch to batch without
/// allocating in the steady state; not safe for concurrent use.</summary>
/// <remarks>Records are put on the wire as they come, into one buffer; the symbols that they refer to stand before them in the frame.
/// Labels with an empty value are left out: they are no labels. Text that is not valid UTF-16 gets U+FFFD where it is not.</remarks>
public sealed class BatchEncoder : ISampleSink
{
    private readonly SymbolWriter symbols = new();
    private readonly WireWriter common = new();
    private readonly WireWriter records = new();
    private readonly WireWriter record = new();
    private readonly WireWriter labels = new();
    private readonly WireWriter payload = new();
    private readonly WireWriter frame = new();
    private readonly WireWriter lastAttributeFields = new();
    private Label[]? lastAttributes; // whose field lastAttributeFields holds
    private UnixMillis collectedAt;
    private int intervalMs;

    /// <summary>Forgets everything gathered and begins a batch collected at <paramref name="collectedAt"/>.</summary>
    /// <param name="collectedAt">The tick's time, and that of every sample added by <see cref="Add"/>.</param>
    /// <param name="intervalMs">The agent's interval, milliseconds; 0 when it has none.</param>
    /// <param name="commonLabels">The agent's own labels, added to every record; a record's own label of the same name wins.</param>
    public void Begin(UnixMillis collectedAt, int intervalMs, ReadOnlySpan<Label> commonLabels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(intervalMs);
        this.collectedAt = collectedAt;
        this.intervalMs = intervalMs;
        SeriesCount = LogCount = AlertCount = 0;
        symbols.Clear();
        records.Clear();
        payload.Clear();
        frame.Clear();
        common.Clear();
        lastAttributes = null;
        WriteReferences(common, commonLabels);
    }

    /// <summary>Whether series added from now on carry their metric's unit and help text. They cost more than the sample itself, so an agent
    /// sends them with its first batch and then once in a while.</summary>
    public bool IncludeMetadata { get; set; }

    /// <summary>Series gathered so far.</summary>
    public int SeriesCount { get; private set; }

    /// <summary>Log records gathered so far.</summary>
    public int LogCount { get; private set; }

    /// <summary>Alert records gathered so far.</summary>
    public int AlertCount { get; private set; }

    /// <summary>About how many bytes the batch has so far, before compression.</summary>
    public int Length => symbols.Written.Length + common.Length + records.Length;

    /// <inheritdoc/>
    public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
    {
        ArgumentNullException.ThrowIfNull(metric);
        BeginSeries(metric, labels);

        // One sample, at the tick's time: one delta of 0.
        record.WriteVarint(Tag.SeriesTimeDeltas);
        record.WriteVarint(1);
        record.WriteVarint(0);
        record.WriteVarint(Tag.SeriesValues);
        record.WriteVarint(sizeof(double));
        record.WriteDouble(value);
        EndSeries();
    }

    /// <summary>Takes one series with several samples.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="labels">Its labels without <c>__name__</c>, in any order.</param>
    /// <param name="times">When the samples were taken.</param>
    /// <param name="values">As many values; bit patterns are kept.</param>
    public void AddSamples(MetricDescriptor metric, ReadOnlySpan<Label> labels, ReadOnlySpan<UnixMillis> times, ReadOnlySpan<double> values)
    {
        ArgumentNullException.ThrowIfNull(metric);
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, times.Length);
        BeginSeries(metric, labels);
        this.labels.Clear();
        var previous = collectedAt;
        foreach (var time in times)
        {
            this.labels.WriteSigned(time.Value - previous.Value);
            previous = time;
        }

        record.WriteBytesField(Tag.SeriesTimeDeltas, this.labels.Written);
        record.WriteVarint(Tag.SeriesValues);
        record.WriteVarint((ulong)values.Length * sizeof(double));
        foreach (var value in values)
        {
            record.WriteDouble(value);
        }

        EndSeries();
    }

    /// <summary>Takes one log record.</summary>
    public void AddLog(in LogRecord record)
    {
        this.record.Clear();
        this.record.WriteSignedField(Tag.LogTimeDelta, record.Time.Value - collectedAt.Value);
        this.record.WriteNumberField(Tag.LogSeverity, (uint)record.Severity);
        this.record.WriteStringField(Tag.LogBody, record.Body);
        WriteLabels(Tag.LogAttributes, record.Attributes);
        records.WriteBytesField(Tag.BatchLogs, this.record.Written);
        LogCount++;
    }

    /// <summary>Takes one log record whose body is UTF-8 already, without a string on the way.</summary>
    /// <param name="time">When it was written, or read where it does not say.</param>
    /// <param name="severity">OpenTelemetry's severity number, 1 to 24; 0 for not known.</param>
    /// <param name="body">The line: valid UTF-8, which is not checked again.</param>
    /// <param name="attributes">Its attributes; the same array for records that have the same ones makes them cheap. Not changed until the next
    /// <see cref="Begin"/>.</param>
    public void AddLog(UnixMillis time, int severity, ReadOnlySpan<byte> body, Label[] attributes)
    {
        ArgumentNullException.ThrowIfNull(attributes);
        if (!ReferenceEquals(attributes, lastAttributes))
        {
            lastAttributeFields.Clear();
            labels.Clear();
            WriteReferences(labels, attributes);
            if (labels.Length > 0)
            {
                lastAttributeFields.WriteBytesField(Tag.LogAttributes, labels.Written);
            }

            lastAttributes = attributes;
        }

        record.Clear();
        record.WriteSignedField(Tag.LogTimeDelta, time.Value - collectedAt.Value);
        record.WriteNumberField(Tag.LogSeverity, (uint)severity);
        records.WriteVarint(Tag.BatchLogs);
        records.WriteVarint((ulong)(record.Length + WireWriter.BytesFieldLength(Tag.LogBody, body.Length) + lastAttributeFields.Length));
        records.WriteRaw(record.Written);
        records.WriteBytesField(Tag.LogBody, body);
        records.WriteRaw(lastAttributeFields.Written);
        LogCount++;
    }

    /// <summary>Takes one alert record.</summary>
    public void AddAlert(in AlertRecord record)
    {
        this.record.Clear();
        this.record.WriteSignedField(Tag.AlertTimeDelta, record.Time.Value - collectedAt.Value);
        this.record.WriteNumberField(Tag.AlertSeverity, (uint)record.Severity);
        this.record.WriteNumberField(Tag.AlertName, symbols.Reference(record.Name));
        this.record.WriteNumberField(Tag.AlertMessage, symbols.Reference(record.Message));
        WriteLabels(Tag.AlertLabels, record.Labels);
        records.WriteBytesField(Tag.BatchAlerts, this.record.Written);
        AlertCount++;
    }

    /// <summary>Encodes what was gathered under a key, compressed where that is smaller, as one frame.</summary>
    /// <returns>The frame; valid until the next call to this encoder.</returns>
    public ReadOnlyMemory<byte> EncodeFrame(in BatchKey key)
    {
        EncodePayload(key);
        frame.Clear();
        frame.Advance(FrameWriter.Write(payload.Written, frame.Reserve(FrameWriter.SizeMax(payload.Length)), isText: LogCount > 0));
        return frame.Memory;
    }

    /// <summary>The message alone, neither compressed nor framed; valid until the next call to this encoder.</summary>
    public ReadOnlyMemory<byte> EncodePayload(in BatchKey key)
    {
        payload.Clear();
        payload.WriteStringField(Tag.BatchAgentId, key.AgentId);
        WriteKey(payload, key.QueueId, key.Sequences);
        payload.WriteVarint(Tag.BatchCollectedAt);
        payload.WriteVarint((ulong)collectedAt.Value);
        payload.WriteNumberField(Tag.BatchInterval, (uint)intervalMs);
        payload.WriteRaw(symbols.Written);
        if (common.Length > 0)
        {
            payload.WriteBytesField(Tag.BatchCommonLabels, common.Written);
        }

        payload.WriteRaw(records.Written);
        return payload.Memory;
    }

    /// <summary>The fields that a batch gets anew when it moves to another queue.</summary>
    internal static void WriteKey(WireWriter writer, QueueId queueId, SequenceRange sequences)
    {
        Span<byte> queueIdBytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(queueIdBytes, queueId.Value);
        writer.WriteBytesField(Tag.BatchQueueId, queueIdBytes);
        writer.WriteNumberField(Tag.BatchSeqStart, sequences.Start);
        writer.WriteNumberField(Tag.BatchSeqEnd, sequences.End);
    }

    private void BeginSeries(MetricDescriptor metric, ReadOnlySpan<Label> labels)
    {
        record.Clear();
        this.labels.Clear();
        this.labels.WriteVarint(symbols.Reference("__name__"));
        this.labels.WriteVarint(symbols.Reference(metric.Name));
        WriteReferences(this.labels, labels);
        record.WriteBytesField(Tag.SeriesLabels, this.labels.Written);
        record.WriteNumberField(Tag.SeriesType, (uint)metric.Type);
        if (IncludeMetadata)
        {
            record.WriteNumberField(Tag.SeriesUnit, symbols.Reference(metric.Unit));
            record.WriteNumberField(Tag.SeriesHelp, symbols.Reference(metric.Help));
        }
    }

    private void EndSeries()
    {
        records.WriteBytesField(Tag.BatchSeries, record.Written);
        SeriesCount++;
    }

    private void WriteLabels(uint tag, IReadOnlyList<Label> own)
    {
        labels.Clear();

        // By index: the enumerator of an interface is an object, for each line of a log.
        for (var i = 0; i < own.Count; i++)
        {
            WriteReference(labels, own[i]);
        }

        if (labels.Length > 0)
        {
            record.WriteBytesField(tag, labels.Written);
        }
    }

    private void WriteReferences(WireWriter writer, ReadOnlySpan<Label> own)
    {
        foreach (ref readonly var label in own)
        {
            WriteReference(writer, label);
        }
    }

    private void WriteReference(WireWriter writer, in Label label)
    {
        if (label.Value.Length > 0)
        {
            writer.WriteVarint(symbols.Reference(label.Name));
            writer.WriteVarint(symbols.Reference(label.Value));
        }
    }
}

/// <summary>One log record on its way into a batch.</summary>
/// <param name="Time">When it was written, or read where it does not say.</param>
/// <param name="Severity">OpenTelemetry's severity number, 1 to 24; 0 for not known.</param>
/// <param name="Body">The line.</param>
/// <param name="Attributes">At most four for records that the agent makes.</param>
public readonly record struct LogRecord(UnixMillis Time, int Severity, string Body, IReadOnlyList<Label> Attributes);

/// <summary>One alert record: something the agent itself reports.</summary>
/// <param name="Time">When it happened.</param>
/// <param name="Severity">OpenTelemetry's severity number, 1 to 24.</param>
/// <param name="Name">A stable name: <c>queue_dropped</c>, <c>batch_rejected</c>.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Labels">What it is about.</param>
public readonly record struct AlertRecord(UnixMillis Time, int Severity, string Name, string Message, IReadOnlyList<Label> Labels);
