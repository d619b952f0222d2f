using System.Diagnostics;
using System.Globalization;
using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;

namespace Lm.Agent.Tests.HostMetrics;

/// <summary>The sampler on the machine that runs the tests, against what other ways of asking say.</summary>
public sealed class HostSamplerLiveTests
{
    private readonly ListLogger logger = new();

    [Fact]
    public void Every_source_works_here_and_says_what_others_say()
    {
        var sink = Collect(out var sampler);

        Assert.Empty(logger.Lines);
        Assert.All(sampler.Sources, source => Assert.Equal(0, source.FailureCount));
        var memoryTotal = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        Assert.Equal(double.Parse(memoryTotal, CultureInfo.InvariantCulture) * 1024, sink["node_memory_MemTotal_bytes"]);
        Assert.InRange(sink["node_memory_MemAvailable_bytes"], 1, sink["node_memory_MemTotal_bytes"]);
        var drive = new DriveInfo(Path.GetTempPath());
        Assert.Equal(drive.TotalSize, sink["lmagent_queue_filesystem_size_bytes"]);
        Assert.InRange(sink["lmagent_queue_filesystem_avail_bytes"], 0, drive.TotalSize);
    }

    [Fact]
    public void The_agents_own_CPU_time_and_memory_are_those_of_this_process()
    {
        var before = Environment.CpuUsage.TotalTime.TotalSeconds;
        var sink = Collect(out _);
        var after = Environment.CpuUsage.TotalTime.TotalSeconds;

        // User and kernel time are each cut to a tick of 10 ms.
        Assert.InRange(sink["lmagent_process_cpu_seconds_total"], before - 0.05, after + 0.05);
        Assert.InRange(sink["lmagent_process_resident_memory_bytes"], Environment.WorkingSet / 4.0, Environment.WorkingSet * 4.0);
    }

    [Fact]
    public void CPU_series_are_those_of_the_online_CPUs()
    {
        var sink = Collect(out _);

        var online = File.ReadLines("/proc/stat").Count(line => line.StartsWith("cpu", StringComparison.Ordinal) && char.IsAsciiDigit(line[3])
            && int.Parse(line.Split(' ')[0].AsSpan(3), CultureInfo.InvariantCulture) < CpuSource.CpuMax);
        Assert.Equal(online * 8, sink.Of("node_cpu_seconds_total").Length);
        Assert.True(sink["lightmetrics_host_cpu_seconds_total{mode=\"user\"}"] > 0);
    }

    [Fact]
    public void Start_times_of_processes_lie_between_boot_and_now()
    {
        var sink = Collect(out _);

        var boot = long.Parse(File.ReadLines("/proc/stat").First(line => line.StartsWith("btime ", StringComparison.Ordinal)).AsSpan(6), CultureInfo.InvariantCulture);
        var starts = sink.Labels.Where(label => label.Name == "start_time").Select(label => long.Parse(label.Value, CultureInfo.InvariantCulture)).ToArray();
        Assert.NotEmpty(starts);
        Assert.All(starts, start => Assert.InRange(start, boot - 2, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 2));
    }

    [Fact]
    public void All_processes_that_the_kernel_lists_are_chosen_or_omitted()
    {
        var before = CountProcesses();
        var sink = Collect(out _);
        var after = CountProcesses();

        var counted = sink.Of("lightmetrics_host_process_cpu_seconds_total").Length + sink["lightmetrics_host_processes_omitted"];
        // Others start and end processes meanwhile.
        Assert.InRange(counted, Math.Min(before, after) - 100, Math.Max(before, after) + 100);
    }

    [Fact]
    public void Of_processes_that_end_nothing_stays_open_and_nothing_is_told()
    {
        const int All = 4096;
        using var source = new ProcessesSource(HostRoots.OfThisHost(), (All, All), TimeProvider.System, null);
        using var child = Process.Start("sleep", "600");
        var pid = child.Id.ToString(CultureInfo.InvariantCulture);
        for (var round = 0; round < 2; round++)
        {
            Assert.Contains(Collect(source).Labels, label => label.Name == "pid" && label.Value == pid);
        }

        var kept = source.KeptCount;
        Assert.InRange(kept, 2, 256);
        child.Kill();
        child.WaitForExit();

        Assert.DoesNotContain(Collect(source).Labels, label => label.Name == "pid" && label.Value == pid);
        source.Dispose();
        Assert.Equal(0, source.KeptCount);

        static RecordingSink Collect(ProcessesSource from)
        {
            var sink = new RecordingSink();
            Assert.True(from.Collect(sink).Fault.IsNone);
            return sink;
        }
    }

    private static int CountProcesses() => Directory.GetDirectories("/proc").Count(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]));

    private RecordingSink Collect(out HostSampler sampler)
    {
        sampler = new HostSampler(new ProcFs(), Path.GetTempPath(), TimeProvider.System, logger);
        return ProcTree.Collect(sampler);
    }
}
