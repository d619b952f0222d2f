using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>What the agent itself costs the host.</summary>
internal sealed class SelfSource(ProcFs proc, KernelUnits units) : IMetricSource
{
    private static readonly MetricDescriptor CpuSeconds = new("lmagent_process_cpu_seconds_total", MetricType.Counter, "seconds",
        "CPU time that the agent has used in user and kernel mode.");

    private static readonly MetricDescriptor ResidentBytes = new("lmagent_process_resident_memory_bytes", MetricType.Gauge, "bytes",
        "Memory that the agent holds.");

    private readonly string statName = proc.NameOf("self/stat"u8);
    private readonly string statmName = proc.NameOf("self/statm"u8);

    /// <inheritdoc/>
    public string Name => "self";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = proc.ReadStart("self/stat"u8, out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(statName, errno);
        }

        if (!ProcPidStat.TryParse(text, out var stat))
        {
            return SourceOutcome.Malformed(statName, "a process id, a name in parentheses, and at least 22 fields");
        }

        var cpuTicks = stat.CpuTicks;
        errno = proc.ReadStart("self/statm"u8, out text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(statmName, errno);
        }

        if (!ProcPidStatm.TryParse(text, out var residentPages))
        {
            return SourceOutcome.Malformed(statmName, "numbers of pages");
        }

        sink.Add(CpuSeconds, [], units.Seconds(cpuTicks));
        sink.Add(ResidentBytes, [], units.Bytes(residentPages));
        return SourceOutcome.Added(2);
    }
}
