using Lm.Platform;
using Lm.Tsdb;

namespace Lm.Collector.Agents;

/// <summary>Load, memory, CPU, disk and network of every host as its newest samples have them.</summary>
internal sealed class CurrentValues(ISeriesReader reader)
{
    // A host that went away shows its last values for a day, with their age.
    private static readonly TimeSpan Window = TimeSpan.FromDays(1);

    // Where the newest samples of a host that is there are found; the rest of the day is read only for those that are not.
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(10);

    private readonly SampleBuffer buffer = new();

    /// <summary>Reads them.</summary>
    /// <param name="now">The collector's clock.</param>
    /// <param name="cancellationToken">The request's.</param>
    /// <returns>By agent.</returns>
    public IReadOnlyDictionary<string, HostValues> Read(UnixMillis now, CancellationToken cancellationToken)
    {
        var hosts = new Dictionary<string, HostValues>(StringComparer.Ordinal);
        AddNewest(hosts, "node_load1", now, static (host, time, value) => host with { At = time, Load1 = value }, cancellationToken);
        AddNewest(hosts, "node_memory_MemTotal_bytes", now, static (host, _, value) => host with { MemoryTotal = value }, cancellationToken);
        AddNewest(hosts, "node_memory_MemAvailable_bytes", now, static (host, _, value) => host with { MemoryAvailable = value }, cancellationToken);
        AddCpu(hosts, now, cancellationToken);
        AddDisks(hosts, "lmagent_queue_filesystem_avail_bytes", "lmagent_queue_filesystem_size_bytes", now, cancellationToken);
        AddDisks(hosts, "node_filesystem_avail_bytes", "node_filesystem_size_bytes", now, cancellationToken); // the agent's own disk only where these are not sent
        AddNetwork(hosts, "node_network_receive_bytes_total", now, static (host, rate) => host with { ReceiveBytesPerSecond = (host.ReceiveBytesPerSecond ?? 0) + rate }, cancellationToken);
        AddNetwork(hosts, "node_network_transmit_bytes_total", now, static (host, rate) => host with { TransmitBytesPerSecond = (host.TransmitBytesPerSecond ?? 0) + rate }, cancellationToken);
        return hosts;
    }

    // The fullest of a host's file systems. What a file system holds is looked up by all its labels but the name.
    private void AddDisks(Dictionary<string, HostValues> hosts, string availMetric, string sizeMetric, UnixMillis now, CancellationToken cancellationToken)
    {
        var avails = new Dictionary<string, (long Time, double Value)>(StringComparer.Ordinal);
        using (var found = Find(availMetric, now, cancellationToken))
        {
            for (var i = 0; i < found.Count; i++)
            {
                if (TryReadNewest(found, i, 1, now))
                {
                    avails[KeyOf(found.Labels(i))] = (buffer.Times[^1], buffer.Values[^1]);
                }
            }
        }

        var fullest = new Dictionary<string, (double Ratio, string Mount)>(StringComparer.Ordinal);
        using var sizes = Find(sizeMetric, now, cancellationToken);
        for (var i = 0; i < sizes.Count; i++)
        {
            // Another time: one of the two is of a file system that has gone.
            if (!avails.TryGetValue(KeyOf(sizes.Labels(i)), out var avail) || !TryReadNewest(sizes, i, 1, now) || buffer.Times[^1] != avail.Time)
            {
                continue;
            }

            var host = sizes.Labels(i).ValueOf("instance");
            var ratio = 1 - (avail.Value / buffer.Values[^1]);
            if (double.IsFinite(ratio) && (!fullest.TryGetValue(host, out var known) || ratio > known.Ratio))
            {
                fullest[host] = (ratio, sizes.Labels(i).ValueOf("mountpoint"));
            }
        }

        foreach (var (host, (ratio, mount)) in fullest)
        {
            hosts[host] = hosts.GetValueOrDefault(host) with { DiskUsedRatio = ratio, DiskMount = mount };
        }
    }

    // Bytes a second between the two newest samples of each interface but the loopback; a counter that went back gives nothing.
    private void AddNetwork(Dictionary<string, HostValues> hosts, string metric, UnixMillis now, Func<HostValues, double, HostValues> add, CancellationToken cancellationToken)
    {
        using var found = Find(metric, now, cancellationToken);
        var newest = new Dictionary<string, long>(StringComparer.Ordinal);
        var rates = new List<(string Host, long Time, double Rate)>();
        for (var i = 0; i < found.Count; i++)
        {
            if (found.Labels(i).ValueOf("device") == "lo" || !TryReadNewest(found, i, 2, now))
            {
                continue;
            }

            var times = buffer.Times[^2..];
            var values = buffer.Values[^2..];
            var rate = (values[1] - values[0]) * 1000 / (times[1] - times[0]);
            if (double.IsFinite(rate) && rate >= 0)
            {
                var host = found.Labels(i).ValueOf("instance");
                newest[host] = Math.Max(newest.GetValueOrDefault(host), times[1]);
                rates.Add((host, times[1], rate));
            }
        }

        // An interface that went away is not counted with what it last did.
        foreach (var (host, _, rate) in rates.Where(each => each.Time == newest[each.Host]))
        {
            hosts[host] = add(hosts.GetValueOrDefault(host), rate);
        }
    }

