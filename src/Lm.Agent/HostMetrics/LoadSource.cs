using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>The host's load averages.</summary>
internal sealed class LoadSource(ProcFs proc) : IMetricSource
{
    private static readonly MetricDescriptor Load1 = new("node_load1", MetricType.Gauge, "",
        "Processes running, ready to run or waiting for the disk, averaged over one minute.");

    private static readonly MetricDescriptor Load5 = new("node_load5", MetricType.Gauge, "",
        "Processes running, ready to run or waiting for the disk, averaged over five minutes.");

    private static readonly MetricDescriptor Load15 = new("node_load15", MetricType.Gauge, "",
        "Processes running, ready to run or waiting for the disk, averaged over fifteen minutes.");

    private readonly string fileName = proc.NameOf("loadavg"u8);

    /// <inheritdoc/>
    public string Name => "load";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = proc.ReadStart("loadavg"u8, out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(fileName, errno);
        }

        if (!ProcLoadavg.TryParse(text, out var loads))
        {
            return SourceOutcome.Malformed(fileName, "three load averages such as 0.20, and more behind them");
        }

        sink.Add(Load1, [], loads.OneMinute);
        sink.Add(Load5, [], loads.FiveMinutes);
        sink.Add(Load15, [], loads.FifteenMinutes);
        return SourceOutcome.Added(3);
    }
}
