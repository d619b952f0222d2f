using System.Globalization;
using System.Runtime.InteropServices;

namespace Lm.EndToEnd.Tests;

public sealed class DiskFaultTests
{
    [Fact]
    public async Task A_full_disk_under_the_spool_refuses_batches_until_there_is_room_without_a_restart()
    {
        await using var fleet = new Fleet();
        await using var disk = await SmallDisk.MountAsync(fleet.In("spool"), megabytes: 4);
        disk.Fill();
        disk.MakeRoom(128 << 10); // less than the zeros that the spool writes ahead where there is room: those would take minutes to fill
        await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await Eventually.BecomesAsync("a heartbeat is there", fleet.HeartbeatsAsync, count => count > 0, () => agent.HasEnded ? agent.Output : null);

        await Eventually.TrueAsync(
            "the agent hears that the spool is full",
            () => Task.FromResult(agent.Output.Contains("spool_full", StringComparison.Ordinal)),
            () => agent.HasEnded ? agent.Output : null);

        Assert.False(fleet.Collector.HasEnded, fleet.Collector.Output);
        var before = await fleet.HeartbeatsAsync();
        disk.MakeRoom();
        await Eventually.BecomesAsync("heartbeats come again", fleet.HeartbeatsAsync, count => count >= before + 5, () => agent.HasEnded ? agent.Output : null);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
        var (code, output) = await fleet.RunAgentAsync("--flush");
        Assert.True(code == 0, output);
        await fleet.Collector.StopAsync(Signal.Kill);
        await fleet.StartCollectorAsync();
        var queue = Assert.Single((await fleet.AgentAsync()).GetProperty("queues").EnumerateArray());
        Assert.Equal(0, queue.GetProperty("gaps").GetInt64() + queue.GetProperty("pending").GetInt64());
        Assert.Equal(queue.GetProperty("highest_seq").GetInt64(), await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task A_full_disk_under_the_queue_does_not_end_the_daemon_and_it_goes_on_when_there_is_room()
    {
        await using var fleet = new Fleet();
        await using var disk = await SmallDisk.MountAsync(fleet.In("queue"), megabytes: 4);
        var agent = fleet.StartDaemon();
        await Eventually.TrueAsync(
            "the queue exists",
            () => Task.FromResult(Directory.EnumerateFiles(fleet.In("queue"), "*.seg", SearchOption.AllDirectories).Any()),
            () => agent.HasEnded ? agent.Output : null);
        disk.Fill();
        await Eventually.TrueAsync(
            "the agent says that there is no room",
            () => Task.FromResult(agent.Output.Contains("No space left", StringComparison.OrdinalIgnoreCase)),
            () => agent.HasEnded ? agent.Output : null);

        disk.MakeRoom();

        await fleet.StartCollectorAsync();
        var before = await fleet.HeartbeatsAsync();
        await Eventually.BecomesAsync("heartbeats come again", fleet.HeartbeatsAsync, count => count >= before + 3, () => agent.HasEnded ? agent.Output : null);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
    }

    [Fact]
    public async Task A_failing_sync_of_the_spool_is_never_acknowledged_and_passes_without_a_restart()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        Assert.Equal(0, (await fleet.RunAgentAsync("--once")).ExitCode);
        var trace = fleet.In("trace");
        var strace = fleet.Start(
            "strace", "-f", "-qq", "-o", trace, "-p", fleet.Collector.Id.ToString(CultureInfo.InvariantCulture),
            "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-e", "inject=fsync,fdatasync,sync_file_range,msync:error=EIO");
        await Eventually.TrueAsync(
            "strace is attached",
            async () => (await File.ReadAllTextAsync($"/proc/{fleet.Collector.Id}/status", TestContext.Current.CancellationToken))
                .Contains($"TracerPid:\t{strace.Id}", StringComparison.Ordinal),
            () => strace.HasEnded ? strace.Output : null);

        var agent = fleet.Start(Programs.Agent, "--once", fleet.AgentToml);
        await Eventually.TrueAsync(
            "the batch is refused",
            () => Task.FromResult(agent.Output.Contains("503", StringComparison.Ordinal)),
            () => agent.HasEnded ? agent.Output : null);

        await agent.StopAsync(Signal.Kill);
        await strace.StopAsync(Signal.Interrupt);
        Assert.Contains("INJECTED", await File.ReadAllTextAsync(trace, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(1, await fleet.HeartbeatsAsync());
        var (again, againOutput) = await fleet.RunAgentAsync("--flush");
        Assert.True(again == 0, againOutput + fleet.Collector.Output);
        Assert.Equal(2, await fleet.HeartbeatsAsync());
        await fleet.Collector.StopAsync(Signal.Kill);
        await fleet.StartCollectorAsync();
        Assert.Equal(2, await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task A_failing_sync_of_the_queue_is_a_fault_of_that_run_and_costs_nothing_that_was_queued()
    {
        await using var fleet = new Fleet();
        Assert.Equal(75, (await fleet.RunAgentAsync("--once")).ExitCode);

        var (code, output) = await RunningProgram.RunAsync(
            "strace", "-f", "-qq", "-o", fleet.In("trace"), "-e", "trace=fsync,fdatasync", "-e", "inject=fdatasync,fsync:error=EIO",
            Programs.Agent, "--once", fleet.AgentToml);

        Assert.Contains("INJECTED", await File.ReadAllTextAsync(fleet.In("trace"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.True(code is 1 or 75, output);
        Assert.Contains("Input/output error", output, StringComparison.Ordinal);
        await fleet.StartCollectorAsync();
        var (again, againOutput) = await fleet.RunAgentAsync("--flush");
        Assert.True(again == 0, againOutput);
        Assert.Equal(1, await fleet.HeartbeatsAsync());
    }
}

/// <summary>A tmpfs of a few megabytes that a test fills and empties again.</summary>
internal sealed partial class SmallDisk : IAsyncDisposable
{
    private readonly string path;

    private SmallDisk(string path) => this.path = path;

    private string Filler => Path.Combine(path, "filler");

    public static async Task<SmallDisk> MountAsync(string path, int megabytes)
    {
        Assert.SkipUnless(GetEffectiveUserId() == 0, "mounting a small tmpfs takes root");
        var (code, output) = await RunningProgram.RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "tmpfs", path);
        Assert.True(code == 0, output);
        return new SmallDisk(path);
    }

    /// <summary>Writes until there is no room for another byte.</summary>
    public void Fill()
    {
        var page = new byte[4096];
        using var file = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(page);
            }
        }
        catch (IOException e) when (e.HResult is 28 || e.Message.Contains("No space left", StringComparison.Ordinal))
        {
            // Full, as wanted.
        }
    }

    public void MakeRoom() => File.Delete(Filler);

    public void MakeRoom(int bytes)
    {
        using var file = new FileStream(Filler, FileMode.Open, FileAccess.Write);
        file.SetLength(file.Length - bytes);
    }

    public async ValueTask DisposeAsync()
    {
        // Lazily: programs that the test still runs may have files open here; the fleet ends them next.
        var (code, output) = await RunningProgram.RunAsync("umount", "-l", path);
        Assert.True(code == 0, output);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();
}
