using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Time lost to waiting for CPU, memory or disks, from <c>/proc/pressure</c>; nothing on kernels without it.</summary>
/// <remarks>Source: the kernel's documentation of PSI. <c>some avg10=0.00 avg60=0.00 avg300=0.00 total=12345</c>: microseconds; <c>full</c>: no task could run.</remarks>
internal sealed class PressureSource : IMetricSource, IDisposable
{
    // Divided twice: the quotient of one division by a million differs in its last bit, and stock dashboards are compared to the letter.
    private const double Thousand = 1000;
    private const int NotSupported = 95; // EOPNOTSUPP: switched off at boot

    private static readonly MetricDescriptor CpuWaiting = Metric.Counter("node_pressure_cpu_waiting_seconds_total", "seconds",
        "Time in which some task waited for a CPU.");

    private static readonly MetricDescriptor IoWaiting = Metric.Counter("node_pressure_io_waiting_seconds_total", "seconds",
        "Time in which some task waited for input or output.");

    private static readonly MetricDescriptor IoStalled = Metric.Counter("node_pressure_io_stalled_seconds_total", "seconds",
        "Time in which no task ran because all waited for input or output.");

    private static readonly MetricDescriptor MemoryWaiting = Metric.Counter("node_pressure_memory_waiting_seconds_total", "seconds",
        "Time in which some task waited for memory.");

    private static readonly MetricDescriptor MemoryStalled = Metric.Counter("node_pressure_memory_stalled_seconds_total", "seconds",
        "Time in which no task ran because all waited for memory.");

    private readonly (KeptFile File, MetricDescriptor Some, MetricDescriptor? Full)[] resources;

    public PressureSource(ProcFs proc) => resources =
    [
        (new KeptFile(proc, "pressure/cpu", isOneRead: true), CpuWaiting, null),
        (new KeptFile(proc, "pressure/io", isOneRead: true), IoWaiting, IoStalled),
        (new KeptFile(proc, "pressure/memory", isOneRead: true), MemoryWaiting, MemoryStalled),
    ];

    /// <inheritdoc/>
    public string Name => "pressure";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        foreach (var (file, some, full) in resources)
        {
            var errno = file.Read(out var text);
            if (errno is Libc.NotFound or NotSupported)
            {
                continue;
            }

            if (errno != 0)
            {
                series.OmittedCount++;
                continue;
            }

            Add(ref series, text, "some "u8, some);
            if (full is not null)
            {
                Add(ref series, text, "full "u8, full);
            }
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (file, _, _) in resources)
        {
            file.Dispose();
        }
    }

    private static void Add(ref SeriesOut series, ReadOnlySpan<byte> text, ReadOnlySpan<byte> kind, MetricDescriptor metric)
    {
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            var total = line.IndexOf("total="u8);
            if (isWhole && total >= 0 && line.StartsWith(kind) && ProcText.TryParseNumber(line[(total + "total=".Length)..], out var microseconds))
            {
                series.Add(metric, microseconds / Thousand / Thousand);
                return;
            }
        }

        series.OmittedCount++;
    }
}
