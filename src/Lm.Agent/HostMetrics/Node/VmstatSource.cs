using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Of <c>/proc/vmstat</c>: paging, swapping, page faults and processes killed for want of memory.</summary>
/// <remarks>Source: proc_vmstat(5), a name and a number a line.</remarks>
internal sealed class VmstatSource(ProcFs proc) : IMetricSource, IDisposable
{
    private const int FieldMax = 1024;

    private readonly KeptFile file = new(proc, "vmstat");
    private readonly NameTable<MetricDescriptor> fields = new(FieldMax, field => Metric.Untyped($"node_vmstat_{field}", $"The kernel's counter {field}."));

    /// <inheritdoc/>
    public string Name => "vmstat";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(file.Name, errno);
        }

        var series = new SeriesOut(sink);
        var lineCount = 0;
        fields.Begin();
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            lineCount++;
            if (!isWhole || !IsWanted(line))
            {
                continue;
            }

            if (ProcText.TryNextField(ref line, out var field) && ProcText.TryNextNumber(ref line, out var value) && fields.Get(field) is { } metric)
            {
                series.Add(metric, value);
            }
            else
            {
                series.OmittedCount++;
            }
        }

        fields.End();
        return lineCount == 0 ? SourceOutcome.Malformed(file.Name, "a name and a number a line") : series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    // pgpgin, pgpgout, pswpin, pswpout, pgfault, pgmajfault, oom_kill.
    private static bool IsWanted(ReadOnlySpan<byte> line) => line.StartsWith("oom_kill"u8) || line.StartsWith("pgpg"u8) || line.StartsWith("pswp"u8)
        || (line.StartsWith("pg"u8) && line.IndexOf("fault"u8) >= 0);
}
