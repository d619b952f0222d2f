using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Wire;

namespace Lm.Fuzz;

/// <summary>The valid batches that mutations begin from: small ones, so that ten million of them are read within minutes, and of each kind.</summary>
internal static class SeedFrames
{
    public static readonly BatchKey Key = new("fuzz-agent", new QueueId(UInt128.MaxValue / 3), new SequenceRange(41, 41));

    private static readonly UnixMillis Now = new(1_767_323_045_000);

    public static byte[][] Payloads() => [Heartbeat(3, 1), Heartbeat(12, 1), Heartbeat(2, 30), Logs(), Histograms(), Heartbeat(0, 0)];

    public static byte[] Ack() => new IngestAck(
        [
            new FrameAck(new SequenceRange(1, 2), FrameOutcome.Accepted, 200, "", "", 1, 2),
            new FrameAck(new SequenceRange(3, 3), FrameOutcome.Refused, 400, ProblemCode.MalformedBatch, "series 1: …", 0, 0),
        ],
        Now,
        new Limits()).Encode();

    private static byte[] Heartbeat(int seriesCount, int samples)
    {
        var encoder = Begin();
        var metric = new MetricDescriptor("node_cpu_seconds_total", MetricType.Counter, "seconds", "Seconds in each mode.");
        for (var i = 0; i < seriesCount; i++)
        {
            Label[] labels = [new Label("cpu", $"{i / 8}"), new Label("mode", $"mode{i % 8}")];
            encoder.AddSamples(
                metric,
                labels,
                Enumerable.Range(0, samples).Select(at => Now.Add(TimeSpan.FromMilliseconds(-15_000 * at))).ToArray(),
                Enumerable.Range(0, samples).Select(at => i * 1.5).ToArray());
        }

        return encoder.EncodePayload(Key).ToArray();
    }

    private static byte[] Logs()
    {
        var encoder = Begin();
        for (var i = 0; i < 5; i++)
        {
            encoder.AddLog(new LogRecord(Now.Add(TimeSpan.FromSeconds(-i)), 9 + i, $"line {i}: größer", [new Label("input", "syslog")]));
        }

        encoder.AddAlert(new AlertRecord(Now, 17, "queue_dropped", "3 batches were dropped.", [new Label("reason", "size")]));
        return encoder.EncodePayload(Key).ToArray();
    }

    // The agent sends no histograms: written by hand behind a batch that has the symbols.
    private static byte[] Histograms()
    {
        var encoder = Begin();
        encoder.Add(new MetricDescriptor("request_seconds", MetricType.Histogram, "", ""), [], 1);
        var histogram = new WireWriter();
        histogram.WriteSignedField(Tag.HistogramTimeDelta, -5);
        histogram.WriteVarint(Tag.HistogramBounds);
        histogram.WriteVarint(16);
        histogram.WriteDouble(0.5);
        histogram.WriteDouble(2);
        histogram.WriteBytesField(Tag.HistogramCounts, [1, 2, 3]);
        histogram.WriteVarint(Tag.HistogramSum);
        histogram.WriteDouble(4.5);
        histogram.WriteNumberField(Tag.HistogramCount, 6);
        var series = new WireWriter();

        // Symbols 3 and 4 are __name__ and the metric: the common label stands before them.
        series.WriteBytesField(Tag.SeriesLabels, [3, 4]);
        series.WriteNumberField(Tag.SeriesType, (uint)MetricType.Histogram);
        series.WriteBytesField(Tag.SeriesHistograms, histogram.Written);
        series.WriteBytesField(Tag.SeriesHistograms, histogram.Written);
        series.WriteNumberField(Tag.SeriesTemporality, 1);
        var batch = new WireWriter();
        batch.WriteRaw(encoder.EncodePayload(Key).Span);
        batch.WriteBytesField(Tag.BatchSeries, series.Written);
        return batch.Written.ToArray();
    }

    private static BatchEncoder Begin()
    {
        var encoder = new BatchEncoder { IncludeMetadata = true };
        encoder.Begin(Now, 15_000, [new Label("site", "lab")]);
        return encoder;
    }
}
