using System.Globalization;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>All of <c>/proc/stat</c>: CPU time by mode, boot time, context switches, interrupts, forks, running and blocked processes.</summary>
/// <remarks>
/// <para>Source: proc_stat(5). Offline CPUs have no line and no series; modes that an old kernel does not report have none either.</para>
/// <para>The kernel's own counts of idle time step back now and then by some ticks; a counter that does so looks like a restart. So a count holds
/// its value until the kernel's has caught up, unless idle time fell by three seconds or more: then the CPU was taken out and put in again.</para>
/// </remarks>
internal sealed class StatSource : IMetricSource, IDisposable
{
    private const int ModeCount = 8;
    private const int ColumnCount = ModeCount + 2; // guest and guest_nice, which user and nice already hold
    private const int ColumnCountMin = 4;
    private const int IdleColumn = 3;
    private const int ResetSeconds = 3;
    private const int CpuMax = 65_536;

    private static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

    private static readonly MetricDescriptor HostSeconds = Metric.Counter("lightmetrics_host_cpu_seconds_total", "seconds",
        "Time that all CPUs of the host together have spent in each mode since it was started.");

    private static readonly MetricDescriptor CpuSeconds = Metric.Counter("node_cpu_seconds_total", "seconds",
        "Time that a CPU has spent in each mode since the host was started.");

    private static readonly MetricDescriptor GuestSeconds = Metric.Counter("node_cpu_guest_seconds_total", "seconds",
        "Time that a CPU has spent running guests, which its modes user and nice hold too.");

    private static readonly MetricDescriptor BootTime = Metric.Gauge("node_boot_time_seconds", "seconds", "When the host was started, in seconds since 1970.");
    private static readonly MetricDescriptor ContextSwitches = Metric.Counter("node_context_switches_total", "", "Context switches since the host was started.");
    private static readonly MetricDescriptor Forks = Metric.Counter("node_forks_total", "", "Processes and threads made since the host was started.");
    private static readonly MetricDescriptor Interrupts = Metric.Counter("node_intr_total", "", "Interrupts served since the host was started.");
    private static readonly MetricDescriptor Running = Metric.Gauge("node_procs_running", "", "Threads that run or are ready to.");
    private static readonly MetricDescriptor Blocked = Metric.Gauge("node_procs_blocked", "", "Processes that wait for input or output to complete.");

    private readonly KernelUnits units;
    private readonly KeptFile file;
    private readonly Label[] hostLabels = new Label[ModeCount];
    private readonly Dictionary<int, Cpu> cpus = [];
    private readonly HashSet<MetricDescriptor> told = new(ReferenceEqualityComparer.Instance); // of this round: no line counts twice
    private int lastCpu;

    /// <summary>Reads <c>stat</c>.</summary>
    public StatSource(ProcFs proc, KernelUnits units)
    {
        this.units = units;
        file = new KeptFile(proc, "stat", isOneRead: true);
        for (var mode = 0; mode < ModeCount; mode++)
        {
            hostLabels[mode] = new Label("mode", Modes[mode]);
        }
    }

    /// <inheritdoc/>
    public string Name => "cpu";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(file.Name, errno);
        }

        if (!text.StartsWith("cpu "u8))
        {
            return SourceOutcome.Malformed(file.Name, "a line 'cpu' with at least four numbers, then lines 'cpu0' and on");
        }

        var series = new SeriesOut(sink);
        told.Clear();
        lastCpu = -1;
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            if (isWhole && !TryAdd(ref series, line))
            {
                series.OmittedCount++;
            }
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool TryAdd(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("cpu"u8))
        {
            return line["cpu".Length] == (byte)' ' ? TryAddHost(ref series, line["cpu".Length..]) : TryAddCpu(ref series, line["cpu".Length..]);
        }

        var metric = line switch
        {
            _ when line.StartsWith("intr "u8) => Interrupts,
            _ when line.StartsWith("ctxt "u8) => ContextSwitches,
            _ when line.StartsWith("btime "u8) => BootTime,
            _ when line.StartsWith("processes "u8) => Forks,
            _ when line.StartsWith("procs_running "u8) => Running,
            _ when line.StartsWith("procs_blocked "u8) => Blocked,
            _ => null, // softirq, and what kernels to come may add
        };
        if (metric is null)
        {
            return true;
        }

        _ = ProcText.TryNextField(ref line, out _);
        if (!ProcText.TryNextNumber(ref line, out var value) || !told.Add(metric))
        {
            return false;
        }

        series.Add(metric, value);
        return true;
    }

    private bool TryAddHost(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        Span<ulong> ticks = stackalloc ulong[ColumnCount];
        if (!TryParse(line, ticks, out var count) || !told.Add(HostSeconds))
        {
            return false;
        }

        for (var mode = 0; mode < Math.Min(count, ModeCount); mode++)
        {
            series.Add(HostSeconds, hostLabels.AsSpan(mode, 1), units.Seconds(ticks[mode]));
        }

        return true;
    }

    private bool TryAddCpu(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        Span<ulong> ticks = stackalloc ulong[ColumnCount];
        if (!ProcText.TryNextNumber(ref line, out var id) || id >= CpuMax || (int)id <= lastCpu || !TryParse(line, ticks, out var count))
        {
            return false; // lines come in order of their ids
        }

        lastCpu = (int)id;

        if (!cpus.TryGetValue((int)id, out var cpu))
        {
            cpus.Add((int)id, cpu = new Cpu((int)id));
        }

        cpu.Take(ticks, (ulong)(ResetSeconds * units.TicksPerSecond));
        for (var column = 0; column < count; column++)
        {
            series.Add(column < ModeCount ? CpuSeconds : GuestSeconds, cpu.LabelsOf(column), units.Seconds(cpu.Ticks[column]));
        }

        return true;
    }

    private static bool TryParse(ReadOnlySpan<byte> line, Span<ulong> ticks, out int count)
    {
        count = 0;
        while (count < ticks.Length && ProcText.TryNextField(ref line, out var field))
        {
            if (!ProcText.TryParseNumber(field, out ticks[count]))
            {
                return false;
            }

            count++;
        }

        return count >= ColumnCountMin;
    }

    /// <summary>One CPU's labels and counts.</summary>
    private sealed class Cpu
    {
        private readonly Label[] labels = new Label[ColumnCount * 2];

        public Cpu(int id)
        {
            for (var column = 0; column < ColumnCount; column++)
            {
                labels[column * 2] = new Label("cpu", id.ToString(CultureInfo.InvariantCulture));
                labels[(column * 2) + 1] = new Label("mode", Modes[column % ModeCount]); // guests: user, then nice
            }
        }

        public ulong[] Ticks { get; } = new ulong[ColumnCount];

        public ReadOnlySpan<Label> LabelsOf(int column) => labels.AsSpan(column * 2, 2);

        public void Take(ReadOnlySpan<ulong> ticks, ulong resetTicks)
        {
            var isReset = Ticks[IdleColumn] > ticks[IdleColumn] && Ticks[IdleColumn] - ticks[IdleColumn] >= resetTicks;
            for (var column = 0; column < ColumnCount; column++)
            {
                Ticks[column] = isReset ? ticks[column] : Math.Max(Ticks[column], ticks[column]);
            }
        }
    }
}
