using System.Buffers.Binary;
using Google.Protobuf;
using Lightmetrics.V1;
using static Lm.Protocol.Tests.BatchModel;
using Proto = Lightmetrics.V1;

namespace Lm.Protocol.Tests;

/// <summary>The same batches by way of code that protoc made.</summary>
internal static class ProtoBatches
{
    /// <summary>The message of a model; symbols are numbered in an order of its own.</summary>
    public static Batch MessageOf(BatchModel model)
    {
        var symbols = new List<string> { "" };
        var message = new Batch
        {
            AgentId = model.AgentId,
            QueueId = ByteString.CopyFrom(BytesOf(model.QueueId)),
            SeqStart = model.SeqStart,
            SeqEnd = model.SeqEnd,
            CollectedAtMs = model.CollectedAt,
            IntervalMs = (uint)model.IntervalMs,
        };

        // From behind: another order than the encoder's, so that nothing depends on that one.
        message.Alerts.AddRange(model.Alerts.Reverse().Select(alert => AlertOf(alert, model.CollectedAt, symbols)).Reverse());
        message.Logs.AddRange(model.Logs.Select(log => LogOf(log, model.CollectedAt, symbols)));
        message.Series.AddRange(model.Series.Select(series => SeriesOf(series, model.CollectedAt, symbols)));
        message.CommonLabels.AddRange(ReferencesOf(model.CommonLabels, symbols));
        message.Symbols.AddRange(symbols);
        return message;
    }

    /// <summary>What protobuf's parser reads, as plain values.</summary>
    public static BatchModel Decode(ReadOnlySpan<byte> payload)
    {
        var message = Batch.Parser.ParseFrom(payload);
        string Symbol(uint reference) => reference == 0 ? "" : message.Symbols[(int)reference];
        Label[] Labels(IEnumerable<uint> references) =>
            references.Chunk(2).Select(pair => new Label(Symbol(pair[0]), Symbol(pair[1]))).Where(label => label.Value.Length > 0).ToArray();
        return new BatchModel
        {
            AgentId = message.AgentId,
            QueueId = BinaryPrimitives.ReadUInt128BigEndian(message.QueueId.Span),
            SeqStart = message.SeqStart,
            SeqEnd = message.SeqEnd,
            CollectedAt = message.CollectedAtMs,
            IntervalMs = (int)message.IntervalMs,
            CommonLabels = Labels(message.CommonLabels),
            Series = message.Series.Select(series => ModelOf(series, message.CollectedAtMs, Labels(series.Labels), Symbol)).ToArray(),
            Logs = message.Logs.Select(log => new LogModel(
                message.CollectedAtMs + log.TimeDeltaMs, (int)log.Severity, log.Body, Labels(log.Attributes))).ToArray(),
            Alerts = message.Alerts.Select(alert => new AlertModel(
                message.CollectedAtMs + alert.TimeDeltaMs,
                (int)alert.Severity,
                Symbol(alert.Name),
                Symbol(alert.Message),
                Labels(alert.Labels))).ToArray(),
        };
    }

    private static byte[] BytesOf(UInt128 value)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return bytes;
    }

    private static uint ReferenceOf(string text, List<string> symbols)
    {
        var at = symbols.IndexOf(text);
        if (at < 0)
        {
            at = symbols.Count;
            symbols.Add(text);
        }

        return (uint)at;
    }

    private static uint[] ReferencesOf(IEnumerable<Label> labels, List<string> symbols) =>
        labels.SelectMany(label => new[] { ReferenceOf(label.Name, symbols), ReferenceOf(label.Value, symbols) }).ToArray();

    private static Series SeriesOf(SeriesModel model, long collectedAt, List<string> symbols)
    {
        var series = new Series
        {
            Type = (Proto.MetricType)(int)model.Type,
            Unit = ReferenceOf(model.Unit, symbols),
            Help = ReferenceOf(model.Help, symbols),
            Temporality = model.Name.Length % 2 == 0 ? Temporality.Cumulative : Temporality.Unspecified,
        };
        series.Labels.AddRange(ReferencesOf([.. model.Labels, new Label("__name__", model.Name)], symbols));
        var previous = collectedAt;
        foreach (var sample in model.Samples)
        {
            series.TimeDeltasMs.Add(sample.Time - previous);
            series.Values.Add(sample.Value);
            previous = sample.Time;
        }

        previous = collectedAt;
        foreach (var histogram in model.Histograms)
        {
            var message = new Histogram
            {
                TimeDeltaMs = histogram.Time - previous,
                Sum = histogram.Sum,
                Count = histogram.Counts.Aggregate(0UL, (sum, count) => sum + count),
            };
            message.Bounds.AddRange(histogram.Bounds);
            message.Counts.AddRange(histogram.Counts);
            series.Histograms.Add(message);
            previous = histogram.Time;
        }

        return series;
    }

    private static Proto.LogRecord LogOf(LogModel model, long collectedAt, List<string> symbols)
    {
        var log = new Proto.LogRecord { TimeDeltaMs = model.Time - collectedAt, Severity = (uint)model.Severity, Body = model.Body };
        log.Attributes.AddRange(ReferencesOf(model.Attributes, symbols));
        return log;
    }

    private static Proto.AlertRecord AlertOf(AlertModel model, long collectedAt, List<string> symbols)
    {
        var alert = new Proto.AlertRecord
        {
            TimeDeltaMs = model.Time - collectedAt,
            Severity = (uint)model.Severity,
            Name = ReferenceOf(model.Name, symbols),
            Message = ReferenceOf(model.Message, symbols),
        };
        alert.Labels.AddRange(ReferencesOf(model.Labels, symbols));
        return alert;
    }

    private static SeriesModel ModelOf(Series series, long collectedAt, Label[] labels, Func<uint, string> symbol)
    {
        var time = collectedAt;
        var samples = series.TimeDeltasMs
            .Zip(series.Values, (delta, value) => new SampleModel(time += delta, BitConverter.DoubleToUInt64Bits(value))).ToArray();
        time = collectedAt;
        var histograms = series.Histograms
            .Select(histogram => new HistogramModel(time += histogram.TimeDeltaMs, [.. histogram.Bounds], [.. histogram.Counts], histogram.Sum))
            .ToArray();
        return new SeriesModel(
            labels.Single(label => label.Name == "__name__").Value,
            labels.Where(label => label.Name != "__name__").ToArray(),
            Enum.IsDefined(series.Type) ? (MetricType)(int)series.Type : MetricType.Unknown,
            symbol(series.Unit),
            symbol(series.Help),
            samples,
            histograms);
    }
}
