namespace Lm.EndToEnd.Tests;

public sealed class UpTests
{
    private const string Up = "up{instance=\"" + Fleet.AgentId + "\",job=\"lightmetrics\"}[1h]";

    [Fact]
    public async Task Up_is_1_while_the_agent_runs_0_when_it_is_gone_and_the_same_after_the_collector_was_killed()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await Eventually.BecomesAsync("up is 1", () => fleet.SamplesAsync(Up), found => found.Length >= 2, () => agent.HasEnded ? agent.Output : null);
        await agent.StopAsync(Signal.Kill);
        var before = await Eventually.BecomesAsync("up is 0", () => fleet.SamplesAsync(Up), found => found[^1] == 0);
        Assert.Equal(before.OrderDescending(), before);

        await fleet.Collector.StopAsync(Signal.Kill);
        await fleet.StartCollectorAsync();
        Assert.Equal(before, (await fleet.SamplesAsync(Up))[..before.Length]);
    }
}
