using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Every counter of every network interface, from <c>/proc/net/dev</c>.</summary>
/// <remarks>
/// Source: proc_pid_net(5). The second line of headings names the columns, <c>bytes packets errs drop fifo frame compressed multicast</c> received and
/// <c>bytes packets errs drop fifo colls carrier compressed</c> sent, so a kernel with other columns has other metrics. Of the agent's own network namespace.
/// </remarks>
internal sealed class NetDevSource(HostRoots roots, NamePatterns names) : IMetricSource, IDisposable
{
    private const int DeviceMax = 20_000;
    private const int ColumnMax = 32;

    // The one counter of interfaces that /proc/net/dev does not have; /sys has it since Linux 4.6.
    private static readonly MetricDescriptor NoHandler = Metric.Counter("node_network_receive_nohandler_total", "",
        "Packets that an interface has received and no protocol wanted.");

    private readonly KeptFile file = new(roots.Proc, "net/dev");
    private readonly NameTable<Device> devices = new(DeviceMax, name => names.Allows(name) ? new Device(roots.Sys, name) : null);
    private readonly List<MetricDescriptor> columns = [];
    private byte[] headings = [];

    /// <inheritdoc/>
    public string Name => "netdev";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(file.Name, errno);
        }

        if (!ProcText.TryNextLine(ref text, out _, out _) || !ProcText.TryNextLine(ref text, out var line, out var isWhole) || !isWhole || !TrySetColumns(line))
        {
            return SourceOutcome.Malformed(file.Name, "two lines of headings, then lines of an interface's name, a colon and its counters");
        }

        var series = new SeriesOut(sink);
        devices.Begin();
        while (ProcText.TryNextLine(ref text, out line, out isWhole))
        {
            if (!isWhole || !TryAdd(ref series, line))
            {
                series.OmittedCount++;
            }
        }

        devices.End();
        series.OmittedCount += devices.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        devices.Dispose();
    }

    private bool TryAdd(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        // The last colon ends the name: aliases of old kernels have one of their own.
        var colon = line.LastIndexOf((byte)':');
        if (colon < 0)
        {
            return line.Trim(" \t"u8).IsEmpty;
        }

        var name = line[..colon].Trim(" \t"u8);
        if (devices.Get(name) is not { } device)
        {
            return true; // not wanted, or counted by the table
        }

        Span<ulong> values = stackalloc ulong[ColumnMax];
        line = line[(colon + 1)..];
        for (var i = 0; i < columns.Count; i++)
        {
            if (!ProcText.TryNextNumber(ref line, out values[i]))
            {
                return false;
            }
        }

        for (var i = 0; i < columns.Count; i++)
        {
            series.Add(columns[i], device.Labels, values[i]);
        }

        if (device.NoHandler.Read(out var text) == 0 && ProcText.TryNextNumber(ref text, out var noHandler))
        {
            series.Add(NoHandler, device.Labels, noHandler);
        }

        return true;
    }

    // " face |bytes    packets … multicast|bytes    packets … compressed"
    private bool TrySetColumns(ReadOnlySpan<byte> line)
    {
        if (line.SequenceEqual(headings))
        {
            return columns.Count > 0;
        }

        columns.Clear();
        var parts = Encoding.ASCII.GetString(line).Split('|');
        if (parts.Length != 3)
        {
            return false;
        }

        foreach (var (direction, verb, part) in new[] { ("receive", "received", parts[1]), ("transmit", "sent", parts[2]) })
        {
            foreach (var column in part.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var isBytes = column == "bytes";
                columns.Add(Metric.Counter($"node_network_{direction}_{column}_total", isBytes ? "bytes" : "",
                    isBytes ? $"Bytes that an interface has {verb}." : $"The kernel's counter {column} of what an interface has {verb}."));
            }
        }

        headings = line.ToArray();
        return columns.Count is > 0 and <= ColumnMax;
    }

    private sealed class Device(ProcFs sys, string name) : IDisposable
    {
        private readonly Label[] labels = [new Label("device", name)];

        public KeptFile NoHandler { get; } = new(sys, $"class/net/{name}/statistics/rx_nohandler", isOneRead: true);

        public ReadOnlySpan<Label> Labels => labels;

        public void Dispose() => NoHandler.Dispose();
    }
}
