using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Platform;
using Lm.Protocol.Framing;
using static Lm.Protocol.Tests.BatchModel;

namespace Lm.Protocol.Tests;

/// <summary>Batches to test with: any valid one, and the ways into and out of our codec.</summary>
internal static class Batches
{
    private static readonly string[] LabelNames = ["cpu", "mode", "device", "a", "_b", "site", "exported_instance", "instance", "z9"];

    // Ends of ranges, both zeros, infinities, NaNs of several bits (the stale marker among them).
    private static readonly ulong[] OddBits =
        [0, 0x8000_0000_0000_0000, 0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000, 0x7ff0_0000_0000_0002, 0x7ff8_0000_0000_0001, 1, ulong.MaxValue];

    /// <summary>Any valid batch without histograms, which the agent's encoder does not make. Shrinks by leaving out records.</summary>
    public static Arbitrary<BatchModel> Any { get; } = Of(withHistograms: false);

    /// <summary>Any valid batch, histograms included.</summary>
    public static Arbitrary<BatchModel> AnyWithHistograms { get; } = Of(withHistograms: true);

    /// <summary>A batch as a small host sends it.</summary>
    public static BatchModel Heartbeat(int seriesCount = 107) => new()
    {
        AgentId = "host-1",
        QueueId = new UInt128(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210),
        SeqStart = 42,
        SeqEnd = 42,
        CollectedAt = 1_767_323_045_000,
        IntervalMs = 15_000,
        CommonLabels = [new Label("site", "lab")],
        Series = Enumerable.Range(0, seriesCount).Select(HeartbeatSeries).ToArray(),
    };

    public static byte[] Encode(BatchModel model) => Payload(model, new BatchEncoder { IncludeMetadata = true }).ToArray();

    public static byte[] EncodeFrame(BatchModel model)
    {
        var encoder = new BatchEncoder { IncludeMetadata = true };
        Payload(model, encoder);
        return encoder.EncodeFrame(model.Key).ToArray();
    }

    public static ReadOnlyMemory<byte> Payload(BatchModel model, BatchEncoder encoder)
    {
        Fill(model, encoder);
        return encoder.EncodePayload(model.Key);
    }

    public static void Fill(BatchModel model, BatchEncoder encoder)
    {
        encoder.Begin(new UnixMillis(model.CollectedAt), model.IntervalMs, model.CommonLabels);
        foreach (var series in model.Series)
        {
            var metric = new MetricDescriptor(series.Name, series.Type, series.Unit, series.Help);
            if (series.Samples.Length == 1 && series.Samples[0].Time == model.CollectedAt)
            {
                encoder.Add(metric, series.Labels, series.Samples[0].Value);
            }
            else
            {
                encoder.AddSamples(
                    metric,
                    series.Labels,
                    series.Samples.Select(sample => sample.At).ToArray(),
                    series.Samples.Select(sample => sample.Value).ToArray());
            }
        }

        foreach (var log in model.Logs)
        {
            encoder.AddLog(new LogRecord(new UnixMillis(log.Time), log.Severity, log.Body, log.Attributes));
        }

        foreach (var alert in model.Alerts)
        {
            encoder.AddAlert(new AlertRecord(new UnixMillis(alert.Time), alert.Severity, alert.Name, alert.Message, alert.Labels));
        }
    }

    /// <summary>What our decoder reads, as plain values; the fault where it reads none.</summary>
    public static BatchModel Decode(ReadOnlyMemory<byte> payload, DecodedBatch? reused = null)
    {
        var batch = reused ?? new DecodedBatch();
        var status = BatchDecoder.Decode(payload, new Limits(), batch, out var fault);
        Assert.True(status == DecodeStatus.Ok, $"{status}: {fault}");
        return ModelOf(batch);
    }

