using Lm.Collector.Tests.Landing;
using Lm.Collector.Tests.LogRecords;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.Recovery;

public sealed class RecovererTests
{
    [Fact]
    public async Task What_landed_is_answered_after_the_disk_was_lost_each_sample_and_line_once()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        var lines = before.Storage.Logs.Lines();

        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());

        after.Storage.AssertWhole();
        Assert.Equal(lines, after.Storage.Logs.Lines());
        Assert.Equal(1, after.Storage.All("written").Count);
        Assert.Equal(0, after.Recoverer.Status.ObjectsWaiting);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_landed_goes_from_the_disk_only_when_queries_find_it_in_the_store(bool isExternal)
    {
        await using var rig = new RecoveryRig(isExternal: isExternal);
        Assert.True(await rig.RecoverAsync());
        await FillAsync(rig);
        await rig.Bucket.ListAsync(TestContext.Current.CancellationToken);
        rig.Storage.Time.Advance(TimeSpan.FromHours(7));
        await rig.Storage.SendAsync();
        rig.Storage.Series.Checkpoint();
        rig.Storage.Logs.Checkpoint();
        rig.Storage.Keep();
        await rig.LandAsync();
        var lines = rig.Storage.Logs.Lines();
        var (blocks, files) = (rig.Storage.Series.Blocks.Metas.Count, rig.Storage.Logs.SealedFiles.Count);
        Assert.True(blocks > 0 && files > 0, $"{blocks} blocks, {files} log files");
        rig.Storage.Settings = rig.Storage.Settings with { LocalSizeMax = 1, LocalRetention = TimeSpan.FromHours(1) };

        rig.Storage.Keep();
        Assert.Equal((blocks, files), (rig.Storage.Series.Blocks.Metas.Count, rig.Storage.Logs.SealedFiles.Count));
        rig.Storage.AssertWhole();
        Assert.Equal(lines, rig.Storage.Logs.Lines());

        await rig.Bucket.ListAsync(TestContext.Current.CancellationToken);
        rig.Storage.Keep();
        Assert.Empty(rig.Storage.Series.Blocks.Metas);
        Assert.Empty(rig.Storage.Logs.SealedFiles);
        rig.Storage.AssertWhole();
        Assert.Equal(lines, rig.Storage.Logs.Lines());
    }

    [Fact]
    public async Task A_repeat_of_what_an_earlier_life_landed_is_recognised_before_and_after_it_is_taken_over_and_after_a_crash()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        var last = before.Storage.Truth.Counts.Single(agent => agent.Agent == "a1").Count;

        await using var after = await before.AfterLossAsync();
        await FailAtAsync(after, records: true);
        Assert.False(await after.RecoverAsync()); // sequences, but no record
        Assert.Null(after.Recoverer.HoldReason);
        Assert.Equal(FrameOutcome.Duplicate, await after.Storage.RepeatAsync(last));
        Assert.Equal(FrameOutcome.Duplicate, await after.Storage.RepeatAsync(1));

        await using var again = await after.AfterKillAsync();
        Assert.Null(again.Recoverer.HoldReason);
        Assert.Equal(FrameOutcome.Duplicate, await again.Storage.RepeatAsync(last));
        Assert.True(await again.RecoverAsync());
        Assert.Equal(FrameOutcome.Duplicate, await again.Storage.RepeatAsync(1));
        again.Storage.AssertWhole();
    }

    [Fact]
    public async Task A_restored_sequence_between_new_ones_is_a_repeat_and_no_overlap()
    {
        await using var before = new RecoveryRig();
        Assert.Equal(FrameOutcome.Accepted, await before.Storage.RepeatAsync(100));
        await before.LandAsync();

        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        Assert.Equal(FrameOutcome.Accepted, await after.Storage.RepeatAsync(102));
        Assert.Equal(FrameOutcome.Accepted, await after.Storage.RepeatAsync(99));

        Assert.Equal(FrameOutcome.Duplicate, await after.Storage.RepeatAsync(100));
        Assert.Equal(FrameOutcome.Accepted, await after.Storage.RepeatAsync(101));
    }

    [Fact]
    public async Task An_empty_disk_takes_nothing_until_the_store_has_answered()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        await using var after = await before.AfterLossAsync();
        after.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;

        Assert.False(await after.RecoverAsync());
        Assert.NotNull(after.Recoverer.HoldReason);
        Assert.True(after.Recoverer.Status is { IsHolding: true, IsFailing: true });

        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await after.RecoverAsync());
        Assert.Null(after.Recoverer.HoldReason);
        Assert.Single(after.Log.Of(2654));
        after.Storage.AssertWhole();
    }

    [Fact]
    public async Task A_crash_before_the_store_has_answered_leaves_nothing_that_passes_for_an_answer()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        await using var after = await before.AfterLossAsync();
        after.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;
        await after.RecoverAsync();

        await using var again = await after.AfterKillAsync();

        Assert.NotNull(again.Recoverer.HoldReason);
    }

    [Fact]
    public async Task A_spool_that_has_records_goes_on_while_the_store_is_away()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();

        await using var after = await before.AfterKillAsync();
        after.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;
        await after.RecoverAsync();

        Assert.Null(after.Recoverer.HoldReason);
        after.Storage.AssertWhole();
    }

    [Fact]
    public async Task A_journal_that_was_taken_away_alone_asks_the_store_anew_and_takes_everything_over_again()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync()); // recovery.json says that sequences are restored, and how far records are
        await after.LandAsync();
        var files = after.Storage.Files.Kill();
        await after.DisposeAsync();
        foreach (var path in files.AllFiles("/spool").Where(static path => !path.EndsWith("recovery.json", StringComparison.Ordinal)).ToArray())
        {
            files.Delete(path);
        }

        await using var again = new RecoveryRig(after.BucketFiles, files, after.Storage.Time, after.Storage.Truth);
        Assert.NotNull(again.Recoverer.HoldReason);
        Assert.True(await again.RecoverAsync());

        Assert.Null(again.Recoverer.HoldReason);
        Assert.Equal(FrameOutcome.Duplicate, await again.Storage.RepeatAsync(1));
        again.Storage.AssertWhole();
    }

    [Fact]
    public async Task Lines_that_a_damaged_log_file_lost_come_back_from_raw_objects_though_their_hour_has_a_sealed_file()
    {
        var before = await FilledAsync();
        await before.LandAsync();
        before.Storage.Logs.Checkpoint();
        before.Storage.Series.Checkpoint();
        var lines = before.Storage.Logs.Lines();
        var killed = before.Storage.Files.Kill();
        await before.DisposeAsync();
        var segments = killed.AllFiles("/spool/journal").Where(static path => path.EndsWith(".seg", StringComparison.Ordinal)).ToArray();
        Assert.True(segments.Length > 1);
        foreach (var path in killed.AllFiles("/spool/logs/open").Concat(segments.SkipLast(1)).ToArray())
        {
            killed.Delete(path); // log files damaged, and the spool has let go of what they had
        }

        await using var damaged = new RecoveryRig(before.BucketFiles, killed, before.Storage.Time, before.Storage.Truth);
        Assert.Equal(before.Storage.Spool.Incarnation, damaged.Storage.Spool.Incarnation);
        Assert.NotEmpty(lines.Except(damaged.Storage.Logs.Lines()));
        await FillAsync(damaged);
        damaged.Storage.Time.Advance(TimeSpan.FromHours(7));
        for (var i = 0; i < 3; i++)
        {
            damaged.Storage.Logs.Checkpoint();
            damaged.Storage.Keep();
        }

        Assert.NotEmpty(damaged.Storage.Logs.SealedFiles);
        await damaged.LandAsync();

        await using var after = await damaged.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        Assert.Subset(after.Storage.Logs.Lines().ToHashSet(), lines.ToHashSet());
        Assert.Equal(after.Storage.Logs.Lines().Count, after.Storage.Logs.Lines().Distinct().Count());
    }

    [Fact]
    public async Task With_nothing_in_the_store_a_new_spool_stays_without_a_record()
    {
        await using var rig = new RecoveryRig();
        Assert.NotNull(rig.Recoverer.HoldReason);

        Assert.True(await rig.RecoverAsync());

        Assert.Null(rig.Recoverer.HoldReason);
        Assert.Empty(rig.Storage.Spool.Segments);
    }

    [Fact]
    public async Task Disks_that_are_lost_one_after_the_other_lose_nothing_that_landed()
    {
        await using var first = await FilledAsync();
        await first.LandAsync();
        await using var second = await first.AfterLossAsync();
        Assert.True(await second.RecoverAsync());
        await FillAsync(second);
        await second.LandAsync();

        await using var third = await second.AfterLossAsync();
        Assert.True(await third.RecoverAsync());

        third.Storage.AssertWhole();
        Assert.Equal(FrameOutcome.Duplicate, await third.Storage.RepeatAsync(1));
        Assert.Equal(2, third.RawObjects.Select(Path.GetDirectoryName).Distinct().Count());
    }

    [Fact]
    public async Task A_failure_of_any_request_and_a_crash_behind_it_lose_and_double_nothing()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        var rig = await before.AfterLossAsync();
        for (var failing = 0; ; failing++)
        {
            var at = failing;
            rig.Store.Trouble = (call, _, _) => call == at ? StoreTrouble.FailsBefore : StoreTrouble.None;
            var isDone = await rig.RecoverAsync();
            var killed = await rig.AfterKillAsync();
            await rig.DisposeAsync();
            rig = killed;
            if (isDone)
            {
                break;
            }
        }

        Assert.True(await rig.RecoverAsync());
        rig.Storage.AssertWhole();
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task What_was_taken_over_is_not_asked_for_again()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());

        await using var again = await after.AfterKillAsync();
        var reads = 0;
        again.Store.Trouble = (_, request, _) => request == StoreRequest.Get && reads++ < 0 ? StoreTrouble.FailsBefore : StoreTrouble.None;
        Assert.True(await again.RecoverAsync());

        Assert.Equal(0, reads);
        again.Storage.AssertWhole();
    }

    [Fact]
    public async Task Sequences_whose_raw_objects_are_gone_come_from_the_snapshot_that_landed()
    {
        await using var before = new RecoveryRig();
        Assert.Equal(FrameOutcome.Accepted, await before.Storage.RepeatAsync(1));
        Assert.Equal(FrameOutcome.Accepted, await before.Storage.RepeatAsync(3));
        var incarnation = before.Storage.Spool.Incarnation;
        var key = $"{LandingRig.Keys.StateRoot("c1")}{incarnation:N}/0000000001-000000000099.ledger";
        await before.Store.PutAsync(key, ObjectContent.Of(before.Storage.Ledger.ToBytes(incarnation)), PutCondition.None, CancellationToken.None);

        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());

        Assert.Equal(FrameOutcome.Duplicate, await after.Storage.RepeatAsync(3));
        Assert.Equal(FrameOutcome.Accepted, await after.Storage.RepeatAsync(2));
        await using var again = await after.AfterKillAsync();
        Assert.Equal(FrameOutcome.Duplicate, await again.Storage.RepeatAsync(1));
    }

    [Fact]
    public async Task A_damaged_object_is_left_out_and_named_and_the_others_are_taken()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        var objects = before.RawObjects;
        Assert.True(objects.Count > 2);
        before.Damage(objects[0], before.SizeOf(objects[0]) - 30); // its trailer
        before.Damage(objects[1], 40); // a record

        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());

        Assert.NotEmpty(after.Log.Of(2656));
        Assert.Single(after.Log.Of(2657));
        Assert.True(after.Recoverer.Status.Damaged > 0);
        Assert.True(after.Storage.All().Count > 0);
    }

    [Fact]
    public async Task An_object_that_is_listed_and_reads_as_missing_is_waited_for()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        var missing = before.RawObjects[1][(LandingRig.Bucket.Length + 1)..];

        await using var after = await before.AfterLossAsync();
        after.Store.Trouble = (_, request, key) => request == StoreRequest.Get && key == missing ? StoreTrouble.Misses : StoreTrouble.None;
        Assert.False(await after.RecoverAsync());
        Assert.NotNull(after.Recoverer.HoldReason);
        Assert.Contains(missing, Assert.Single(after.Log.Of(2654)), StringComparison.Ordinal);
        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        await FailAtAsync(after, records: true);
        Assert.False(await after.RecoverAsync()); // sequences, but no record
        after.Store.Trouble = (_, request, key) => request == StoreRequest.Get && key == missing ? StoreTrouble.Misses : StoreTrouble.None;
        Assert.False(await after.RecoverAsync());
        Assert.True(after.Recoverer.Status.ObjectsWaiting > 0);

        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await after.RecoverAsync());
        after.Storage.AssertWhole();
        Assert.Empty(after.Log.Of(2663));
    }

    [Fact]
    public async Task An_object_that_is_deleted_while_others_are_taken_over_is_told_and_holds_up_nothing()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        var gone = before.RawObjects[1];

        await using var after = await before.AfterLossAsync();
        after.Store.Trouble = (_, request, key) =>
        {
            if (request == StoreRequest.Get && gone.EndsWith(key, StringComparison.Ordinal) && after.BucketFiles.Exists(gone))
            {
                after.BucketFiles.Delete(gone);
            }

            return StoreTrouble.None;
        };
        Assert.True(await after.RecoverAsync());

        Assert.All(after.Log.Of(2663), line => Assert.Contains(gone[(LandingRig.Bucket.Length + 1)..], line, StringComparison.Ordinal));
        Assert.NotEmpty(after.Log.Of(2663));
        Assert.Null(after.Recoverer.HoldReason);
        Assert.Equal(0, after.Recoverer.Status.ObjectsWaiting);
    }

    [Fact]
    public async Task New_batches_are_taken_while_records_are_taken_over()
    {
        await using var before = await FilledAsync();
        await before.LandAsync();
        await using var after = await before.AfterLossAsync();
        await FailAtAsync(after, records: true);
        await after.RecoverAsync();
        await FillAsync(after);
        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;

        Assert.True(await after.RecoverAsync());

        Assert.Equal(after.Storage.Truth.Samples.Count(), Enumerable.Range(0, after.Storage.All().Count).Sum(i => after.Storage.All().Samples(i).Length));
    }

    private static Task FailAtAsync(RecoveryRig rig, bool records)
    {
        // The first read of each object is its manifest; the first that does not begin at its end is of records.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var reads = 0;
        rig.Store.Trouble = (_, request, key) => records && request == StoreRequest.Get && !seen.Add(key) && ++reads > 1 ? StoreTrouble.FailsBefore : StoreTrouble.None;
        return Task.CompletedTask;
    }

    private static async Task<RecoveryRig> FilledAsync()
    {
        var rig = new RecoveryRig();
        Assert.True(await rig.RecoverAsync());
        await FillAsync(rig);
        return rig;
    }

    private static async Task FillAsync(RecoveryRig rig)
    {
        for (var i = 0; i < 12; i++)
        {
            await rig.Storage.SendAsync(TimeSpan.FromMinutes(20 * i), i % 3 == 0 ? "a2" : "a1", logs: new LogRecord(new UnixMillis(rig.Storage.Now.Value - i), 9, $"line {rig.Storage.Now.Value} {i}", []));
            rig.Storage.Time.Advance(TimeSpan.FromSeconds(15));
        }

        await rig.Storage.WriteAsync("written", 5);
        await rig.Storage.Ups.WriteDueAsync();
    }
}
