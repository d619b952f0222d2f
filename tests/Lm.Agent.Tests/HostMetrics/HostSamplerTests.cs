using System.Text;
using Lm.Agent.HostMetrics;
using Lm.Protocol;

namespace Lm.Agent.Tests.HostMetrics;

public sealed class HostSamplerTests
{
    public static TheoryData<string> Cases => [.. ProcTree.Cases];

    [Theory]
    [MemberData(nameof(Cases))]
    public void No_tree_gives_more_than_the_cap_or_labels_beyond_the_floors(string name)
    {
        using var tree = ProcTree.Of(name);

        var sink = tree.Collect();

        Assert.InRange(sink.Values.Count, 1, HostSampler.SeriesMax);
        Assert.Equal(1, sink["lmagent_up"]);
        Assert.All(sink.Values.Values, value => Assert.True(double.IsFinite(value) && value >= 0));
        Assert.All(sink.Labels, label => Assert.InRange(Encoding.UTF8.GetByteCount(label.Value), 0, Limits.LabelValueBytesFloor));
        Assert.All(sink.Labels, label => Assert.InRange(Encoding.UTF8.GetByteCount(label.Name), 1, Limits.LabelKeyBytesFloor));
        // U+FFFD comes back for a lone surrogate: equal means the string was valid.
        Assert.All(sink.Labels, label => Assert.Equal(label.Value, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(label.Value))));
    }

    [Fact]
    public void Sixteen_CPUs_many_interfaces_and_many_processes_give_exactly_107_series()
    {
        using var tree = ProcTree.CopyOf("many-processes");
        using var cpus = ProcTree.Of("sixteen-cpus");
        using var interfaces = ProcTree.Of("many-interfaces");
        // The fixture's CPU 3 is offline: it takes CPU 8's line, so that the ids 0 to 7 are all there.
        tree.Write("stat", cpus.Read("stat").Replace("cpu4 ", "cpu3 1 2 3 4 5 6 7 8 0 0\ncpu4 ", StringComparison.Ordinal));
        tree.Write("net/dev", interfaces.Read("net/dev"));

        var sink = tree.Collect();

        Assert.Equal(107, HostSampler.SeriesMax);
        Assert.Equal(107, sink.Values.Count);
        Assert.Equal(64, sink.Of("node_cpu_seconds_total").Length);
        Assert.Equal(8, sink.Of("lightmetrics_host_cpu_seconds_total").Length);
        Assert.Equal(8, sink.Of("node_network_receive_bytes_total").Length + sink.Of("node_network_transmit_bytes_total").Length);
        Assert.Equal(8, sink.Of("lightmetrics_host_process_cpu_seconds_total").Length);
    }

    [Fact]
    public void Every_metric_has_its_type_unit_and_help()
    {
        using var tree = ProcTree.Of("sixteen-cpus");

        var sink = tree.Collect();

        Assert.Equal(17, sink.Metrics.Count);
        Assert.All(sink.Metrics.Values, metric =>
        {
            Assert.Equal(metric.Name.EndsWith("_total", StringComparison.Ordinal) ? MetricType.Counter : MetricType.Gauge, metric.Type);
            Assert.Equal(metric.Name.Contains("_seconds", StringComparison.Ordinal) ? "seconds" : metric.Name.Contains("_bytes", StringComparison.Ordinal) ? "bytes" : "", metric.Unit);
            Assert.EndsWith(".", metric.Help, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void CPUs_above_seven_and_offline_ones_have_no_series()
    {
        using var tree = ProcTree.Of("sixteen-cpus");

        var sink = tree.Collect();

        Assert.Equal(7 * 8, sink.Of("node_cpu_seconds_total").Length);
        Assert.Equal(1.07, sink["node_cpu_seconds_total{cpu=\"7\",mode=\"user\"}"]);
        Assert.DoesNotContain("node_cpu_seconds_total{cpu=\"3\",mode=\"user\"}", sink.Order);
        Assert.DoesNotContain("node_cpu_seconds_total{cpu=\"8\",mode=\"user\"}", sink.Order);
        Assert.Equal(400, sink["lightmetrics_host_cpu_seconds_total{mode=\"idle\"}"]);
        Assert.Equal(0.08, sink["lightmetrics_host_cpu_seconds_total{mode=\"steal\"}"]);
    }

    [Fact]
    public void A_CPU_that_goes_offline_takes_its_series_along_and_brings_them_back()
    {
        using var tree = ProcTree.CopyOf("sixteen-cpus");
        var sampler = tree.NewSampler();
        var before = ProcTree.Collect(sampler).Of("node_cpu_seconds_total");
        var stat = tree.Read("stat");

        tree.Write("stat", stat.Replace("cpu5 105 2 30 4000 5 1 2 3 0 0\n", "", StringComparison.Ordinal));
        var without = ProcTree.Collect(sampler).Of("node_cpu_seconds_total");
        tree.Write("stat", stat);

        Assert.Equal(before.Where(series => !series.Contains("cpu=\"5\"", StringComparison.Ordinal)), without);
        Assert.Equal(before, ProcTree.Collect(sampler).Of("node_cpu_seconds_total"));
    }

    [Fact]
    public void An_old_kernel_gives_the_modes_that_it_has()
    {
        using var tree = ProcTree.Of("linux-2.4");

        var sink = tree.Collect();

        Assert.Equal(["user", "nice", "system", "idle"], sink.Of("lightmetrics_host_cpu_seconds_total").Select(series => series.Split('"')[1]));
        Assert.Equal((30344 + 1024 + 20480) * 1024.0, sink["node_memory_MemAvailable_bytes"]);
        Assert.Equal(1234567890123, sink["node_network_receive_bytes_total{device=\"eth0\"}"]);
        Assert.Equal(6, sink["node_network_transmit_bytes_total{device=\"eth0:1\"}"]);
        Assert.Contains("lightmetrics_host_process_cpu_seconds_total{pid=\"1\",start_time=\"1100000000\",comm=\"init\"}", sink.Order);
        Assert.Empty(tree.Logger.Lines);
    }

    [Fact]
    public void A_container_shows_what_lxcfs_gives_it()
    {
        using var tree = ProcTree.Of("lxcfs");

        var sink = tree.Collect();

        Assert.Equal(16, sink.Of("node_cpu_seconds_total").Length);
        Assert.Equal(524288 * 1024.0, sink["node_memory_MemTotal_bytes"]);
        Assert.Equal(0, sink["node_load1"]);
        Assert.Empty(tree.Logger.Lines);
    }

    [Fact]
    public void Without_MemAvailable_free_buffers_and_cache_stand_for_it()
    {
        using var tree = ProcTree.Of("no-memavailable");

        var sink = tree.Collect();

        Assert.Equal(1_000_000 * 1024.0, sink["node_memory_MemTotal_bytes"]);
        Assert.Equal(630_000 * 1024.0, sink["node_memory_MemAvailable_bytes"]);
    }

    [Fact]
    public void Physical_interfaces_take_the_places_by_name()
    {
        using var tree = ProcTree.Of("many-interfaces");

        var sink = tree.Collect();

        Assert.Equal(["enp3s0", "eth1", "eth10", "wlan0"], sink.Of("node_network_receive_bytes_total").Select(series => series.Split('"')[1]));
        Assert.Equal(1007, sink["node_network_receive_bytes_total{device=\"enp3s0\"}"]);
        Assert.Equal(2004, sink["node_network_transmit_bytes_total{device=\"wlan0\"}"]);
    }

    [Fact]
    public void Loopback_comes_last_and_passing_interfaces_before_it()
    {
        using var tree = ProcTree.Of("passing-interfaces");

        var sink = tree.Collect();

        Assert.Equal(["eth0", "virbr0", "tap0", "veth2"], sink.Of("node_network_receive_bytes_total").Select(series => series.Split('"')[1]));
    }

    [Fact]
    public void Loopback_is_there_while_there_is_room()
    {
        using var tree = ProcTree.Of("one-cpu");

        Assert.Equal(111, tree.Collect()["node_network_receive_bytes_total{device=\"lo\"}"]);
    }

    [Fact]
    public void Eight_processes_are_chosen_by_memory_then_CPU_then_id_and_the_others_counted()
    {
        using var tree = ProcTree.Of("many-processes");

        var sink = tree.Collect();

        string[] expected = ["109", "103", "104", "101", "100", "102", "107", "108"];
        Assert.Equal(expected, sink.Of("lightmetrics_host_process_cpu_seconds_total").Select(series => series.Split('"')[1]));
        Assert.Equal(expected, sink.Of("lightmetrics_host_process_resident_memory_bytes").Select(series => series.Split('"')[1]));
        Assert.Equal(7000 * 4096.0, sink["lightmetrics_host_process_resident_memory_bytes{pid=\"109\",start_time=\"1700000009\",comm=\"p9\"}"]);
        Assert.Equal(0.2, sink["lightmetrics_host_process_cpu_seconds_total{pid=\"101\",start_time=\"1700000001\",comm=\"p1\"}"]);
        // Four user processes, five kernel threads and a zombie; the one whose stat is gone does not count.
        Assert.Equal(4 + 5 + 1, sink["lightmetrics_host_processes_omitted"]);
    }

    [Fact]
    public void Process_names_may_hold_parentheses_newlines_and_bytes_that_are_not_UTF8()
    {
        using var tree = ProcTree.Of("odd-names");

        var names = tree.Collect().Of("lightmetrics_host_process_resident_memory_bytes").Select(series => series.Split('"')[5]).ToArray();

        Assert.Equal(["a) (b", "two\uFFFDlines", "\uFFFD\uFFFD bad", "", ") R 1 2 3 (", "naïve", "\uFFFD[31mred", "lm-agent"], names);
    }

    [Fact]
    public void A_process_that_executes_another_program_gets_its_new_name_and_a_reused_id_its_new_start()
    {
        using var tree = ProcTree.CopyOf("one-cpu");
        var sampler = tree.NewSampler();
        ProcTree.Collect(sampler);
        var init = tree.Read("1/stat");

        tree.Write("1/stat", init.Replace("(systemd)", "(sh)", StringComparison.Ordinal));
        var renamed = ProcTree.Collect(sampler);
        tree.Write("1/stat", init.Replace(" 1 0 3 ", " 1 0 70000 ", StringComparison.Ordinal));
        var reused = ProcTree.Collect(sampler);

        Assert.Contains("lightmetrics_host_process_cpu_seconds_total{pid=\"1\",start_time=\"1700000000\",comm=\"sh\"}", renamed.Order);
        Assert.Contains("lightmetrics_host_process_cpu_seconds_total{pid=\"1\",start_time=\"1700000700\",comm=\"systemd\"}", reused.Order);
    }

    [Fact]
    public void Start_times_stay_when_the_clock_is_steered_and_move_when_it_is_set()
    {
        using var tree = ProcTree.CopyOf("one-cpu");
        var sampler = tree.NewSampler();
        ProcTree.Collect(sampler);

        tree.Write("stat", tree.Read("stat").Replace("btime 1700000000", "btime 1700000001", StringComparison.Ordinal));
        tree.Time.JumpWallClock(TimeSpan.FromSeconds(1));
        tree.Time.Advance(TimeSpan.FromHours(30));
        var steered = ProcTree.Collect(sampler);
        tree.Write("stat", tree.Read("stat").Replace("btime 1700000001", "btime 1700009000", StringComparison.Ordinal));
        tree.Time.JumpWallClock(TimeSpan.FromSeconds(8999));
        var set = ProcTree.Collect(sampler);

        Assert.Contains(steered.Order, series => series.Contains("start_time=\"1700000000\",comm=\"systemd\"", StringComparison.Ordinal));
        Assert.Contains(set.Order, series => series.Contains("start_time=\"1700009000\",comm=\"systemd\"", StringComparison.Ordinal));
    }

    [Fact]
    public void Numbers_up_to_two_to_the_64th_are_taken()
    {
        using var tree = ProcTree.Of("huge-numbers");

        var sink = tree.Collect();

        Assert.Equal(ulong.MaxValue, sink["node_network_receive_bytes_total{device=\"eth0\"}"]);
        Assert.Equal(9223372036854775809, sink["node_network_transmit_bytes_total{device=\"eth0\"}"]);
        Assert.Equal(ulong.MaxValue / 100.0, sink["node_cpu_seconds_total{cpu=\"0\",mode=\"user\"}"]);
        Assert.Empty(tree.Logger.Lines);
    }

    [Fact]
    public void Numbers_beyond_64_bits_cost_their_sources()
    {
        using var tree = ProcTree.Of("numbers-beyond-64-bits");
        var sampler = tree.NewSampler();

        var sink = ProcTree.Collect(sampler);

        Assert.Equal(["cpu", "memory", "network"], Failing(sampler));
        Assert.Equal(0.20, sink["node_load1"]);
    }

    [Theory]
    [InlineData("empty-files")]
    [InlineData("truncated")]
    [InlineData("garbage")]
    public void Files_without_sense_cost_their_sources_and_nothing_else(string name)
    {
        using var tree = ProcTree.Of(name);
        var sampler = tree.NewSampler();

        var sink = ProcTree.Collect(sampler);

        Assert.Equal(["cpu", "memory", "load", "network", "self", "process"], Failing(sampler));
        Assert.Equal(["lmagent_up", "lmagent_queue_filesystem_size_bytes", "lmagent_queue_filesystem_avail_bytes"], sink.Order);
    }

    [Fact]
    public void Missing_files_cost_their_sources_and_nothing_else()
    {
        using var tree = ProcTree.Of("missing-files");
        var sampler = tree.NewSampler();

        var sink = ProcTree.Collect(sampler);

        Assert.Equal(["cpu", "memory", "network", "self", "process"], Failing(sampler));
        Assert.Equal([1.5, 1.25, 1], [sink["node_load1"], sink["node_load5"], sink["node_load15"]]);
        Assert.Contains($"1100 Warning: Host metrics source cpu gives no samples until it works again: {tree.Root}/stat: No such file or directory (errno 2).", tree.Logger.Lines);
    }

    [Theory]
    [InlineData("stat", "cpu", 16)]
    [InlineData("meminfo", "memory", 2)]
    [InlineData("loadavg", "load", 3)]
    [InlineData("net/dev", "network", 4)]
    [InlineData("self/statm", "self", 2)]
    public void A_source_is_counted_at_every_failing_tick_and_logged_when_that_begins_and_ends(string file, string source, int seriesCount)
    {
        using var tree = ProcTree.CopyOf("one-cpu");
        var sampler = tree.NewSampler();
        var whole = ProcTree.Collect(sampler);
        var text = tree.Read(file);

        tree.Delete(file);
        var first = ProcTree.Collect(sampler);
        ProcTree.Collect(sampler);
        tree.Write(file, "nonsense");
        ProcTree.Collect(sampler);
        tree.Write(file, text);
        var after = ProcTree.Collect(sampler);

        Assert.Equal(whole.Values.Count - seriesCount, first.Values.Count);
        Assert.Equal(whole.Order, after.Order);
        Assert.Equal(3, sampler.Sources.Single(each => each.Name == source).FailureCount);
        Assert.Equal(3, sampler.Sources.Sum(each => each.FailureCount));
        Assert.Equal(2, tree.Logger.Lines.Count);
        Assert.StartsWith($"1100 Warning: Host metrics source {source} gives no samples until it works again: {tree.Root}/{file}: ", tree.Logger.Lines[0], StringComparison.Ordinal);
        Assert.Equal($"1101 Information: Host metrics source {source} works again after 3 ticks without samples.", tree.Logger.Lines[1]);
    }

    [Fact]
    public void A_process_file_without_sense_counts_as_one_of_the_others()
    {
        using var tree = ProcTree.CopyOf("one-cpu");
        tree.Write("77/statm", "9000 100000 1 2 3 4 5\n");
        tree.Write("77/stat", "77 (half");
        tree.Write("78/statm", "half");

        var sink = tree.Collect();

        Assert.Equal(3, sink["lightmetrics_host_processes_omitted"]); // these two, and kthreadd
        Assert.Equal(2, sink.Of("lightmetrics_host_process_cpu_seconds_total").Length);
    }

    [Fact]
    public void A_process_that_ends_between_its_two_files_is_not_counted()
    {
        using var tree = ProcTree.CopyOf("one-cpu");
        tree.Delete("900/stat");

        var sink = tree.Collect();

        Assert.Equal(1, sink["lightmetrics_host_processes_omitted"]);
        Assert.Single(sink.Of("lightmetrics_host_process_cpu_seconds_total"));
    }

    [Fact]
    public void A_missing_queue_folder_costs_its_two_series()
    {
        using var tree = ProcTree.Of("one-cpu");
        var sampler = new HostSampler(new ProcFs(tree.Root), Path.Combine(tree.Root, "no-such-folder"), tree.Time, tree.Logger, ProcTree.Units);

        var sink = ProcTree.Collect(sampler);

        Assert.Equal(["queue_filesystem"], Failing(sampler));
        Assert.DoesNotContain("lmagent_queue_filesystem_size_bytes", sink.Order);
    }

    [Fact]
    public void A_tick_allocates_nothing_in_the_steady_state()
    {
        using var tree = ProcTree.Of("many-processes");
        var sampler = tree.NewSampler(new ProcessChanges());
        var sink = new CountingSink();
        sampler.Collect(sink);
        sampler.Collect(sink);

        Assert.InRange(LeastAllocated(() => sampler.Collect(sink)), 0, 256);
    }

    [Fact]
    public void A_tick_in_which_every_source_fails_again_allocates_nothing()
    {
        using var tree = ProcTree.Of("garbage");
        var sampler = tree.NewSampler();
        var sink = new CountingSink();
        sampler.Collect(sink);
        sampler.Collect(sink);

        Assert.InRange(LeastAllocated(() => sampler.Collect(sink)), 0, 256);
    }

    // The least of several: a collection that another test's thread causes retires this thread's allocation context, whose rest then counts as allocated.
    private static long LeastAllocated(Action tick) => Enumerable.Range(0, 10).Min(_ =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        tick();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });

    private static string[] Failing(HostSampler sampler) => [.. sampler.Sources.Where(source => !source.Fault.IsNone).Select(source => source.Name)];
}
