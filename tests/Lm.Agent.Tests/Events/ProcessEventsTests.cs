using System.Text;
using Lm.Agent.Events;
using Lm.Agent.HostMetrics;
using Lm.Agent.Tests.HostMetrics;
using Lm.Platform;

namespace Lm.Agent.Tests.Events;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ProcessEventsTests
{
    [Fact]
    public void The_first_look_only_learns_and_the_next_ones_tell_what_differs()
    {
        var changes = new ProcessChanges();
        Look(changes, (1, "init"), (20, "sshd"));
        Assert.Equal((0, 0), (changes.StartedCount, changes.EndedCount));

        Look(changes, (1, "init"), (30, "cron"));

        Assert.Equal([new ProcessChange(30, "cron", 130)], changes.Started);
        Assert.Equal([new ProcessChange(20, "sshd", 120)], changes.Ended);
        Look(changes, (1, "init"), (30, "cron"));
        Assert.Equal((0, 0), (changes.StartedCount, changes.EndedCount));
    }

    [Fact]
    public void Kernel_threads_are_none_and_a_process_without_memory_has_ended()
    {
        var changes = new ProcessChanges();
        Look(changes, (1, "init"), (5, "app"));
        changes.Begin();
        changes.See(1, 10);
        Assert.False(changes.See(5, 0)); // a zombie
        Assert.False(changes.See(6, 0)); // a kernel thread
        changes.End(sawAll: true);

        Assert.Empty(changes.Started);
        Assert.Equal([5], changes.Ended.Select(process => process.Pid));
    }

    [Fact]
    public void A_look_that_did_not_see_all_tells_nothing_and_learns_anew()
    {
        var changes = new ProcessChanges();
        Look(changes, (1, "init"), (5, "app"));
        changes.Begin();
        changes.See(1, 10);
        changes.End(sawAll: false);
        Assert.Equal(0, changes.EndedCount);

        Look(changes, (1, "init"), (7, "new"));
        Assert.Equal(0, changes.StartedCount + changes.EndedCount);
    }

    [Fact]
    public void A_process_that_could_not_be_read_has_not_ended()
    {
        var changes = new ProcessChanges();
        Look(changes, (1, "init"), (5, "app"));
        changes.Begin();
        changes.See(1, 10);
        changes.Keep(5);
        changes.End(sawAll: true);

        Assert.Equal(0, changes.EndedCount);
    }

    [Fact]
    public void Switched_off_it_forgets_and_switched_on_it_learns_first()
    {
        var changes = new ProcessChanges();
        Look(changes, (1, "init"));
        changes.IsOn = false;
        Look(changes, (1, "init"), (5, "app"));
        changes.IsOn = true;
        Look(changes, (1, "init"), (5, "app"), (6, "b"));
        Assert.Equal(0, changes.StartedCount + changes.EndedCount);

        Look(changes, (1, "init"), (5, "app"));
        Assert.Equal(["b"], changes.Ended.Select(process => process.Name));
    }

    [Fact]
    public async Task A_flood_is_told_one_by_one_up_to_the_bound_and_then_as_numbers()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        var changes = new ProcessChanges { EachMax = 2 };
        Look(changes, (1, "a"), (2, "b\n\u001b"), (3, "c"), (4, "d"));
        Look(changes, (5, "e"), (6, "f"), (7, "g"));
        ProcessEvents.Post(changes, new UnixMillis(200_000), bench.Source);

        var events = await bench.EventsAsync();

        Assert.Equal(["process_start", "process_start", "process_exit", "process_exit", "process_summary"], events.Select(line => line.Attributes["event"]));
        Assert.Equal([105_000, 106_000, 200_000, 200_000, 200_000], events.Select(line => line.TimeMs));
        Assert.Equal("process e (5) started", events[0].Body);
        Assert.Equal("process b\uFFFD\uFFFD (2) ended, at most 98 s after its start", events[3].Body);
        Assert.Equal(("2", "b\uFFFD\uFFFD"), (events[3].Attributes["pid"], events[3].Attributes["comm"]));
        Assert.Equal(("1", "2"), (events[4].Attributes["started"], events[4].Attributes["ended"]));
    }

    [Fact]
    public void The_sampler_sees_processes_of_the_proc_tree_start_and_end()
    {
        using var proc = ProcTree.CopyOf("linux-6.18");
        var changes = new ProcessChanges();
        var sampler = new HostSampler(new ProcFs(proc.Root), "/", proc.Time, proc.Logger, ProcTree.Units, changes);
        sampler.Collect(new RecordingSink());
        Assert.Equal(0, changes.StartedCount);
        proc.Write("4242/stat", "4242 (my (app)) S 1 4242 4242 0 -1 4194560 100 0 0 0 5 6 0 0 20 0 1 0 777 1000 50 0");
        proc.Write("4242/statm", "100 50 10 1 0 20 0");

        sampler.Collect(new RecordingSink());
        Assert.Equal([(4242, "my (app)")], changes.Started.Select(process => (process.Pid, process.Name)));
        Directory.Delete(Path.Combine(proc.Root, "4242"), recursive: true);

        sampler.Collect(new RecordingSink());
        Assert.Equal([4242], changes.Ended.Select(process => process.Pid));
    }

    private static void Look(ProcessChanges changes, params (int Pid, string Name)[] processes)
    {
        changes.Begin();
        foreach (var (pid, name) in processes)
        {
            if (changes.See(pid, 10))
            {
                changes.Add(pid, new ProcessStat { Name = Encoding.UTF8.GetBytes(name) }, 100 + pid);
            }
        }

        changes.End(sawAll: true);
    }
}
