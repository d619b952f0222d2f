using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Lm.Collector.Ingest;
using Lm.Collector.LogRecords;
using Lm.Collector.Series;
using Lm.Logs;
using Lm.Logs.Query;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;
using Lm.Tsdb;
using Label = Lm.Tsdb.Label;

namespace Lm.Collector.Live;

/// <summary>Makes a record's events: samples, lines, alerts, then the batch itself. One thread.</summary>
internal sealed class LiveEncoder(LiveEvents events)
{
    // A batch that came later than two of its agent's intervals and this is backlog (design section 12: the newest batch goes first).
    private const long BacklogSlackMs = 5_000;
    private const int UsualIntervalMs = 15_000;

    private readonly Identity identity = new();
    private readonly List<Label> labels = [];
    private readonly BatchStreams streams = new();
    private readonly List<LogField> attributes = [];

    /// <summary>Lines of the last record that were not looked at, because there was no room for more of it, or in vain, because a regular expression took too long.</summary>
    public int LinesUnjudged { get; private set; }

    /// <summary>Writes what a filter leaves of a record into the events.</summary>
    public void Write(LiveRecord record, LiveFilter filter)
    {
        LinesUnjudged = 0;
        switch (record.Kind)
        {
            case LiveEntryKind.Batch:
                WriteBatch(record, filter);
                break;
            case LiveEntryKind.Write when filter.Wants(LiveKinds.Sample):
                WriteRequest(record, filter);
                break;
            case LiveEntryKind.Ups when filter.Wants(LiveKinds.Sample):
                WriteUps(record, filter);
                break;
        }
    }

    private void WriteBatch(LiveRecord record, LiveFilter filter)
    {
        var batch = record.Batch;
        if (!filter.WantsAgent(batch.Key.AgentId))
        {
            return;
        }

        var interval = batch.IntervalMs > 0 ? batch.IntervalMs : UsualIntervalMs;
        var isBacklog = record.ReceivedAt.Value - batch.CollectedAt.Value > (2L * interval) + BacklogSlackMs;
        if (filter.Wants(LiveKinds.Sample))
        {
            WriteSamples(record, batch, filter, isBacklog);
        }
        else
        {
            foreach (ref readonly var series in batch.Series)
            {
                events.Skip(batch.Times(series).Length);
            }
        }

        if (filter.Wants(LiveKinds.Log | LiveKinds.Entry))
        {
            WriteLines(record, batch, filter, isBacklog);
        }
        else
        {
            events.Skip(batch.Logs.Length);
        }

        if (filter.Wants(LiveKinds.Alert))
        {
            WriteAlerts(batch, isBacklog);
        }
        else
        {
            events.Skip(batch.Alerts.Length);
        }

        if (filter.Wants(LiveKinds.Batch) && events.TryOpen("batch"u8, always: true) is { } json)
        {
            json.WriteString("agent"u8, batch.Key.AgentId);
            json.WriteString("queue_id"u8, batch.Key.QueueId.ToString());
            json.WriteNumber("seq"u8, batch.Key.Sequences.Start);
            json.WriteNumber("collected_at_ms"u8, batch.CollectedAt.Value);
            json.WriteNumber("received_at_ms"u8, record.ReceivedAt.Value);
            json.WriteNumber("interval_ms"u8, batch.IntervalMs);
            json.WriteNumber("series"u8, batch.Series.Length);
            json.WriteNumber("samples"u8, batch.SampleCount);
            json.WriteNumber("logs"u8, batch.Logs.Length);
            json.WriteNumber("alerts"u8, batch.Alerts.Length);
            json.WriteNumber("frame_bytes"u8, record.FrameBytes);
            Backlog(json, isBacklog);
            events.Close();
        }
    }

    private void WriteSamples(LiveRecord record, DecodedBatch batch, LiveFilter filter, bool isBacklog)
    {
        var dropped = record.DroppedSeries;
        var series = batch.Series;
        for (var i = 0; i < series.Length; i++)
        {
            var times = batch.Times(series[i]);
            if (!dropped.IsEmpty && dropped[0] == i)
            {
                dropped = dropped[1..];
                events.Skip(times.Length);
            }
            else if (WantedLabels(batch, series[i], filter) is { } found)
            {
                var values = batch.Values(series[i]);
                for (var j = 0; j < times.Length; j++)
                {
                    Sample(found, times[j], values[j], times[j] >= record.OldestAccepted, isBacklog);
                }
            }
            else
            {
                events.Skip(times.Length);
            }
        }
    }

