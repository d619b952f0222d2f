using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.Series;

/// <summary>Accepted batches for tests, through the real encoder and decoder.</summary>
internal sealed class BatchMaker(string agentId = "web1")
{
    private static readonly MetricDescriptor Gauge = new("", MetricType.Gauge, "", "");

    private readonly BatchEncoder encoder = new();
    private readonly List<(MetricDescriptor Metric, Label[] Labels, UnixMillis[] Times, double[] Values)> series = [];
    private static long position; // of all makers: a record comes behind those made before

    private ulong sequence;

    public QueueId Queue { get; init; } = new(42);

    public int IntervalMs { get; init; } = 15_000;

    public Label[] CommonLabels { get; init; } = [];

    /// <summary>Bytes behind what the encoder writes: fields of lightmetrics.proto that agents do not send yet.</summary>
    public byte[] Extra { get; set; } = [];

    public BatchMaker With(string metric, double value, long time, params Label[] labels) => With(metric, [(time, value)], labels);

    public BatchMaker With(string metric, (long Time, double Value)[] samples, params Label[] labels) =>
        With(Gauge with { Name = metric }, samples, labels);

    public BatchMaker With(MetricDescriptor metric, (long Time, double Value)[] samples, params Label[] labels)
    {
        series.Add((metric, labels, [.. samples.Select(sample => new UnixMillis(sample.Time))], [.. samples.Select(sample => sample.Value)]));
        return this;
    }

    /// <summary>Log records of the next batch.</summary>
    public List<LogRecord> Logs { get; } = [];

    /// <summary>Alert records of the next batch.</summary>
    public List<AlertRecord> Alerts { get; } = [];

    /// <summary>The batch gathered so far, received when its newest sample was taken unless said otherwise; the next one begins empty.</summary>
    public AcceptedBatch Make(long? receivedAtMs = null, long oldestAccepted = long.MinValue, int[]? dropped = null, int[]? droppedLogs = null, bool isReplay = false)
    {
        var receivedAt = receivedAtMs ?? series.SelectMany(each => each.Times).Select(time => time.Value).DefaultIfEmpty().Max();
        encoder.IncludeMetadata = true;
        encoder.Begin(new UnixMillis(receivedAt), IntervalMs, CommonLabels);
        foreach (var (metric, labels, times, values) in series)
        {
            encoder.AddSamples(metric, labels, times, values);
        }

        series.Clear();
        Logs.ForEach(log => encoder.AddLog(log));
        Logs.Clear();
        Alerts.ForEach(alert => encoder.AddAlert(alert));
        Alerts.Clear();
        sequence++;
        byte[] payload = [.. encoder.EncodePayload(new BatchKey(agentId, Queue, new SequenceRange(sequence, sequence))).Span, .. Extra];
        var decoded = new DecodedBatch();
        var status = BatchDecoder.Decode(payload, new Limits(), decoded, out var fault);
        Assert.True(status == DecodeStatus.Ok, fault);
        return new AcceptedBatch
        {
            Position = new JournalPosition(0, Interlocked.Increment(ref position)),
            ReceivedAt = new UnixMillis(receivedAt),
            Batch = decoded,
            Verdict = new BatchVerdict { OldestAccepted = new UnixMillis(oldestAccepted), DroppedSeries = dropped ?? [], DroppedLogs = droppedLogs ?? [] },
            IsReplay = isReplay,
            FrameBytes = payload.Length,
        };
    }
}
