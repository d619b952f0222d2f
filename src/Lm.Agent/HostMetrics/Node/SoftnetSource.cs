using System.Globalization;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Packets that each CPU has taken off its queue, from <c>/proc/net/softnet_stat</c>.</summary>
/// <remarks>A line of hexadecimal columns for each online CPU: processed, dropped, squeezed; from Linux 5.10 on the thirteenth is the CPU's id.</remarks>
internal sealed class SoftnetSource(ProcFs proc) : IMetricSource, IDisposable
{
    private const int CpuColumn = 12;
    private const int CpuMax = 65_536;

    private static readonly MetricDescriptor Processed = Metric.Counter("node_softnet_processed_total", "", "Packets that a CPU has processed.");
    private static readonly MetricDescriptor Dropped = Metric.Counter("node_softnet_dropped_total", "", "Packets that a CPU has dropped because its queue was full.");
    private static readonly MetricDescriptor Squeezed = Metric.Counter("node_softnet_times_squeezed_total", "",
        "Times that a CPU had packets left when its time for them was over.");

    private readonly KeptFile file = new(proc, "net/softnet_stat");
    private readonly Dictionary<int, Label[]> cpus = [];
    private int lastCpu;

    /// <inheritdoc/>
    public string Name => "softnet";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.UnreadableOrNotHere(file, errno);
        }

        var series = new SeriesOut(sink);
        lastCpu = -1;
        for (var row = 0; ProcText.TryNextLine(ref text, out var line, out var isWhole); row++)
        {
            if (!isWhole || !TryAdd(ref series, line, row))
            {
                series.OmittedCount++;
            }
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool TryAdd(ref SeriesOut series, ReadOnlySpan<byte> line, int row)
    {
        if (!HexText.TryNext(ref line, out var processed) || !HexText.TryNext(ref line, out var dropped) || !HexText.TryNext(ref line, out var squeezed))
        {
            return false;
        }

        var cpu = (ulong)row;
        for (var column = 3; column <= CpuColumn && HexText.TryNext(ref line, out var value); column++)
        {
            cpu = column == CpuColumn ? value : cpu;
        }

        if (cpu >= CpuMax || (int)cpu <= lastCpu)
        {
            return false; // lines come in order of their ids
        }

        lastCpu = (int)cpu;

        if (!cpus.TryGetValue((int)cpu, out var labels))
        {
            cpus.Add((int)cpu, labels = [new Label("cpu", cpu.ToString(CultureInfo.InvariantCulture))]);
        }

        series.Add(Processed, labels, processed);
        series.Add(Dropped, labels, dropped);
        series.Add(Squeezed, labels, squeezed);
        return true;
    }
}
