using Lm.Platform;
using Lm.Tsdb;

namespace Lm.Collector.Agents;

/// <summary>Load, memory and CPU of every host as its newest samples have them.</summary>
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
        return hosts;
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
}