    private void WriteRequest(LiveRecord record, LiveFilter filter)
    {
        var write = record.Write;
        var dropped = record.DroppedSeries;
        var count = Math.Min(write.Series.Length, record.SeriesEnd);
        for (var i = 0; i < count; i++)
        {
            ref readonly var series = ref write.Series[i];
            if (!dropped.IsEmpty && dropped[0] == i)
            {
                dropped = dropped[1..];
                events.Skip(series.SampleCount);
                continue;
            }

            if (WantedLabels(write, series, filter) is not { } found)
            {
                events.Skip(series.SampleCount);
                continue;
            }

            foreach (ref readonly var sample in write.Samples(series))
            {
                Sample(found, sample.Time, sample.Value, sample.Time >= record.OldestAccepted && sample.Time <= record.NewestAccepted, isBacklog: false);
            }
        }
    }

    private void WriteUps(LiveRecord record, LiveFilter filter)
    {
        var (at, agents) = record.Ups;
        foreach (var agent in agents)
        {
            LabelSet found = new(new Label(LabelSet.MetricNameLabel, "up"), new Label("instance", agent.AgentId), new Label("job", "lightmetrics"));
            if (IsWanted(filter, found))
            {
                Sample(found, agent.TimeAt(at), agent.IsUp ? 1 : 0, isAccepted: true, isBacklog: false);
            }
            else
            {
                events.Skip(1);
            }
        }
    }

    private void WriteLines(LiveRecord record, DecodedBatch batch, LiveFilter filter, bool isBacklog)
    {
        var logs = batch.Logs;
        if (logs.Length == 0)
        {
            return;
        }

        streams.Begin(batch);
        var dropped = record.DroppedLogs;
        for (var i = 0; i < logs.Length; i++)
        {
            if (!dropped.IsEmpty && dropped[0] == i)
            {
                dropped = dropped[1..];
                events.Skip(1);
            }
            else if (logs[i].Time.Value < record.OldestAccepted)
            {
                events.Skip(1);
            }
            else if (events.IsFull)
            {
                LinesUnjudged++;
                events.Skip(1);
            }
            else if (WantedLine(batch, i, filter) is not { } entry)
            {
                events.Skip(1);
            }
            else if (filter.Wants(LiveKinds.Entry))
            {
                if (events.TryOpen("entry"u8) is { } tail)
                {
                    WriteEntry(tail, entry);
                    events.Close();
                }
            }
            else if (events.TryOpen("log"u8) is { } json)
            {
                WriteLine(json, entry);
                Backlog(json, isBacklog);
                events.Close();
            }
        }
    }

    private LogEntry? WantedLine(DecodedBatch batch, int index, LiveFilter filter)
    {
        ref readonly var log = ref batch.Logs[index];
        var (head, inputName) = streams.Of(log);
        var stream = head.Stream;
        try
        {
            if (!filter.Lines.Selects(stream))
            {
                return null;
            }

            attributes.Clear();
            var references = batch.Attributes(log);
            for (var i = 0; i + 1 < references.Length; i += 2)
            {
                var name = batch.Symbol(references[i]);
                if (!BatchStreams.IsInput(name))
                {
                    attributes.Add(new LogField(Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(batch.Symbol(references[i + 1]))));
                }
            }

            if (inputName is not null && !attributes.Exists(static field => field.Name == BatchStreams.InputNameAttribute))
            {
                attributes.Add(new LogField(BatchStreams.InputNameAttribute, inputName));
            }

            var identity = new LogIdentity(batch.Key.QueueId.Value, batch.Key.Sequences.Start, index);
            return filter.Lines.TryTake(new LogLine(log.Time.Value, stream, batch.Body(log), attributes, identity), out var entry) ? entry : null;
        }
        catch (LogQueryException)
        {
            LinesUnjudged++;
            return null;
        }
    }

    // As /api/v1/logs gives it.
    private static void WriteLine(Utf8JsonWriter json, LogEntry entry)
    {
        json.WriteNumber("ts"u8, entry.Time);
        json.WriteString("id"u8, entry.Position.ToString());
        WriteFields(json, "stream"u8, entry.Labels);
        WriteFields(json, "attrs"u8, entry.Attributes);
        WriteFields(json, "labels"u8, entry.Parsed);
        json.WriteString("line"u8, entry.Body.Span);
    }

