using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;

namespace Lm.Agent.Tests.HostMetrics.Node;

public sealed class ContainersSourceTests : IDisposable
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly HostTree tree = new();

    public void Dispose() => tree.Dispose();

    [Fact]
    public void Containers_of_cgroup_version_2_have_cAdvisors_series()
    {
        const string Path = $"/system.slice/docker-{Id}.scope";
        tree.Write("sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
        WriteVersion2(Path);
        tree.Write($"sys/fs/cgroup/system.slice/ssh.service/memory.current", "1\n").Write($"sys/fs/cgroup/machine.slice/libpod-conmon-{Id}.scope/memory.current", "1\n");

        var sink = Collect();

        const string Labels = $"id=\"{Path}\",name=\"0123456789ab\"";
        Assert.Equal(1.5, sink[$"container_cpu_usage_seconds_total{{cpu=\"total\",{Labels}}}"]);
        Assert.Equal(1, sink[$"container_cpu_user_seconds_total{{{Labels}}}"]);
        Assert.Equal(0.25, sink[$"container_cpu_cfs_throttled_seconds_total{{{Labels}}}"]);
        Assert.Equal(1_000_000, sink[$"container_memory_usage_bytes{{{Labels}}}"]);
        Assert.Equal(900_000, sink[$"container_memory_working_set_bytes{{{Labels}}}"]);
        Assert.Equal(400_000, sink[$"container_memory_rss{{{Labels}}}"]);
        Assert.Equal(0, sink[$"container_spec_memory_limit_bytes{{{Labels}}}"]);
        Assert.Equal(4, sink[$"container_oom_events_total{{{Labels}}}"]);
        Assert.Equal(2, sink[$"container_memory_events_total{{event=\"max\",{Labels}}}"]);
        Assert.Equal(2, sink[$"container_memory_failcnt{{{Labels}}}"]);
        Assert.Equal(7, sink[$"container_threads{{{Labels}}}"]);
        Assert.Equal(110, sink[$"container_fs_reads_bytes_total{{{Labels}}}"]);
        Assert.Equal(44, sink[$"container_fs_writes_total{{{Labels}}}"]);
        Assert.All(sink.Order, series => Assert.Contains(Id, series, StringComparison.Ordinal));
    }

    [Fact]
    public void Containers_of_cgroup_version_1_have_the_same_names()
    {
        const string Path = $"/docker/{Id}";
        foreach (var (file, text) in new[]
        {
            ("memory/cgroup.procs", ""), ($"memory{Path}/memory.usage_in_bytes", "1000000\n"), ($"memory{Path}/memory.limit_in_bytes", "9223372036854771712\n"),
            ($"memory{Path}/memory.stat", "cache 1\ninactive_file 3\ntotal_cache 500000\ntotal_rss 400000\ntotal_inactive_file 100000\n"), ($"memory{Path}/memory.failcnt", "5\n"),
            ($"memory{Path}/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), ($"cpuacct{Path}/cpuacct.usage", "1500000000\n"),
            ($"cpuacct{Path}/cpuacct.stat", "user 100\nsystem 50\n"), ($"cpu{Path}/cpu.stat", "nr_periods 8\nnr_throttled 2\nthrottled_time 250000000\n"),
            ($"pids{Path}/pids.current", "7\n"), ($"pids{Path}/pids.max", "max\n"), ($"blkio{Path}/blkio.throttle.io_service_bytes", "254:0 Read 100\n254:0 Write 20\n254:0 Total 120\nTotal 120\n"),
        })
        {
            tree.Write($"sys/fs/cgroup/{file}", text);
        }

        var sink = Collect();

        const string Labels = $"id=\"{Path}\",name=\"0123456789ab\"";
        Assert.Equal(1.5, sink[$"container_cpu_usage_seconds_total{{cpu=\"total\",{Labels}}}"]);
        Assert.Equal(0.5, sink[$"container_cpu_system_seconds_total{{{Labels}}}"]);
        Assert.Equal(0.25, sink[$"container_cpu_cfs_throttled_seconds_total{{{Labels}}}"]);
        Assert.Equal(900_000, sink[$"container_memory_working_set_bytes{{{Labels}}}"]);
        Assert.Equal(500_000, sink[$"container_memory_cache{{{Labels}}}"]);
        Assert.Equal(0, sink[$"container_spec_memory_limit_bytes{{{Labels}}}"]);
        Assert.Equal(5, sink[$"container_memory_failcnt{{{Labels}}}"]);
        Assert.Equal(3, sink[$"container_oom_events_total{{{Labels}}}"]);
        Assert.Equal(100, sink[$"container_fs_reads_bytes_total{{{Labels}}}"]);
    }

    [Fact]
    public void A_container_that_ends_takes_its_series_along_and_a_new_one_is_found_within_15_seconds()
    {
        tree.Write("sys/fs/cgroup/cgroup.controllers", "memory\n");
        WriteVersion2($"/docker/{Id}");
        using var source = new ContainersSource(tree.Roots, NamePatterns.All, tree.Time);
        Assert.NotEmpty(tree.Collect(source).Order);

        tree.Delete($"sys/fs/cgroup/docker/{Id}");
        Assert.Empty(tree.Collect(source).Order);

        WriteVersion2("/lxc.payload.web");
        tree.Time.Advance(TimeSpan.FromSeconds(15));
        Assert.Contains("container_memory_rss{id=\"/lxc.payload.web\",name=\"web\"}", tree.Collect(source).Order);
    }

    [Theory]
    [InlineData($"/docker/{Id}", "0123456789ab")]
    [InlineData($"/system.slice/docker-{Id}.scope", "0123456789ab")]
    [InlineData($"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{Id}.scope", "0123456789ab")]
    [InlineData($"/kubepods/burstable/pod6b/{Id}", "0123456789ab")]
    [InlineData($"/machine.slice/libpod-{Id}.scope", "0123456789ab")]
    [InlineData("/lxc/db", "db")]
    [InlineData("/machine.slice/systemd-nspawn@build.service", "build")]
    public void Runtimes_name_their_cgroups_so(string path, string name)
    {
        Assert.True(ContainerName.TryFind(path, out var found, out _));
        Assert.Equal(name, found);
    }

    [Theory]
    [InlineData("/system.slice/ssh.service")]
    [InlineData($"/machine.slice/libpod-conmon-{Id}.scope")]
    [InlineData("/kubepods/burstable/pod6b")]
    [InlineData("/user.slice")]
    public void Other_cgroups_are_no_containers(string path) => Assert.False(ContainerName.TryFind(path, out _, out _));

    private RecordingSink Collect()
    {
        using var source = new ContainersSource(tree.Roots, NamePatterns.All, tree.Time);
        return tree.Collect(source);
    }

    private void WriteVersion2(string path)
    {
        foreach (var (file, text) in new[]
        {
            ("cpu.stat", "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 8\nnr_throttled 2\nthrottled_usec 250000\n"), ("memory.current", "1000000\n"),
            ("memory.max", "max\n"), ("memory.stat", "anon 400000\nfile 500000\nfile_mapped 9\ninactive_file 100000\n"), ("memory.swap.current", "0\n"),
            ("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n"), ("pids.current", "7\n"), ("pids.max", "max\n"),
            ("io.stat", "254:0 rbytes=100 wbytes=20 rios=3 wios=4 dbytes=0 dios=0\n8:0 rbytes=10 wbytes=0 rios=0 wios=40\n"),
        })
        {
            tree.Write($"sys/fs/cgroup{path}/{file}", text);
        }
    }
}
