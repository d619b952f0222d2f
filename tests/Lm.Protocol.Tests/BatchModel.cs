using Lm.Platform;

namespace Lm.Protocol.Tests;

/// <summary>A batch in plain values, to make both codecs' input from and to compare what they read with.</summary>
internal sealed record BatchModel
{
    public string AgentId { get; init; } = "agent";

    public UInt128 QueueId { get; init; } = 1;

    public ulong SeqStart { get; init; } = 1;

    public ulong SeqEnd { get; init; } = 1;

    public long CollectedAt { get; init; } = 1_700_000_000_000;

    public int IntervalMs { get; init; }

    public Label[] CommonLabels { get; init; } = [];

    public SeriesModel[] Series { get; init; } = [];

    public LogModel[] Logs { get; init; } = [];

    public AlertModel[] Alerts { get; init; } = [];

    public BatchKey Key => new(AgentId, new QueueId(QueueId), new SequenceRange(SeqStart, SeqEnd));

    /// <summary>Everything, so that two batches are equal when their texts are; numbers as bits, because NaNs have many.</summary>
    public override string ToString() => string.Join(
        '\n',
        [
            $"batch {AgentId} {QueueId:x} {SeqStart}-{SeqEnd} at {CollectedAt} every {IntervalMs} with {Text(CommonLabels)}",
            .. Series.Select(series => series.ToString()),
            .. Logs.Select(log => $"log {log.Time} {log.Severity} {log.Body} {Text(log.Attributes)}"),
            .. Alerts.Select(alert => $"alert {alert.Time} {alert.Severity} {alert.Name} {alert.Message} {Text(alert.Labels)}"),
        ]);

    public static string Text(Label[] labels) => "{" + string.Join(", ", labels.Select(label => $"{label.Name}={label.Value}")) + "}";

    internal sealed record SeriesModel(
        string Name, Label[] Labels, MetricType Type, string Unit, string Help, SampleModel[] Samples, HistogramModel[] Histograms)
    {
        public override string ToString() => $"series {Name} {Text(Labels)} {Type} '{Unit}' '{Help}'"
            + string.Concat(Samples.Select(sample => $" {sample.Time}:{sample.Bits:x}"))
            + string.Concat(Histograms.Select(histogram => $" {histogram}"));
    }

    internal readonly record struct SampleModel(long Time, ulong Bits)
    {
        public double Value => BitConverter.UInt64BitsToDouble(Bits);

        public UnixMillis At => new(Time);
    }

    internal sealed record HistogramModel(long Time, double[] Bounds, ulong[] Counts, double Sum)
    {
        public override string ToString() =>
            $"h{Time}[{string.Join(',', Bounds)}][{string.Join(',', Counts)}]{BitConverter.DoubleToUInt64Bits(Sum):x}";
    }

    internal sealed record LogModel(long Time, int Severity, string Body, Label[] Attributes);

    internal sealed record AlertModel(long Time, int Severity, string Name, string Message, Label[] Labels);
}