    /// <summary>Writes the members of a line as Loki's <c>tail</c> has it, behind its id.</summary>
    public static void WriteEntry(Utf8JsonWriter json, LogEntry entry)
    {
        json.WriteString("id"u8, entry.Position.ToString());
        WriteFields(json, "stream"u8, entry.AllLabels(withLevel: true));
        json.WriteStartArray("values"u8);
        json.WriteStartArray();
        json.WriteStringValue(TailMessage.Nanoseconds(entry.Time));
        json.WriteStringValue(entry.Body.Span);
        json.WriteEndArray();
        json.WriteEndArray();
    }

    private static void WriteFields(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<LogField> fields)
    {
        json.WriteStartObject(name);
        foreach (var field in fields)
        {
            json.WriteString(field.Name, field.Value);
        }

        json.WriteEndObject();
    }

    private void WriteAlerts(DecodedBatch batch, bool isBacklog)
    {
        foreach (ref readonly var alert in batch.Alerts)
        {
            if (events.TryOpen("alert"u8) is not { } json)
            {
                continue;
            }

            json.WriteString("agent"u8, batch.Key.AgentId);
            json.WriteNumber("time_ms"u8, alert.Time.Value);
            json.WriteNumber("severity"u8, alert.Severity);
            json.WriteString("name"u8, batch.Symbol(alert.Name));
            json.WriteString("message"u8, batch.Symbol(alert.Message));
            json.WriteStartObject("labels"u8);
            var references = batch.Labels(alert);
            for (var i = 0; i + 1 < references.Length; i += 2)
            {
                json.WriteString(batch.Symbol(references[i]), batch.Symbol(references[i + 1]));
            }

            json.WriteEndObject();
            Backlog(json, isBacklog);
            events.Close();
        }
    }

    private void Sample(LabelSet series, long time, double value, bool isAccepted, bool isBacklog)
    {
        if (!isAccepted)
        {
            events.Skip(1);
            return;
        }

        if (events.TryOpen("sample"u8) is not { } json)
        {
            return;
        }

        json.WriteStartObject("metric"u8);
        foreach (ref readonly var label in series.Labels)
        {
            json.WriteString(label.Name, label.Value);
        }

        json.WriteEndObject();
        Span<byte> text = stackalloc byte[PromNumber.BytesMax];
        json.WriteStartArray("value"u8);
        json.WriteRawValue(text[..PromNumber.FormatTime(time, text)], skipInputValidation: true);
        json.WriteStringValue(text[..PromNumber.FormatValue(value, text)]);
        json.WriteEndArray();
        Backlog(json, isBacklog);
        events.Close();
    }

    private static void Backlog(Utf8JsonWriter json, bool isBacklog)
    {
        if (isBacklog)
        {
            json.WriteBoolean("backlog"u8, true);
        }
    }

    private static bool IsWanted(LiveFilter filter, LabelSet series) => filter.WantsAgent(series.ValueOf("instance")) && filter.WantsSeries(series);

    private static ReadOnlySpan<byte> MetricOf(DecodedBatch batch, in DecodedSeries series)
    {
        var references = batch.Labels(series);
        for (var i = 0; i + 1 < references.Length; i += 2)
        {
            if (batch.Symbol(references[i]).SequenceEqual("__name__"u8))
            {
                return batch.Symbol(references[i + 1]);
            }
        }

        return [];
    }

    private LabelSet? WantedLabels(DecodedBatch batch, in DecodedSeries series, LiveFilter filter)
    {
        var metric = MetricOf(batch, series);
        if (!metric.SequenceEqual("up"u8) && !filter.MayWantMetric(metric)) // up may be stored under another name
        {
            return null;
        }

        labels.Clear();
        foreach (ref readonly var label in identity.Build(batch, series))
        {
            labels.Add(new Label(Encoding.UTF8.GetString(identity.Name(label)), Encoding.UTF8.GetString(identity.Value(label))));
        }

        LabelSet found = new(CollectionsMarshal.AsSpan(labels));
        return filter.WantsSeries(found) ? found : null;
    }

    private LabelSet? WantedLabels(DecodedWrite write, in WriteSeries series, LiveFilter filter)
    {
        if (!filter.MayWantMetric(RemoteWriteDecoder.MetricNameOf(write, series)))
        {
            return null;
        }

        labels.Clear();
        var read = write.Labels(series);
        while (read.MoveNext())
        {
            labels.Add(new Label(Encoding.UTF8.GetString(read.Name), Encoding.UTF8.GetString(read.Value)));
        }

        LabelSet found = new(CollectionsMarshal.AsSpan(labels));
        return IsWanted(filter, found) ? found : null;
    }
}
