using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Landing;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.SharedLog;

public sealed class SharedUpkeepTests
{
    [Fact]
    public async Task Who_built_last_takes_care_of_the_bucket_at_once_and_then_each_hour()
    {
        var bucket = new MemoryFileSystem();
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var rig = new SharedFilesRig(bucket, one.Rig.Time);
        await one.Rig.SendAsync(1);
        await rig.FileAllAsync();
        Assert.Equal("builder", rig.Member.Fold.Builder);
        var rounds = 0;
        var upkeep = new SharedUpkeep(rig.Member, rig.Builder, files: null, new SharedAcceptanceParts(
            rig.Store, LandingRig.Keys, "builder", null!, new MemoryFileSystem(), "/spool", static () => TimeSpan.Zero, static () => default, static () => default, static () => default, one.Rig.Time, NullLogger.Instance)
        {
            TidyAsync = _ =>
            {
                rounds++;
                return Task.CompletedTask;
            },
        });

        await StepsAsync();
        Assert.Equal(1, rounds);
        one.Rig.Time.Advance(TimeSpan.FromMinutes(59));
        await StepsAsync();
        Assert.Equal(1, rounds);
        one.Rig.Time.Advance(TimeSpan.FromMinutes(1));
        await StepsAsync();
        Assert.Equal(2, rounds);

        async Task StepsAsync()
        {
            for (var i = 0; i < 4; i++)
            {
                await upkeep.StepAsync(TestContext.Current.CancellationToken);
                await upkeep.EndAsync();
            }
        }
    }
}
