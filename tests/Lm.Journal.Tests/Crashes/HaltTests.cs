namespace Lm.Journal.Tests.Crashes;

/// <summary>The journal on a machine that stops, by power cut or kill, at every call of a fixed workload.</summary>
public sealed class HaltTests
{
    private const int Steps = 22;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_machine_that_stops_at_any_call_loses_nothing_acknowledged(int seed)
    {
        var calls = await Trial.CountCallsAsync(seed, Steps);
        Assert.InRange(calls, 40, 400);
        for (var call = 0; call < calls; call++)
        {
            for (var ending = 0; ending < 4; ending++)
            {
                var trial = new Trial(seed);
                trial.Files.HaltAt = call;
                await trial.LiveAsync(Steps);
                await trial.CrashAsync(powerCut: ending > 0); // a power cut leaves something else each time
                await trial.SettleAsync();
                await trial.CrashAsync(powerCut: true);
                await trial.SettleAsync();
                await trial.CloseAsync();
            }
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task A_second_crash_at_any_call_of_the_recovery_loses_nothing_either(int seed)
    {
        for (var first = 10; first < 60; first += 7)
        {
            for (var second = 0; second < 30; second++)
            {
                var trial = new Trial(seed);
                trial.Files.HaltAt = first;
                await trial.LiveAsync(Steps);
                await trial.CrashAsync(powerCut: second % 2 == 0);
                trial.Files.HaltAt = second;
                await trial.LiveAsync(3);
                await trial.CrashAsync(powerCut: true);
                await trial.SettleAsync();
                await trial.CloseAsync();
            }
        }
    }
}
