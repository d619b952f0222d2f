using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Sockets by protocol, from <c>/proc/net/sockstat</c> and <c>sockstat6</c>.</summary>
/// <remarks>Source: proc_pid_net(5). <c>TCP: inuse 10 orphan 0 tw 152 alloc 12 mem 0</c>: pairs of a name and a number; <c>mem</c> counts pages.</remarks>
internal sealed class SockstatSource : IMetricSource, IDisposable
{
    private const int FieldMax = 256;
    private const int NameBytesMax = 64;

    private readonly KernelUnits units;
    private readonly KeptFile[] files;
    private readonly NameTable<Field> fields = new(FieldMax, Field.Make);

    public SockstatSource(ProcFs proc, KernelUnits units)
    {
        this.units = units;
        files = [new KeptFile(proc, "net/sockstat", isOneRead: true), new KeptFile(proc, "net/sockstat6", isOneRead: true)];
    }

    /// <inheritdoc/>
    public string Name => "sockstat";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        fields.Begin();
        foreach (var file in files)
        {
            var errno = file.Read(out var text);
            if (errno == Libc.NotFound)
            {
                continue; // IPv6 is switched off
            }

            series.OmittedCount += errno != 0 ? 1 : 0;
            while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
            {
                if (!isWhole || !TryAdd(ref series, line))
                {
                    series.OmittedCount++;
                }
            }
        }

        fields.End();
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(files, file => file.Dispose());

    private bool TryAdd(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        if (!ProcText.TryNextField(ref line, out var protocol) || protocol[^1] != (byte)':')
        {
            return false;
        }

        Span<byte> key = stackalloc byte[NameBytesMax];
        protocol = protocol[..^1];
        while (ProcText.TryNextField(ref line, out var name))
        {
            if (!ProcText.TryNextNumber(ref line, out var value) || protocol.Length + 1 + name.Length > key.Length)
            {
                return false;
            }

            protocol.CopyTo(key);
            key[protocol.Length] = (byte)'_';
            name.CopyTo(key[(protocol.Length + 1)..]);
            if (fields.Get(key[..(protocol.Length + 1 + name.Length)]) is not { } field)
            {
                return false;
            }

            series.Add(field.Metric, value);
            if (field.BytesMetric is not null)
            {
                series.Add(field.BytesMetric, units.Bytes(value));
            }
        }

        return true;
    }

    private sealed record Field(MetricDescriptor Metric, MetricDescriptor? BytesMetric)
    {
        public static Field Make(string key) => new(
            Node.Metric.Gauge($"node_sockstat_{key}", "", $"The kernel's number {Describe(key)}."),
            key.EndsWith("_mem", StringComparison.Ordinal) ? Node.Metric.Gauge($"node_sockstat_{key}_bytes", "bytes", $"Memory of {Describe(key)}, in bytes.") : null);

        private static StringBuilder Describe(string key) => new StringBuilder(key).Replace('_', ' ');
    }
}
