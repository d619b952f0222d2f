using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Entries of the ARP table for each interface, from <c>/proc/net/arp</c>.</summary>
/// <remarks>Source: proc_pid_net(5). A line of headings, then lines whose last of six fields is the interface.</remarks>
internal sealed class ArpSource(ProcFs proc, NamePatterns names) : IMetricSource, IDisposable
{
    private const int DeviceMax = 4096;
    private const int DeviceField = 6;

    private static readonly MetricDescriptor Entries = Metric.Gauge("node_arp_entries", "", "Entries of the ARP table by interface.");

    private readonly KeptFile file = new(proc, "net/arp");
    private readonly NameTable<Device> devices = new(DeviceMax, name => names.Allows(name) ? new Device(name) : null);
    private readonly List<Device> seen = [];

    /// <inheritdoc/>
    public string Name => "arp";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.UnreadableOrNotHere(file, errno);
        }

        var series = new SeriesOut(sink);
        seen.Clear();
        devices.Begin();
        _ = ProcText.TryNextLine(ref text, out _, out _);
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            ReadOnlySpan<byte> device = default;
            for (var field = 0; field < DeviceField && isWhole; field++)
            {
                isWhole = ProcText.TryNextField(ref line, out device);
            }

            if (isWhole)
            {
                Count(device);
            }
            else
            {
                series.OmittedCount++;
            }
        }

        foreach (var device in seen)
        {
            series.Add(Entries, device.Labels, device.Count);
        }

        devices.End();
        series.OmittedCount += devices.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private void Count(ReadOnlySpan<byte> name)
    {
        // The table hands each out once a round; lines of one interface stand anywhere.
        if (devices.Get(name) is { } device)
        {
            device.Count = 1;
            device.Bytes = name.Length == device.Bytes.Length && name.SequenceEqual(device.Bytes) ? device.Bytes : name.ToArray();
            seen.Add(device);
            return;
        }

        foreach (var known in seen)
        {
            if (name.SequenceEqual(known.Bytes))
            {
                known.Count++;
                return;
            }
        }
    }

    private sealed class Device(string name)
    {
        private readonly Label[] labels = [new Label("device", name)];

        public byte[] Bytes { get; set; } = [];

        public int Count { get; set; }

        public ReadOnlySpan<Label> Labels => labels;
    }
}
