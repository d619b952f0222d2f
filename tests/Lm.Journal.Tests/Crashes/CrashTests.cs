using Lm.TestKit;

namespace Lm.Journal.Tests.Crashes;

/// <summary>The journal against power cuts, kills and failing calls: at every call of a fixed workload, and at random.</summary>
public sealed class CrashTests
{
    private const int Steps = 22;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_machine_that_stops_at_any_call_loses_nothing_acknowledged(int seed)
    {
        var calls = await CountCallsAsync(seed);
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

    [Theory]
    [InlineData(5, false, false)]
    [InlineData(5, true, false)]
    [InlineData(28, true, false)]
    [InlineData(28, false, true)]
    [InlineData(5, true, true)]
    public async Task Any_single_or_lasting_failure_loses_nothing_acknowledged_and_revives_nothing_refused(int error, bool takesEffect, bool lasting)
    {
        const int seed = 6;
        var calls = await CountCallsAsync(seed);
        for (var call = 0; call < calls; call++)
        {
            for (var ending = 0; ending < 3; ending++)
            {
                var trial = new Trial(seed);
                var failing = call;
                var end = lasting ? call + 25 : call;
                trial.Files.Fault = operation =>
                    operation.Index >= failing && operation.Index <= end ? new FileFault(error, takesEffect) : null;
                await trial.LiveAsync(Steps);
                if (ending > 0)
                {
                    await trial.CrashAsync(powerCut: ending == 1);
                }

                await trial.SettleAsync();
                await trial.CrashAsync(powerCut: true);
                await trial.SettleAsync();
                await trial.CloseAsync();
            }
        }
    }

    [Fact]
    public async Task Random_faults_and_crashes_in_a_row_lose_nothing_acknowledged()
    {
        var committed = 0;
        for (var seed = 1000; seed < 2500; seed++)
        {
            var trial = new Trial(seed);
            var random = new Random(seed);
            for (var life = 0; life < 4; life++)
            {
                var rate = random.Next(3) switch { 0 => 0, 1 => 3, _ => 12 };
                trial.Files.Fault = _ => random.Next(100) < rate
                    ? new FileFault(random.Next(2) == 0 ? 5 : 28, random.Next(2) == 0)
                    : null;
                trial.Files.HaltAt = random.Next(2) == 0 ? null : random.Next(10, 80);
                await trial.LiveAsync(15);
                await trial.CrashAsync(powerCut: random.Next(2) == 0);
            }

            await trial.SettleAsync();
            await trial.CloseAsync();
            committed += trial.CommittedCount;
        }

        Assert.True(committed > 10_000, $"only {committed} records: the trials no longer test much");
    }

    [Theory]
    [InlineData(3_000)]
    [InlineData(9_000)]
    [InlineData(20_000)]
    public async Task A_full_disk_refuses_appends_and_takes_them_again_once_there_is_room(int capacity)
    {
        for (var seed = 1; seed < 40; seed++)
        {
            var trial = new Trial(seed);
            trial.Files.Capacity = capacity;
            await trial.LiveAsync(60);
            await trial.SettleAsync(); // the same journal, not reopened
            await trial.CrashAsync(powerCut: true);
            await trial.SettleAsync();
            await trial.CloseAsync();
        }
    }

    private static async Task<int> CountCallsAsync(int seed)
    {
        var trial = new Trial(seed);
        await trial.LiveAsync(Steps);
        await trial.CloseAsync();
        Assert.True(trial.CommittedCount > 10);
        return trial.Files.OperationCount;
    }
}
