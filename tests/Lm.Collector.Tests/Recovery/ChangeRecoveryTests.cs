using System.Text;
using Lm.Collector.Changes;
using Lm.Collector.Dashboards;
using Lm.Collector.Tests.Landing;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Tests.Recovery;

/// <summary>What people changed, over lost disks.</summary>
public sealed class ChangeRecoveryTests
{
    [Fact]
    public async Task Saved_dashboards_are_back_after_disks_were_lost_one_after_the_other_each_as_it_was_last()
    {
        await using var first = await BornAsync();
        await SaveAsync(first, "a", "One");
        await SaveAsync(first, "b", "Two");
        await first.LandAsync();
        await SaveAsync(first, "a", "Three");
        await first.LandAsync();

        await using var second = await first.AfterLossAsync();
        Assert.True(await second.RecoverAsync());
        Assert.Equal(["a Three", "b Two"], Titles(second));
        await SaveAsync(second, "a", "Four");
        await SaveAsync(second, "c", "Five");
        Assert.Equal(SaveOutcome.Deleted, await second.Saved.DeleteAsync("b", new SaveCondition(false, [second.Saved.All["b"].ETag]), new Editor("session", "127.0.0.1")));
        await second.Storage.SendAsync();
        await second.LandAsync();

        await using var third = await second.AfterLossAsync();
        Assert.True(await third.RecoverAsync());
        Assert.Equal(["a Four", "c Five"], Titles(third));
        await using var restarted = await third.AfterKillAsync();
        Assert.False(restarted.Saved.IsWaiting);
        Assert.Equal(["a Four", "c Five"], Titles(restarted));
    }

    [Fact]
    public async Task Nothing_is_saved_before_the_store_has_said_what_was()
    {
        await using var before = await BornAsync();
        await SaveAsync(before, "a", "One");
        await before.LandAsync();
        await using var after = await before.AfterLossAsync();
        after.Store.Trouble = static (_, _, key) => key.Contains("changes", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        Assert.False(await after.RecoverAsync());

        var refused = await Assert.ThrowsAsync<IOException>(() => SaveAsync(after, "a", "Another"));
        Assert.Contains("the object store has not said yet", refused.Message, StringComparison.Ordinal);

        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await after.RecoverAsync());
        Assert.Equal(["a One"], Titles(after));
    }

    [Fact]
    public async Task A_crash_or_a_full_disk_at_any_write_of_taking_over_leaves_it_to_the_next_start()
    {
        for (var failing = 0; ; failing++)
        {
            await using var before = await BornAsync();
            for (var i = 0; i < 4; i++)
            {
                await SaveAsync(before, "a", $"Title {i}");
            }

            await before.LandAsync();
            await using var after = await before.AfterLossAsync();
            var writes = 0;
            var at = failing;
            after.Storage.Files.Fault = operation => operation.Path.Contains("/changes/", StringComparison.Ordinal) && writes++ >= at ? Lm.TestKit.FileFault.NoSpace : null;
            await after.RecoverAsync();
            var isDone = writes <= at;
            after.Storage.Files.Fault = null;

            await using var again = await after.AfterKillAsync();
            Assert.True(await again.RecoverAsync());
            Assert.Equal(["a Title 3"], Titles(again));
            if (isDone)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task A_restart_lands_only_what_is_not_there_and_what_is_damaged_there_again()
    {
        await using var rig = await BornAsync();
        await SaveAsync(rig, "a", "One");
        await SaveAsync(rig, "a", "Two");
        await rig.LandAsync();
        await using var restarted = await rig.AfterKillAsync();
        await restarted.LandAsync();
        Assert.DoesNotContain(restarted.Store.Puts, IsChanges);

        await SaveAsync(restarted, "a", "Three");
        await restarted.LandAsync();
        Assert.Single(restarted.Store.Puts, IsChanges);
        var objects = restarted.AllObjects.Where(IsChanges).ToArray();
        Assert.Equal(2, objects.Length);
        restarted.Damage(objects[1], 5);

        await using var again = await restarted.AfterKillAsync();
        await again.LandAsync();
        Assert.Equal(objects[1][(LandingRig.Bucket.Length + 1)..], Assert.Single(again.Store.Puts, IsChanges));
        await using var after = await again.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        Assert.Equal(["a Three"], Titles(after));
    }

    [Fact]
    public async Task A_damaged_object_is_named_and_the_others_are_taken_over()
    {
        await using var rig = await BornAsync();
        await SaveAsync(rig, "a", "One");
        await rig.LandAsync();
        await SaveAsync(rig, "b", "Two");
        await rig.LandAsync();
        rig.Damage(rig.AllObjects.First(IsChanges), 5);

        await using var after = await rig.AfterLossAsync();
        Assert.True(await after.RecoverAsync());

        Assert.NotEmpty(after.Log.Of(2662));
        Assert.Equal(["b Two"], Titles(after));
    }

    [Fact]
    public async Task A_store_that_fails_at_any_request_has_every_change_in_the_end_once()
    {
        for (var failing = 0; ; failing++)
        {
            await using var rig = await BornAsync();
            await SaveAsync(rig, "a", "One");
            await SaveAsync(rig, "b", "Two");
            var (at, calls) = (failing, 0);
            rig.Store.Trouble = (_, _, key) => IsChanges(key) && calls++ == at ? StoreTrouble.FailsAfter : StoreTrouble.None;
            await rig.Lander.TryPassAsync(TestContext.Current.CancellationToken);
            await rig.LandAsync();

            var records = new List<string>();
            foreach (var path in rig.AllObjects.Where(IsChanges))
            {
                Assert.Null(ChangeObject.TryRead(rig.Peek(path), out var found));
                records.AddRange(found.Select(static record => Encoding.UTF8.GetString(record.Span)));
            }

            Assert.Equal(2, records.Count);
            if (calls <= at)
            {
                return;
            }
        }
    }

    private static bool IsChanges(string key) => key.Contains("/changes/", StringComparison.Ordinal);

    // With a record in its spool: before the first one nothing lands.
    private static async Task<RecoveryRig> BornAsync()
    {
        var rig = new RecoveryRig();
        Assert.True(await rig.RecoverAsync());
        await rig.Storage.SendAsync();
        return rig;
    }

    internal static async Task SaveAsync(RecoveryRig rig, string id, string title)
    {
        var bytes = Encoding.UTF8.GetBytes($"id = \"{id}\"\ntitle = \"{title}\"\n");
        var dashboard = DashboardReader.Read(TomlDocument.Parse(bytes, id), bytes, DashboardOrigin.Console, PromSemantics.V3);
        var condition = rig.Saved.All.TryGetValue(id, out var seen) ? new SaveCondition(false, [seen.ETag]) : new SaveCondition(true, []);
        Assert.InRange(await rig.Saved.SaveAsync(dashboard!, condition, new Editor("session", "127.0.0.1")), SaveOutcome.Created, SaveOutcome.Replaced);
    }

    private static IEnumerable<string> Titles(RecoveryRig rig) => rig.Saved.All.Values.Select(static dashboard => $"{dashboard.Id} {dashboard.Toml.Split('"')[3]}");
}
