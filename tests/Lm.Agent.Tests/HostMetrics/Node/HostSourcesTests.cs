using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Tests.HostMetrics.Node;

public sealed class HostSourcesTests : IDisposable
{
    private readonly HostTree tree = new();

    public static TheoryData<string> Cases => [.. ProcTree.Cases];

    public void Dispose() => tree.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void No_tree_gives_a_series_twice_or_a_value_that_is_no_number(string name)
    {
        using var proc = ProcTree.Of(name);
        var roots = tree.Roots with { Proc = new ProcFs(proc.Root) };
        using var sampler = HostSources.NewSampler(new SourcesSettings(), roots, tree.Root, tree.Time, tree.Logger, null);
        var sink = new RecordingSink(); // a series that comes twice fails it

        var count = sampler.Collect(sink);

        Assert.Equal(count, sink.Values.Count);
        Assert.Equal(1, sink["lmagent_up"]);
        Assert.All(sink.Values.Values, value => Assert.True(double.IsFinite(value)));
        Assert.All(sink.Labels, label => Assert.InRange(Encoding.UTF8.GetByteCount(label.Value), 0, LabelText.LongValueBytesMax));
        Assert.All(sink.Metrics.Values, metric => Assert.EndsWith(".", metric.Help, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_the_heartbeat_says_of_cpus_memory_load_and_the_agent_the_profile_host_says_too(string name)
    {
        using var proc = ProcTree.Of(name);
        var roots = tree.Roots with { Proc = new ProcFs(proc.Root) };
        using var sampler = HostSources.NewSampler(new SourcesSettings(), roots, Path.GetTempPath(), tree.Time, tree.Logger, null);
        var host = new RecordingSink();
        sampler.Collect(host);

        var heartbeat = proc.Collect();

        var differences = heartbeat.Values.Where(series => !series.Key.StartsWith("node_network", StringComparison.Ordinal)
                && !series.Key.StartsWith("lightmetrics_host_process", StringComparison.Ordinal) && !series.Key.StartsWith("lmagent_queue", StringComparison.Ordinal))
            .Where(series => !host.Values.TryGetValue(series.Key, out var value) || value != series.Value);
        Assert.Empty(differences);
    }

    [Fact]
    public void The_laptop_has_no_failing_source_and_a_tick_allocates_nothing_in_the_steady_state()
    {
        Laptop.Write(tree);
        WriteProcesses(3);
        tree.Write("proc/net/dev", NetDev(2)).Write("proc/1/mounts", "/dev/sda1 / ext4 rw 0 0\n").Write("proc/net/arp", "h\n10.0.0.1 0x1 0x2 aa:bb * eth0\n10.0.0.2 0x1 0x2 aa:bc * eth0\n");
        using var sampler = tree.NewSampler();
        var sink = new CountingSink();
        for (var i = 0; i < 3; i++)
        {
            sampler.Collect(sink);
        }

        Assert.DoesNotContain(tree.Logger.Lines, line => !line.Contains("source self", StringComparison.Ordinal));
        var least = Enumerable.Range(0, 10).Min(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            sampler.Collect(sink);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.InRange(least, 0, 256);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(128)]
    public void Every_cpu_has_its_ten_series(int count)
    {
        tree.Write("proc/stat", Stat(Enumerable.Range(0, count)));
        using var source = new StatSource(tree.Roots.Proc, ProcTree.Units);

        var sink = tree.Collect(source);

        Assert.Equal(count * 8, sink.Of("node_cpu_seconds_total").Length);
        Assert.Equal(count * 2, sink.Of("node_cpu_guest_seconds_total").Length);
        Assert.Equal(0.04, sink[$"node_cpu_seconds_total{{cpu=\"{count - 1}\",mode=\"idle\"}}"]);
        Assert.Equal(17, sink["node_intr_total"]);
    }

    [Fact]
    public void A_cpu_that_is_taken_out_has_no_series_until_it_is_back()
    {
        using var source = new StatSource(tree.Roots.Proc, ProcTree.Units);
        tree.Write("proc/stat", Stat([0, 1, 2]));
        tree.Collect(source);

        tree.Write("proc/stat", Stat([0, 2]));
        Assert.DoesNotContain(tree.Collect(source).Order, series => series.Contains("cpu=\"1\"", StringComparison.Ordinal));

        tree.Write("proc/stat", Stat([0, 1, 2]));
        Assert.Equal(24, tree.Collect(source).Of("node_cpu_seconds_total").Length);
    }

    [Fact]
    public void Idle_time_that_steps_back_a_little_holds_and_by_three_seconds_is_taken_for_a_cpu_that_came_anew()
    {
        using var source = new StatSource(tree.Roots.Proc, ProcTree.Units);
        const string Idle = "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"}";
        tree.Write("proc/stat", "cpu 1 2 3 1000\ncpu0 1 2 3 1000 5 6 7 8 9 10\n");
        Assert.Equal(10, tree.Collect(source)[Idle]);

        tree.Write("proc/stat", "cpu 1 2 3 999\ncpu0 1 2 3 999 5 6 7 8 9 10\n");
        Assert.Equal(10, tree.Collect(source)[Idle]);

        tree.Write("proc/stat", "cpu 1 2 3 4\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
        Assert.Equal(0.04, tree.Collect(source)[Idle]);
    }

    [Fact]
    public void Of_ten_thousand_processes_all_are_told_or_in_the_rest()
    {
        tree.Write("proc/stat", Stat([0]));
        WriteProcesses(10_000);
        using var source = new ProcessesSource(tree.Roots, (8, 8), tree.Time, null);
        tree.Collect(source);
        tree.Write("proc/77/stat", Process(77, 'R', ticks: 5_077, pages: 77));

        var sink = tree.Collect(source);

        Assert.Equal(9, sink.Of("lightmetrics_host_process_cpu_seconds_total").Length); // the eight that hold most, and the one that ran
        Assert.Contains("lightmetrics_host_process_cpu_seconds_total{pid=\"77\",start_time=\"1418183280\",comm=\"p77\"}", sink.Order);
        Assert.Equal(9_991, sink["lightmetrics_host_processes_omitted"]);
        Assert.Equal(0, sink["lightmetrics_host_processes_omitted_cpu_seconds_total"] - FirstRoundOmitted());
        Assert.Equal(1, sink["node_processes_state{state=\"R\"}"]);
        Assert.Equal(9_999, sink["node_processes_state{state=\"S\"}"]);
        Assert.Equal(0, sink["node_processes_state{state=\"Z\"}"]);
        Assert.Equal(20_000, sink["node_processes_threads"]);
        Assert.Equal(10_000, sink["lightmetrics_host_processes_orphaned"]);

        // In the first round every process counts with all it ever used: each its own number of ticks, but the 16 with the most of either kind.
        static double FirstRoundOmitted() => Enumerable.Range(1, 10_000).Take(9_992).Sum() / 100.0;
    }

    [Fact]
    public void A_process_that_ended_is_not_counted()
    {
        tree.Write("proc/stat", Stat([0])).Write("proc/5/stat", Process(5, 'Z', 300, 0)).Write("proc/6/stat", Process(6, 'S', 500, 10));
        using var source = new ProcessesSource(tree.Roots, (1, 0), tree.Time, null);
        tree.Collect(source);
        tree.Delete("proc/6");
        Directory.CreateDirectory(tree.In("proc/7")); // ended between the listing and the look

        var sink = tree.Collect(source);

        Assert.Equal(1, sink["node_processes_pids"]);
        Assert.Equal(1, sink["node_processes_state{state=\"Z\"}"]);
        Assert.Empty(sink.Of("lightmetrics_host_process_cpu_seconds_total")); // nobody ran
    }

    [Fact]
    public void Five_thousand_mounts_stop_at_the_cap_and_the_rest_is_counted()
    {
        var mounts = new StringBuilder("/dev/sda1 / ext4 rw,relatime 0 0\noverlay /x overlay rw 0 0\n/dev/loop3 /snap ext4 ro 0 0\n");
        for (var i = 0; i < 5_000; i++)
        {
            mounts.Append(CultureInfo.InvariantCulture, $"/dev/sd{i} /data\\040{i} xfs rw 0 0\n");
        }

        tree.Write("proc/1/mounts", mounts.ToString());
        Directory.CreateDirectory(tree.In("data 4"));
        using var sampler = tree.NewSampler(Only(SourceCatalog.Filesystems));
        var sink = new RecordingSink();

        sampler.Collect(sink);

        Assert.Equal(7, sink.Order.Count(series => series.Contains("mountpoint=\"/\"", StringComparison.Ordinal)));
        Assert.Equal(0, sink["node_filesystem_device_error{device=\"/dev/sd4\",fstype=\"xfs\",mountpoint=\"/data 4\"}"]);
        Assert.Equal(1, sink["node_filesystem_device_error{device=\"/dev/sd5\",fstype=\"xfs\",mountpoint=\"/data 5\"}"]);
        Assert.DoesNotContain(sink.Order, series => series.Contains("overlay", StringComparison.Ordinal) || series.Contains("loop3", StringComparison.Ordinal));
        Assert.Equal(2000, sink.Order.Count(series => series.StartsWith("node_filesystem", StringComparison.Ordinal)));
        Assert.Equal((7 * 2) + (4_999 * 2) - 2000, sink["lmagent_source_omitted{source=\"filesystem\"}"]);
    }

    [Fact]
    public void A_thousand_interfaces_stop_at_the_cap_and_the_rest_is_counted()
    {
        tree.Write("proc/net/dev", NetDev(1_000));
        using var sampler = tree.NewSampler(Only(SourceCatalog.NetworkDevices));
        var sink = new RecordingSink();

        sampler.Collect(sink);

        Assert.Equal(2000, sink.Order.Count(series => series.StartsWith("node_network", StringComparison.Ordinal)));
        Assert.Equal(14_000, sink["lmagent_source_omitted{source=\"netdev\"}"]);
        Assert.DoesNotContain(sink.Order, series => series.Contains("\"lo\"", StringComparison.Ordinal));
    }

    [Fact]
    public void One_cap_holds_for_all_sources_together()
    {
        Laptop.Write(tree);
        using var sampler = tree.NewSampler(new SourcesSettings { SeriesMax = 50 });
        var sink = new RecordingSink();

        var count = sampler.Collect(sink);

        Assert.Equal(count, sink.Values.Count);
        Assert.Equal(50, sink.Order.Count(series => !series.StartsWith("lmagent_source", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_source_that_fails_costs_itself_alone_and_is_counted()
    {
        Laptop.Write(tree);
        using var sampler = tree.NewSampler(Only(SourceCatalog.Cpu, SourceCatalog.Memory, SourceCatalog.Disks));
        var good = new RecordingSink();
        sampler.Collect(good);
        tree.Write("proc/meminfo", "nonsense");

        var sink = new RecordingSink();
        sampler.Collect(sink);
        sink = new RecordingSink();
        sampler.Collect(sink);

        Assert.Equal(good.Of("node_cpu_seconds_total"), sink.Of("node_cpu_seconds_total"));
        Assert.DoesNotContain(sink.Order, series => series.StartsWith("node_memory", StringComparison.Ordinal));
        Assert.Equal(2, sink["lmagent_source_failures_total{source=\"meminfo\"}"]);
        Assert.DoesNotContain("lmagent_source_failures_total{source=\"cpu\"}", sink.Order);
    }

    [Fact]
    public void A_source_with_an_interval_of_its_own_rests_between()
    {
        Laptop.Write(tree);
        var settings = Only(SourceCatalog.Memory, SourceCatalog.Load);
        settings = settings with { All = [.. settings.All.Select(source => source.Name == SourceCatalog.Memory ? source with { Interval = TimeSpan.FromSeconds(60) } : source)] };
        using var sampler = tree.NewSampler(settings);
        var hasMemory = new List<bool>();
        for (var tick = 0; tick < 6; tick++)
        {
            var sink = new RecordingSink();
            sampler.Collect(sink);
            hasMemory.Add(sink.Values.ContainsKey("node_memory_MemTotal_bytes"));
            Assert.Contains("node_load1", sink.Order);
            tree.Time.Advance(TimeSpan.FromSeconds(15));
        }

        Assert.Equal([true, false, false, false, true, false], hasMemory);
    }

    [Fact]
    public void When_the_tick_has_no_time_left_those_who_were_not_asked_are_first_in_the_next()
    {
        var sources = Enumerable.Range(0, 4).Select(at => new SlowSource($"s{at}", tree.Time)).ToArray();
        using var sampler = new HostSampler(Array.ConvertAll(sources, source => new HostSource(source)), 100, tellsHealth: true, tree.Time, tree.Logger);

        for (var tick = 0; tick < 2; tick++)
        {
            sampler.Collect(new CountingSink(), TimeSpan.FromSeconds(2));
        }

        Assert.Equal([1, 1, 1, 1], sources.Select(source => source.RoundCount));
        Assert.Equal([1L, 1, 1, 1], sampler.Sources.Select(source => source.FailureCount));
    }

    [Fact]
    public void An_unreadable_number_costs_its_own_series_and_is_counted()
    {
        Laptop.Write(tree);
        tree.Write("proc/pressure/io", "some avg10=0.18 total=x\n");
        using var source = new PressureSource(tree.Roots.Proc);

        var sink = tree.Collect(source);

        Assert.Equal(3, sink.Values.Count);
        Assert.Equal(2, tree.LastOmitted);
    }

    [Fact]
    public void Whatever_the_files_hold_no_series_comes_twice_and_nothing_is_thrown()
    {
        Laptop.Write(tree);
        WriteProcesses(3);
        tree.Write("proc/net/dev", NetDev(2)).Write("proc/1/mounts", "/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /a\\040b ext4 ro 0 0\n")
            .Write("proc/net/arp", "h\n10.0.0.1 0x1 0x2 aa:bb * eth0\n").Write("etc/os-release", "NAME=\"A B\"\nVERSION_ID='1.2'\n");
        // The tree has links that lead back into it, as the kernel's has.
        var files = Directory.GetFiles(tree.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint });
        Array.Sort(files, StringComparer.Ordinal);
        Gen<(string File, int Change, int At, int Value)> edits =
            from file in Gen.Elements(files)
            from change in Gen.Choose(0, 4)
            from at in Gen.Choose(0, 10_000)
            from value in Gen.Choose(0, 255)
            select (file, change, at, value);

        Prop.ForAll(Arb.From(edits), edit => CollectWith(edit.File, edit.Change, edit.At, (byte)edit.Value)).QuickCheckThrowOnFailure();
    }

    private void CollectWith(string file, int change, int at, byte value)
    {
        var whole = File.ReadAllBytes(file);
        var lines = Encoding.Latin1.GetString(whole).Split('\n');
        at %= Math.Max(1, change < 3 ? whole.Length : lines.Length);
        var changed = change switch
        {
            0 => whole.AsSpan(0, at).ToArray(),
            1 => [.. whole.AsSpan(0, at), value, .. whole.AsSpan(at)],
            2 => [.. whole.AsSpan(0, at), value, .. whole.AsSpan(Math.Min(at + 1, whole.Length))],
            3 => Encoding.Latin1.GetBytes(string.Join('\n', [.. lines[..at], lines[at], .. lines[at..]])),
            _ => Encoding.Latin1.GetBytes(string.Join('\n', [.. lines[..at], .. lines[(at + 1)..]])),
        };
        Put(file, changed);
        using var sampler = tree.NewSampler();
        sampler.Collect(new RecordingSink());
        sampler.Collect(new RecordingSink());
        Put(file, whole);

        static void Put(string path, byte[] content)
        {
            using var stream = File.Create(path);
            stream.Write(content);
        }
    }

    private static SourcesSettings Only(params string[] names) =>
        new() { All = [.. SourceCatalog.Defaults.Select(source => source with { IsEnabled = names.Contains(source.Name) })] };

    private static string Stat(IEnumerable<int> cpus)
    {
        var text = new StringBuilder("cpu  1 2 3 4 5 6 7 8 9 10\n");
        foreach (var cpu in cpus)
        {
            text.Append(CultureInfo.InvariantCulture, $"cpu{cpu} 1 2 3 4 5 6 7 8 9 10\n");
        }

        return text.Append("intr 17 0 9\nctxt 5\nbtime 1418183276\nprocesses 9\nprocs_running 2\nprocs_blocked 1\n").ToString();
    }

    private static string NetDev(int count)
    {
        var text = new StringBuilder("Inter-|   Receive                                                |  Transmit\n"
            + " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
        for (var i = 0; i < count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  eth{i}: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
        }

        return text.ToString();
    }

    private static string Process(int pid, char state, int ticks, int pages) =>
        $"{pid} (p{pid}) {state} 1 1 1 0 -1 4194304 0 0 0 0 {ticks} 0 0 0 20 0 2 0 400 1000000 {pages} 18446744073709551615 0 0\n";

    private void WriteProcesses(int count)
    {
        for (var pid = 1; pid <= count; pid++)
        {
            tree.Write($"proc/{pid}/stat", Process(pid, 'S', ticks: pid, pages: pid));
        }
    }

    private sealed class SlowSource(string name, Lm.TestKit.ManualTime time) : IMetricSource
    {
        public string Name => name;

        public int RoundCount { get; private set; }

        public SourceOutcome Collect(ISampleSink sink)
        {
            RoundCount++;
            time.Advance(TimeSpan.FromSeconds(1));
            return SourceOutcome.Added(0);
        }
    }
}
