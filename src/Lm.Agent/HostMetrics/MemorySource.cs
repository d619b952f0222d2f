using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>The host's memory: in all, and available.</summary>
internal sealed class MemorySource(ProcFs proc) : IMetricSource
{
    private static readonly MetricDescriptor Total = new("node_memory_MemTotal_bytes", MetricType.Gauge, "bytes",
        "Memory that the kernel manages: what is installed less what it keeps for itself.");

    private static readonly MetricDescriptor Available = new("node_memory_MemAvailable_bytes", MetricType.Gauge, "bytes",
        "Memory that new programs can have without swapping, as the kernel estimates it; before Linux 3.14 free, buffers and page cache together.");

    private readonly string fileName = proc.NameOf("meminfo"u8);

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = proc.ReadWhole("meminfo"u8, out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(fileName, errno);
        }

        if (!ProcMeminfo.TryParse(text, out var memory))
        {
            return SourceOutcome.Malformed(fileName, "MemTotal and MemAvailable (or MemFree, Buffers and Cached), each a number of kB");
        }

        sink.Add(Total, [], memory.Total);
        sink.Add(Available, [], memory.Available);
        return SourceOutcome.Added(2);
    }
}
