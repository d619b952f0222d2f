using Lm.TestKit;

namespace Lm.Journal.Tests.Crashes;

/// <summary>The journal on a machine whose calls fail: each call of a fixed workload in turn, at random, and for want of room.</summary>
public sealed class FaultTests
{
    private const int Steps = 22;

    [Theory]
    [InlineData(6, 5, false, false)]
    [InlineData(6, 5, true, false)]
    [InlineData(6, 28, true, false)]
    [InlineData(6, 28, false, true)]
    [InlineData(6, 5, true, true)]
    [InlineData(7, 5, false, false)]
    [InlineData(7, 28, true, false)]
    [InlineData(8, 28, false, true)]
    [InlineData(8, 5, true, true)]
    public async Task Any_single_or_lasting_failure_loses_nothing_acknowledged_and_revives_nothing_refused(
        int seed, int error, bool takesEffect, bool lasting)
    {
        var calls = await Trial.CountCallsAsync(seed, Steps);
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
        for (var seed = 1000; seed < 2000; seed++)
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
}
