using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Bytes that wait in the queues of all UDP sockets together, from <c>/proc/net/udp</c> and <c>udp6</c>.</summary>
/// <remarks>Source: proc_pid_net(5). The fifth field is <c>tx_queue:rx_queue</c>, hexadecimal.</remarks>
internal sealed class UdpQueuesSource : IMetricSource, IDisposable
{
    private const int FieldsBefore = 4;

    private static readonly MetricDescriptor Queues = Metric.Gauge("node_udp_queues", "", "Bytes that wait in the queues of all UDP sockets together.");

    private readonly (KeptFile File, Label[] Sent, Label[] Received)[] families;

    public UdpQueuesSource(ProcFs proc) => families = [Family(proc, "net/udp", "v4"), Family(proc, "net/udp6", "v6")];

    /// <inheritdoc/>
    public string Name => "udp_queues";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        foreach (var (file, sentLabels, receivedLabels) in families)
        {
            var errno = file.Read(out var text);
            if (errno != 0)
            {
                series.OmittedCount += errno == Libc.NotFound ? 0 : 1; // IPv6 is switched off
                continue;
            }

            var (sent, received) = (0.0, 0.0);
            _ = ProcText.TryNextLine(ref text, out _, out _);
            while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
            {
                if (isWhole && TryParse(line, out var waiting))
                {
                    (sent, received) = (sent + waiting.Sent, received + waiting.Received);
                }
                else
                {
                    series.OmittedCount++;
                }
            }

            series.Add(Queues, sentLabels, sent);
            series.Add(Queues, receivedLabels, received);
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(families, family => family.File.Dispose());

    private static (KeptFile, Label[], Label[]) Family(ProcFs proc, string path, string ip) =>
        (new KeptFile(proc, path), [new Label("ip", ip), new Label("queue", "tx")], [new Label("ip", ip), new Label("queue", "rx")]);

    private static bool TryParse(ReadOnlySpan<byte> line, out (ulong Sent, ulong Received) waiting)
    {
        waiting = default;
        for (var i = 0; i < FieldsBefore; i++)
        {
            if (!ProcText.TryNextField(ref line, out _))
            {
                return false;
            }
        }

        return ProcText.TryNextField(ref line, out var field) && field.IndexOf((byte)':') is > 0 and var colon
            && HexText.TryParse(field[..colon], out waiting.Sent) && HexText.TryParse(field[(colon + 1)..], out waiting.Received);
    }
}
