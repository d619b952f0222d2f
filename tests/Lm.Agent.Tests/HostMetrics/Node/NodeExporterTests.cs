using System.Text.RegularExpressions;
using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.Settings;

namespace Lm.Agent.Tests.HostMetrics.Node;

/// <summary>The same host at the same moment: ours between two of theirs.</summary>
public sealed class NodeExporterTests
{
    private const int RoundMax = 40;

    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    // Where our defaults leave out more than Debian's do (loop devices, tmpfs, veth), theirs are asked for.
    private static readonly SourcesSettings Settings = new()
    {
        All = [.. SourceCatalog.Defaults.Select(source => source.Name switch
        {
            SourceCatalog.Filesystems => source with
            {
                Devices = NamePatterns.All,
                Types = source.Types! with { Exclude = [.. source.Types.Exclude.Where(type => type is not ("tmpfs" or "ramfs" or "rootfs" or "efivarfs" or "fuse.lxcfs"))] },
            },
            SourceCatalog.NetworkDevices => source with { Names = new NamePatterns([], ["lo"]) },
            SourceCatalog.NetworkClass or SourceCatalog.Arp => source with { Names = NamePatterns.All },
            _ => source,
        })],
    };

    [Fact]
    public async Task Every_series_of_the_default_collectors_is_here_and_agrees()
    {
        using var exporter = await NodeExporter.StartAsync(Cancelled);
        using var sampler = HostSources.NewSampler(Settings, HostRoots.OfThisHost(), "/", TimeProvider.System, new ListLogger(), null);
        var open = new HashSet<string>(StringComparer.Ordinal); // not seen to agree yet
        var agreed = new HashSet<string>(StringComparer.Ordinal);
        var last = "";
        for (var round = 0; round < RoundMax && (round < 2 || open.Count > 0); round++)
        {
            var before = await exporter.ScrapeAsync(Cancelled);
            var ours = new PrintedSink();
            sampler.Collect(ours);
            var after = await exporter.ScrapeAsync(Cancelled);
            foreach (var (series, old) in before)
            {
                if (!after.TryGetValue(series, out var current) || agreed.Contains(series))
                {
                    open.Remove(series); // it went meanwhile: an interface or mount of another program
                    continue;
                }

                if (ours.Values.TryGetValue(series, out var value) && Agrees(value, old, current))
                {
                    agreed.Add(series);
                    open.Remove(series);
                    continue;
                }

                open.Add(series);
                last = $"{series}: theirs {old:R}, then {current:R}; ours {(ours.Values.TryGetValue(series, out value) ? value.ToString("R", null) : "missing")}";
            }
        }

        Assert.True(open.Count == 0, $"{open.Count} series do not agree: {string.Join(", ", open.Take(20))}; at last {last}");
        Assert.True(agreed.Count > 250, $"only {agreed.Count} series were compared");
    }

    [Fact]
    public async Task On_a_host_of_files_everything_agrees_to_the_last_bit()
    {
        using var tree = new HostTree();
        Laptop.Write(tree);
        using var exporter = await NodeExporter.StartAsync(
            Cancelled, $"--path.procfs={tree.In("proc")}", $"--path.sysfs={tree.In("sys")}", $"--path.udev.data={tree.In("udev")}", "--collector.disable-defaults",
            "--collector.hwmon", "--collector.thermal_zone", "--collector.powersupplyclass", "--collector.mdadm", "--collector.cpu", "--collector.cpufreq",
            "--collector.diskstats", "--collector.softnet", "--collector.meminfo", "--collector.stat", "--collector.vmstat", "--collector.sockstat",
            "--collector.netstat", "--collector.conntrack", "--collector.pressure", "--collector.filefd", "--collector.loadavg", "--collector.entropy", "--collector.netclass",
            "--collector.udp_queues", "--collector.cpu.info");
        var theirs = await exporter.ScrapeAsync(Cancelled);

        using var sampler = tree.NewSampler(Settings);
        var ours = new PrintedSink();
        sampler.Collect(ours);
        var found = ours.Values.ToDictionary(series => WithoutEmpty(series.Key), series => series.Value);

        // The laptop's third CPU is taken out: it has no series here, and zeros there (docs/metrics.md).
        var isTakenOut = (string series) => series.StartsWith("node_cpu_seconds_total{cpu=\"2\"", StringComparison.Ordinal)
            || series.StartsWith("node_cpu_guest_seconds_total{cpu=\"2\"", StringComparison.Ordinal);
        var differences = theirs.Where(series => !isTakenOut(series.Key) && (!found.TryGetValue(WithoutEmpty(series.Key), out var value) || value != series.Value))
            .Select(series => $"{series.Key}: {series.Value:R}, ours {(found.TryGetValue(WithoutEmpty(series.Key), out var value) ? value.ToString("R", null) : "missing")}");
        Assert.True(!differences.Any(), string.Join(Environment.NewLine, differences));
        Assert.True(theirs.Count > 400, $"only {theirs.Count} series were compared");
    }

    // A label without a value is none.
    private static string WithoutEmpty(string series) => Regex.Replace(series, "(?<=[{,])[a-z_]+=\"\",?", "").Replace(",}", "}", StringComparison.Ordinal);

    // Exactly what they say where they say the same twice, else within the change between their two answers, to either side.
    private static bool Agrees(double ours, double before, double after)
    {
        var change = Math.Abs(after - before);
        return ours >= Math.Min(before, after) - change && ours <= Math.Max(before, after) + change;
    }
}