    public static byte[] PayloadOf(ReadOnlySpan<byte> frame)
    {
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(frame, int.MaxValue, out var found));
        Assert.Equal(frame.Length, found.Length);
        var payload = new byte[found.PayloadLength];
        Assert.Equal(FrameStatus.Ok, FrameReader.ReadPayload(frame, found, payload));
        return payload;
    }

    public static BatchModel ModelOf(DecodedBatch batch)
    {
        var series = new List<SeriesModel>();
        foreach (ref readonly var one in batch.Series)
        {
            series.Add(ModelOf(batch, one));
        }

        var logs = new List<LogModel>();
        foreach (ref readonly var log in batch.Logs)
        {
            logs.Add(new LogModel(
                log.Time.Value, log.Severity, Encoding.UTF8.GetString(batch.Body(log)), LabelsOf(batch, batch.Attributes(log))));
        }

        var alerts = new List<AlertModel>();
        foreach (ref readonly var alert in batch.Alerts)
        {
            alerts.Add(new AlertModel(
                alert.Time.Value, alert.Severity, Text(batch, alert.Name), Text(batch, alert.Message), LabelsOf(batch, batch.Labels(alert))));
        }

        return new BatchModel
        {
            AgentId = batch.Key.AgentId,
            QueueId = batch.Key.QueueId.Value,
            SeqStart = batch.Key.Sequences.Start,
            SeqEnd = batch.Key.Sequences.End,
            CollectedAt = batch.CollectedAt.Value,
            IntervalMs = batch.IntervalMs,
            CommonLabels = LabelsOf(batch, batch.CommonLabels),
            Series = [.. series],
            Logs = [.. logs],
            Alerts = [.. alerts],
        };
    }

    private static SeriesModel ModelOf(DecodedBatch batch, in DecodedSeries series)
    {
        var labels = LabelsOf(batch, batch.Labels(series));
        var values = batch.Values(series).ToArray();
        var samples = batch.Times(series).ToArray().Zip(values, (time, value) => new SampleModel(time, BitConverter.DoubleToUInt64Bits(value)));
        var histograms = new List<HistogramModel>();
        foreach (ref readonly var histogram in batch.Histograms(series))
        {
            histograms.Add(new HistogramModel(
                histogram.Time.Value, batch.Bounds(histogram).ToArray(), batch.Counts(histogram).ToArray(), histogram.Sum));
        }

        return new SeriesModel(
            labels.Single(label => label.Name == "__name__").Value,
            labels.Where(label => label.Name != "__name__").ToArray(),
            series.Type,
            Text(batch, series.Unit),
            Text(batch, series.Help),
            samples.ToArray(),
            [.. histograms]);
    }

    private static string Text(DecodedBatch batch, uint reference) => Encoding.UTF8.GetString(batch.Symbol(reference));

    private static Label[] LabelsOf(DecodedBatch batch, ReadOnlySpan<uint> references) => references.ToArray().Chunk(2)
        .Select(pair => new Label(Text(batch, pair[0]), Text(batch, pair[1]))).ToArray();

    private static SeriesModel HeartbeatSeries(int index) => new(
        index % 13 == 0 ? $"node_gauge_{index}" : "node_cpu_seconds_total",
        [new Label("cpu", $"{index / 8}"), new Label("mode", $"mode{index % 8}")],
        index % 13 == 0 ? MetricType.Gauge : MetricType.Counter,
        "seconds",
        "Seconds that the CPUs spent in each mode.",
        [new SampleModel(1_767_323_045_000, BitConverter.DoubleToUInt64Bits(index * 1.25))],
        []);

    private static Arbitrary<BatchModel> Of(bool withHistograms) => Arb.From(
        Gen.Sized(size => Gen.Choose(0, int.MaxValue - 1).Select(seed => Make(new Random(seed), size, withHistograms))),
        Smaller);

    private static IEnumerable<BatchModel> Smaller(BatchModel model) =>
        Without(model.Series).Select(series => model with { Series = series })
            .Concat(Without(model.Logs).Select(logs => model with { Logs = logs }))
            .Concat(Without(model.Alerts).Select(alerts => model with { Alerts = alerts }))
            .Concat(Without(model.CommonLabels).Select(labels => model with { CommonLabels = labels }));

    private static IEnumerable<T[]> Without<T>(T[] items) =>
        Enumerable.Range(0, items.Length).Select(i => items.Where((_, at) => at != i).ToArray());

    private static BatchModel Make(Random random, int size, bool withHistograms)
    {
        var collectedAt = random.NextInt64(-62_000_000_000_000, 253_000_000_000_000);
        var seqStart = (ulong)random.NextInt64(1, long.MaxValue) >> random.Next(63) | 1;
        return new BatchModel
        {
            AgentId = "a" + Word(random, 40),
            QueueId = new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()),
            SeqStart = seqStart,
            SeqEnd = seqStart + (ulong)random.Next(3),
            CollectedAt = collectedAt,
            IntervalMs = random.Next(4) == 0 ? 0 : random.Next(),
            CommonLabels = Labels(random, 3),
            Series = Many(random, size, () => Series(random, collectedAt, withHistograms && random.Next(3) == 0)),
            Logs = Many(random, size / 3, () => new LogModel(
                collectedAt + random.Next(-1000, 1000), random.Next(25), Word(random, 200), Labels(random, 4))),
            Alerts = Many(random, 3, () => new AlertModel(
                collectedAt - random.Next(1000), random.Next(25), "alert" + Word(random, 9), Word(random, 50), Labels(random, 3))),
        };
    }

    private static SeriesModel Series(Random random, long collectedAt, bool isHistogram)
    {
        var time = collectedAt;
        var samples = isHistogram ? [] : Many(random, random.Next(6) == 0 ? 100 : 2, () => new SampleModel(time += random.Next(-70_000, 70_000), Bits(random)));
        var histograms = isHistogram ? Many(random, 3, () => Histogram(random, collectedAt)) : [];
        return new SeriesModel(
            "metric:" + random.Next(20), Labels(random, 5), (MetricType)random.Next(5), Word(random, 8), Word(random, 30), samples, histograms);
    }

    private static HistogramModel Histogram(Random random, long collectedAt)
    {
        var bounds = Many(random, 12, () => random.NextDouble() * 100).Order().Distinct().ToArray();
        var counts = Enumerable.Range(0, bounds.Length + 1).Select(_ => (ulong)random.Next(1000)).ToArray();
        return new HistogramModel(collectedAt + random.Next(-9000, 9000), bounds, counts, random.NextDouble());
    }

    private static ulong Bits(Random random) => random.Next(4) == 0
        ? OddBits[random.Next(OddBits.Length)]
        : BitConverter.DoubleToUInt64Bits(random.Next(2) == 0 ? random.Next() : random.NextDouble() * 1e9);

    private static T[] Many<T>(Random random, int max, Func<T> make) => Enumerable.Range(0, random.Next(max + 1)).Select(_ => make()).ToArray();

    private static Label[] Labels(Random random, int max)
    {
        var names = LabelNames.ToArray();
        random.Shuffle(names);
        return names.Take(random.Next(max + 1)).Select(name => new Label(name, "v" + Word(random, 20))).ToArray();
    }

    private static string Word(Random random, int lengthMax)
    {
        var text = new StringBuilder();
        for (var left = random.Next(lengthMax + 1); left > 0; left--)
        {
            // Of each length in UTF-8; the range leaves out surrogates.
            var rune = random.Next(8) switch { 0 => random.Next(0x80, 0x800), 1 => random.Next(0x800, 0xd800), 2 => random.Next(0x10000, 0x10ffff), _ => random.Next(0x20, 0x7f) };
            text.Append(new Rune(rune).ToString());
        }

        return text.ToString();
    }
}
