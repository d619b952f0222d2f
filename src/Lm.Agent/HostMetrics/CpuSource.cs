using System.Globalization;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>CPU time by mode: of all CPUs together, and of each of the CPUs 0 to 7.</summary>
/// <remarks>Modes that an old kernel does not report, and CPUs that are offline, have no series.</remarks>
internal sealed class CpuSource : IMetricSource
{
    /// <summary>CPUs with series of their own: those with ids below this.</summary>
    public const int CpuMax = 8;

    private static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

    private static readonly MetricDescriptor HostSeconds = new("lightmetrics_host_cpu_seconds_total", MetricType.Counter, "seconds",
        "Time that all CPUs of the host together have spent in each mode since it was started.");

    private static readonly MetricDescriptor CpuSeconds = new("node_cpu_seconds_total", MetricType.Counter, "seconds",
        "Time that a CPU has spent in each mode since the host was started; CPUs 0 to 7 only.");

    private readonly ProcFs proc;
    private readonly KernelUnits units;
    private readonly string fileName;
    private readonly Label[] hostLabels = new Label[ProcStat.ModeCount];
    private readonly Label[] cpuLabels = new Label[CpuMax * ProcStat.ModeCount * 2];
    private readonly CpuTimes[] cpus = new CpuTimes[CpuMax];

    /// <summary>Reads <c>stat</c>.</summary>
    /// <param name="proc">Where it is.</param>
    /// <param name="units">The kernel's ticks.</param>
    public CpuSource(ProcFs proc, KernelUnits units)
    {
        this.proc = proc;
        this.units = units;
        fileName = proc.NameOf("stat"u8);
        for (var mode = 0; mode < ProcStat.ModeCount; mode++)
        {
            hostLabels[mode] = new Label("mode", Modes[mode]);
            for (var cpu = 0; cpu < CpuMax; cpu++)
            {
                var at = LabelsAt(cpu, mode);
                cpuLabels[at] = new Label("cpu", cpu.ToString(CultureInfo.InvariantCulture));
                cpuLabels[at + 1] = hostLabels[mode];
            }
        }
    }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        // The start is enough: nine lines of at most 240 bytes. The rest of the file can be a hundred times longer.
        var errno = proc.ReadStart("stat"u8, out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(fileName, errno);
        }

        return TryParse(text, out var host) ? Add(sink, host) : SourceOutcome.Malformed(fileName, "CPU times: a line 'cpu' with at least four numbers, then lines 'cpu0' and on");
    }

    private static int LabelsAt(int cpu, int mode) => ((cpu * ProcStat.ModeCount) + mode) * 2;

    private bool TryParse(ReadOnlySpan<byte> text, out CpuTimes host)
    {
        host = default;
        Array.Clear(cpus);
        while (true)
        {
            switch (ProcStat.TryNextCpu(ref text, out var cpu, out var times))
            {
                case CpuLine.Malformed:
                    return false;
                case CpuLine.End:
                    return host.Count > 0;
                case CpuLine.Good when cpu < 0:
                    host = times;
                    break;
                case CpuLine.Good when cpu < CpuMax:
                    cpus[cpu] = times;
                    break;
                default:
                    return host.Count > 0; // lines come in order of their ids: no CPU below the cap follows
            }
        }
    }

    private SourceOutcome Add(ISampleSink sink, in CpuTimes host)
    {
        var count = host.Count;
        for (var mode = 0; mode < host.Count; mode++)
        {
            sink.Add(HostSeconds, hostLabels.AsSpan(mode, 1), units.Seconds(host.Ticks[mode]));
        }

        for (var cpu = 0; cpu < CpuMax; cpu++)
        {
            for (var mode = 0; mode < cpus[cpu].Count; mode++)
            {
                sink.Add(CpuSeconds, cpuLabels.AsSpan(LabelsAt(cpu, mode), 2), units.Seconds(cpus[cpu].Ticks[mode]));
            }

            count += cpus[cpu].Count;
        }

        return SourceOutcome.Added(count);
    }
}
