using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Open files of the whole host and their limit, from <c>/proc/sys/fs/file-nr</c>: <c>881	0	2466177</c>.</summary>
internal sealed class FileDescriptorsSource(ProcFs proc) : IMetricSource, IDisposable
{
    private static readonly MetricDescriptor Allocated = Metric.Gauge("node_filefd_allocated", "", "Files that are open on the host.");
    private static readonly MetricDescriptor Maximum = Metric.Gauge("node_filefd_maximum", "", "Files that may be open on the host.");

    private readonly KeptFile file = new(proc, "sys/fs/file-nr", isOneRead: true);

    /// <inheritdoc/>
    public string Name => "filefd";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(file.Name, errno);
        }

        if (!ProcText.TryNextNumber(ref text, out var allocated) || !ProcText.TryNextNumber(ref text, out _) || !ProcText.TryNextNumber(ref text, out var maximum))
        {
            return SourceOutcome.Malformed(file.Name, "three numbers");
        }

        var series = new SeriesOut(sink);
        series.Add(Allocated, allocated);
        series.Add(Maximum, maximum);
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
