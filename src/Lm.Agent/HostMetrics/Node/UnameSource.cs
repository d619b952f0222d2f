using System.Runtime.InteropServices;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The kernel's name, release and version, the machine's architecture and host name.</summary>
/// <remarks>Source: uname(2), which gives six fields of 65 bytes.</remarks>
internal sealed unsafe partial class UnameSource : IMetricSource
{
    private const int FieldBytes = 65;
    private const int FieldCount = 6;

    private static readonly MetricDescriptor Info = Metric.Gauge("node_uname_info", "", "1, with what uname(2) says as labels.");

    private readonly TextLabels labels = new([], "sysname", "nodename", "release", "version", "machine", "domainname");
    private readonly byte[] fields = new byte[FieldBytes * FieldCount];

    /// <inheritdoc/>
    public string Name => "uname";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        fixed (byte* at = fields)
        {
            if (Uname(at) != 0)
            {
                return SourceOutcome.Unreadable("uname(2)", Marshal.GetLastPInvokeError());
            }
        }

        for (var i = 0; i < FieldCount; i++)
        {
            var field = fields.AsSpan(i * FieldBytes, FieldBytes);
            labels.Set(i, field[..Math.Max(0, field.IndexOf((byte)0))]);
        }

        sink.Add(Info, labels.Span, 1);
        return SourceOutcome.Added(1);
    }

    [LibraryImport("libc", EntryPoint = "uname", SetLastError = true)]
    private static partial int Uname(byte* result);
}
