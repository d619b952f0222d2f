using System.Globalization;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Random interleavings of collectors, lost answers, pauses, crashes and failures of the store; docs/testing.md says how to run many.</summary>
public sealed class SharedLogModelTests(ITestOutputHelper output)
{
    private const int UsualSchedules = 1000;

    [Fact]
    public void Every_acknowledged_batch_is_visible_once_at_every_collector_whatever_happens()
    {
        var (first, count) = (Number("LM_MODEL_SEED", 1), Number("LM_MODEL_SCHEDULES", UsualSchedules));
        var totals = new long[8];
        Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = TestContext.Current.CancellationToken }, seed =>
        {
            var fleet = PlaySeed(seed);
            long[] figures = [1, fleet.Commits, fleet.Builds, fleet.Cleaned, fleet.Crashes, fleet.Pauses, fleet.Published, fleet.Skipped];
            for (var i = 0; i < totals.Length; i++)
            {
                Interlocked.Add(ref totals[i], figures[i]);
            }
        });

        output.WriteLine($"seeds {first} to {first + count - 1}: {totals[0]} schedules, {totals[1]} commits, {totals[2]} builds and snapshots, {totals[3]} commits cleaned, {totals[4]} crashes, {totals[5]} pauses, {totals[6]} sets of files published, {totals[7]} gaps of copies left to them");
        Assert.Equal(count, totals[0]);
        Assert.All(totals, static total => Assert.True(total > 0)); // else the schedules would prove less than they say
    }

    private static ModelFleet PlaySeed(int seed)
    {
        try
        {
            return ModelFleet.Play(seed);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }
    }

    private static int Number(string variable, int missing) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : missing;
}