    private static string KeyOf(LabelSet labels)
    {
        var key = new System.Text.StringBuilder();
        foreach (ref readonly var label in labels.Labels)
        {
            if (label.Name != LabelSet.MetricNameLabel)
            {
                key.Append(label.Name).Append('\0').Append(label.Value).Append('\0');
            }
        }

        return key.ToString();
    }

    private void AddNewest(
        Dictionary<string, HostValues> hosts, string metric, UnixMillis now, Func<HostValues, long, double, HostValues> set, CancellationToken cancellationToken)
    {
        using var found = Find(metric, now, cancellationToken);
        for (var i = 0; i < found.Count; i++)
        {
            if (TryReadNewest(found, i, 1, now) && double.IsFinite(buffer.Values[^1]))
            {
                var host = found.Labels(i).ValueOf("instance");
                hosts[host] = set(hosts.GetValueOrDefault(host), buffer.Times[^1], buffer.Values[^1]);
            }
        }
    }

    // Busy = what the counters of all modes gained between the two newest samples, less idle and iowait (the processor was free to work then).
    private void AddCpu(Dictionary<string, HostValues> hosts, UnixMillis now, CancellationToken cancellationToken)
    {
        using var found = Find("lightmetrics_host_cpu_seconds_total", now, cancellationToken);
        var gains = new Dictionary<string, CpuGain>(StringComparer.Ordinal);
        for (var i = 0; i < found.Count; i++)
        {
            if (!TryReadNewest(found, i, 2, now))
            {
                continue;
            }

            var times = buffer.Times[^2..];
            var values = buffer.Values[^2..];
            var host = found.Labels(i).ValueOf("instance");
            var gain = values[1] - values[0];
            var isIdle = found.Labels(i).ValueOf("mode") is "idle" or "iowait";
            var sum = gains.TryGetValue(host, out var known) ? known : new CpuGain(times[0], times[1], 0, 0, true);

            // Counters went back: the host restarted in between. Other times: a mode is missing from one of the batches. No value then, not a wrong one.
            // iowait alone may go back a little without a restart (proc(5)).
            var isSound = sum.IsSound && (sum.From, sum.To) == (times[0], times[1]) && double.IsFinite(gain) && (gain >= 0 || isIdle);
            gain = Math.Max(0, gain);
            gains[host] = sum with { Total = sum.Total + gain, Idle = sum.Idle + (isIdle ? gain : 0), IsSound = isSound };
        }

        foreach (var (host, gain) in gains)
        {
            if (gain.IsSound && gain.Total > 0)
            {
                hosts[host] = hosts.GetValueOrDefault(host) with { CpuBusyRatio = 1 - (gain.Idle / gain.Total) };
            }
        }
    }

    private ISeriesSelection Find(string metric, UnixMillis now, CancellationToken cancellationToken) => reader.Find(
        [LabelMatcher.Equal(LabelSet.MetricNameLabel, metric), LabelMatcher.Equal("job", "lightmetrics")],
        now.Add(-Window).Value,
        long.MaxValue, // a host whose clock runs ahead has current values, too
        cancellationToken);

    private bool TryReadNewest(ISeriesSelection found, int index, int count, UnixMillis now)
    {
        buffer.Clear();
        found.Read(index, now.Add(-Recent).Value, long.MaxValue, buffer);
        if (buffer.Count < count)
        {
            buffer.Clear();
            found.Read(index, now.Add(-Window).Value, long.MaxValue, buffer);
        }

        return buffer.Count >= count;
    }

    private readonly record struct CpuGain(long From, long To, double Total, double Idle, bool IsSound);
}

/// <summary>A host's current values; null where there is none.</summary>
internal readonly record struct HostValues
{
    /// <summary>Time of the load's sample, milliseconds since 1970.</summary>
    public long? At { get; init; }

    /// <summary>Load of one minute.</summary>
    public double? Load1 { get; init; }

    /// <summary>Bytes of memory.</summary>
    public double? MemoryTotal { get; init; }

    /// <summary>Bytes that can be had without swapping.</summary>
    public double? MemoryAvailable { get; init; }

    /// <summary>Share of memory in use, 0 to 1.</summary>
    public double? MemoryUsedRatio => MemoryTotal > 0 ? 1 - (MemoryAvailable / MemoryTotal) : null;

    /// <summary>Share of processor time in use between the two newest batches, 0 to 1.</summary>
    public double? CpuBusyRatio { get; init; }

    /// <summary>Share of the fullest file system in use, 0 to 1; of the one the agent's queue is on where the host sends no others.</summary>
    public double? DiskUsedRatio { get; init; }

    /// <summary>Where that is mounted; empty for the queue's.</summary>
    public string? DiskMount { get; init; }

    /// <summary>Bytes that came in each second between the two newest batches, over all interfaces but the loopback.</summary>
    public double? ReceiveBytesPerSecond { get; init; }

    /// <summary>Bytes that went out likewise.</summary>
    public double? TransmitBytesPerSecond { get; init; }
}
