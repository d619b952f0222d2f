using Lm.Agent.Events;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;

namespace Lm.Agent.Tests.Events;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class LifeCycleTests
{
    [Fact]
    public async Task Start_stop_and_reloads_are_told()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        var life = new LifeCycle(bench.Source, bench.Tails.Time);
        life.Started();
        life.Reloaded();
        life.ReloadRefused("agent.toml:1:1: no");
        life.InputFailed("journal", "gone");
        life.Stopped();

        var events = await bench.EventsAsync();

        Assert.Equal(["agent_start", "settings_reloaded", "settings_refused", "input_failed", "agent_stop"], events.Select(line => line.Attributes["event"]));
        Assert.Equal(AgentVersion.Text, events[0].Attributes["version"]);
        Assert.EndsWith("agent.toml:1:1: no", events[2].Body, StringComparison.Ordinal);
        Assert.Equal("journal", events[3].Attributes["source"]);
        Assert.Equal([9, 9, 17, 17, 9], events.Select(line => line.Severity));
    }

    [Fact]
    public async Task A_clock_that_is_set_is_told_and_one_that_is_steered_is_not()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        var time = bench.Tails.Time;
        var life = new LifeCycle(bench.Source, time);
        foreach (var step in new[] { 0.0, 0.4, -3600, 0, 2.5 })
        {
            time.Advance(TimeSpan.FromSeconds(15));
            time.JumpWallClock(TimeSpan.FromSeconds(step));
            life.Tick(default, []);
        }

        var events = await bench.EventsAsync();

        Assert.Equal(["-3600.0", "+2.5"], events.Select(line => line.Attributes["seconds"]));
        Assert.All(events, line => Assert.Equal("clock_step", line.Attributes["event"]));
    }

    [Fact]
    public async Task Losses_are_told_once_and_those_of_an_earlier_run_are_not()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        var life = new LifeCycle(bench.Source, bench.Tails.Time);
        var input = new InputCounters("app");
        life.Tick(new QueueCounters { Dropped = 5, Lost = 1 }, [input]);
        input.AddLostFile();
        life.Tick(new QueueCounters { Dropped = 7, Lost = 1, Rejected = 1 }, [input]);
        life.Tick(new QueueCounters { Dropped = 7, Lost = 1, Rejected = 1 }, [input]);

        var events = await bench.EventsAsync();

        Assert.Equal([("queue_dropped", "2"), ("batch_rejected", "1"), ("input_lost", "1")], events.Select(line => (line.Attributes["event"], line.Attributes["count"])));
        Assert.Equal("app", events[2].Attributes["source"]);
    }

    [Fact]
    public async Task Nothing_is_told_when_it_is_off()
    {
        await using var bench = new EventBench();
        await bench.Tails.StartAsync();
        var life = new LifeCycle(bench.Source, bench.Tails.Time) { IsOn = false };
        life.Started();

        Assert.Empty(await bench.EventsAsync());
    }
}
