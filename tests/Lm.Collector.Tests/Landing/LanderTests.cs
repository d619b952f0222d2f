using Lm.Collector.Landing;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.TestKit;

namespace Lm.Collector.Tests.Landing;

public sealed class LanderTests
{
    [Fact]
    public async Task What_was_acknowledged_lands_once_as_it_is_in_the_spool()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 5);

        Assert.True(await rig.LandAsync());
        await rig.AcceptAsync(6, 3);
        Assert.True(await rig.LandAsync());
        Assert.True(await rig.LandAsync()); // nothing new: no object

        AssertSame(rig.Spooled(), await rig.LandedAsync());
        Assert.Equal(2, rig.PutKeys.Count());
        Assert.Equal(2, rig.Lander.Status.Objects);
        Assert.Equal(0, rig.Lander.Status.PendingBytes);
        Assert.Null(rig.Lander.Status.OldestWaiting);
    }

    [Fact]
    public async Task The_manifest_names_agents_queues_and_sequences()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 3);
        await rig.AcceptAsync(7, 2);

        await rig.LandAsync();

        var found = await RawObjectReader.ReadAsync(rig.Store, rig.PutKeys.Single(), CancellationToken.None);
        Assert.NotNull(found);
        var queue = Assert.Single(found.Manifest!.Queues);
        Assert.Equal("a1", queue.AgentId);
        Assert.Equal(["1-3", "7-8"], queue.Sequences.Select(range => $"{range.Start}-{range.End}"));
        Assert.Equal((LandingRig.Collector, rig.Ingest.Spool.Incarnation, 5), (found.Manifest.Collector, found.Manifest.Incarnation, found.Manifest.Records.Count));
        Assert.Equal(default, found.Manifest.From);
        Assert.Equal(rig.Ingest.Spool.End, found.Manifest.End);
    }

    [Fact]
    public async Task A_backlog_lands_oldest_first_in_objects_of_bounded_size()
    {
        await using var rig = new LandingRig(segmentSizeMax: 4000, objectSizeMax: 1000);
        await rig.AcceptAsync(1, 40);

        Assert.True(await rig.LandAsync());

        Assert.True(rig.PutKeys.Count() > 3);
        Assert.Equal(rig.PutKeys.Order(StringComparer.Ordinal), rig.PutKeys);
        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    [Fact]
    public async Task While_the_store_is_away_ingest_goes_on_and_the_age_of_what_waits_is_told()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        var firstCame = rig.Ingest.Now;
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;

        for (var i = 0; i < 5; i++)
        {
            Assert.False(await rig.LandAsync());
            await rig.AcceptAsync((ulong)(2 + i), 1);
            rig.Ingest.Time.Advance(TimeSpan.FromMinutes(10));
        }

        var status = rig.Lander.Status;
        Assert.Equal(firstCame, status.OldestWaiting);
        Assert.Equal("the store of the test is away", status.Trouble);
        Assert.True(status.PendingBytes > 0);
        Assert.Equal(3000, rig.Lander.Collect().Single(metric => metric.Name == "lm_collector_landing_oldest_age_seconds").Value);
        Assert.Single(rig.Logger.Of(2603)); // once, not at each try

        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await rig.LandAsync());
        Assert.Single(rig.Logger.Of(2604));
        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    [Fact]
    public async Task A_store_that_stays_away_is_asked_for_little_and_nothing_is_gathered_for_it()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        Assert.True(await rig.LandAsync());
        await rig.AcceptAsync(2, 3);
        List<StoreRequest> asked = [];
        rig.Store.Trouble = (_, request, _) =>
        {
            asked.Add(request);
            return StoreTrouble.FailsBefore;
        };

        Assert.False(await rig.LandAsync(tries: 4));
        Assert.Equal([StoreRequest.Put, StoreRequest.Head, StoreRequest.Head, StoreRequest.Head], asked);

        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await rig.LandAsync());
        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    [Fact]
    public async Task Where_lists_alone_fail_after_another_failure_raw_objects_land()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        Assert.True(await rig.LandAsync());
        await rig.AcceptAsync(2, 3);
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;
        Assert.False(await rig.LandAsync());

        rig.Store.Trouble = static (_, request, _) => request == StoreRequest.List ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await rig.LandAsync(tries: 3);

        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    [Fact]
    public async Task A_put_whose_answer_was_lost_is_known_as_ours_though_more_came_since()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 3);
        rig.Store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.Contains("/raw/", StringComparison.Ordinal) ? StoreTrouble.FailsAfter : StoreTrouble.None;
        Assert.False(await rig.LandAsync());
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        await rig.AcceptAsync(4, 3);

        Assert.True(await rig.LandAsync());

        AssertSame(rig.Spooled(), await rig.LandedAsync());
        Assert.Equal(1, rig.Lander.Status.Objects); // and one adopted
    }

    [Fact]
    public async Task An_object_that_is_not_stored_as_it_was_put_is_put_again_and_never_counts_as_landed()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 3);
        rig.Store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.Contains("/raw/", StringComparison.Ordinal) ? StoreTrouble.Damages : StoreTrouble.None;

        Assert.False(await rig.LandAsync());
        Assert.Equal(default, rig.Lander.Status.Landed);
        Assert.Single(rig.Logger.Of(2606));

        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await rig.LandAsync());
        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    [Fact]
    public async Task A_store_that_overwrites_is_asked_before_each_put()
    {
        await using var rig = new LandingRig();
        rig.Store.Overwrites = true;
        await rig.AcceptAsync(1, 3);

        Assert.True(await rig.LandAsync());

        Assert.Single(rig.Logger.Of(2601));
        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    [Fact]
    public async Task A_spool_that_was_rolled_back_is_noticed_and_nothing_is_overwritten()
    {
        var bucket = new MemoryFileSystem();
        MemoryFileSystem snapshot;
        await using (var rig = new LandingRig(bucket: bucket))
        {
            await rig.AcceptAsync(1, 3);
            await rig.LandAsync();
            rig.State.TryWrite(rig.Ingest.Spool.Incarnation);
            await rig.AcceptAsync(4, 2);
            snapshot = Without(rig.Ingest.Files, rig, keep: 3);
            await rig.LandAsync();
        }

        var before = bucket.AllFiles(LandingRig.Bucket);
        await using var restored = new LandingRig(snapshot, bucket);
        Assert.False(await restored.LandAsync());
        Assert.True(restored.Lander.Status.IsHalted);
        Assert.Contains("rolled back", restored.Logger.Of(2607).Single(), StringComparison.Ordinal);
        Assert.Equal(before, bucket.AllFiles(LandingRig.Bucket));
    }

    [Fact]
    public async Task A_rolled_back_spool_that_went_on_with_other_records_is_noticed_too()
    {
        var bucket = new MemoryFileSystem();
        MemoryFileSystem snapshot;
        await using (var rig = new LandingRig(bucket: bucket))
        {
            await rig.AcceptAsync(1, 3);
            await rig.LandAsync();
            await rig.AcceptAsync(4, 2);
            snapshot = Without(rig.Ingest.Files, rig, keep: 3);
            await rig.LandAsync();
        }

        await using var restored = new LandingRig(snapshot, bucket);
        await restored.AcceptAsync(100, 6);
        var before = await restored.LandedAsync();
        Assert.False(await restored.LandAsync());
        Assert.True(restored.Lander.Status.IsHalted);
        Assert.Contains("other records than this spool", restored.Logger.Of(2607).Single(), StringComparison.Ordinal);
        AssertSame(before, await restored.LandedAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_spool_that_lost_its_end_goes_on_behind_what_had_landed_and_nothing_is_lost_or_overwritten(bool knowsAll)
    {
        var bucket = new MemoryFileSystem();
        MemoryFileSystem damaged;
        List<(JournalPosition Position, byte[] Bytes)> before;
        await using (var rig = new LandingRig(bucket: bucket, objectSizeMax: 600))
        {
            await rig.AcceptAsync(1, 6);
            await rig.LandAsync();
            rig.State.TryWrite(rig.Ingest.Spool.Incarnation);
            await rig.AcceptAsync(7, 3);
            await rig.LandAsync();
            if (knowsAll)
            {
                rig.State.TryWrite(rig.Ingest.Spool.Incarnation);
            }

            damaged = Without(rig.Ingest.Files, rig, keep: 4);
            before = await rig.LandedAsync();
        }

        for (var restarts = 0; restarts < 2; restarts++)
        {
            await using var rig = new LandingRig(damaged, bucket, objectSizeMax: 600);
            Assert.Equal(restarts == 0 ? 1 : 0, rig.Logger.Of(2610).Count);
            await rig.AcceptAsync(100 + (10UL * (ulong)restarts), 5);
            Assert.True(await rig.LandAsync(), rig.Lander.Status.Trouble);

            var kept = Assert.Single(((LandingState)rig.Lander.State).Kept);
            Assert.True(kept.IsHole && kept.From < before[^1].Position && before[^1].Position < kept.To);
            AssertSame(before.Concat(rig.Spooled().Where(record => record.Position > before[^1].Position)), await rig.LandedAsync());
            Assert.Equal(4 + (5 * (restarts + 1)), rig.Spooled().Count);
            rig.State.TryWrite(rig.Ingest.Spool.Incarnation);
            damaged = rig.Ingest.Files.Kill();
        }
    }

    [Fact]
    public async Task Two_lives_of_a_collector_do_not_take_each_others_objects()
    {
        var bucket = new MemoryFileSystem();
        await using var first = new LandingRig(bucket: bucket);
        await using var second = new LandingRig(bucket: bucket);
        await first.AcceptAsync(1, 3);
        await second.AcceptAsync(1, 5);

        Assert.True(await first.LandAsync());
        Assert.True(await second.LandAsync());

        AssertSame(first.Spooled(), await first.LandedAsync());
        AssertSame(second.Spooled(), await second.LandedAsync());
    }

    [Fact]
    public async Task Segments_stay_until_they_have_landed_and_go_without_only_when_half_the_room_is_taken_by_such()
    {
        await using var rig = new LandingRig(segmentSizeMax: 1000);
        await rig.AcceptAsync(1, 60);
        var segments = rig.Ingest.Spool.Segments;
        Assert.True(segments.Count > 4);

        Assert.Equal(0U, rig.Lander.FirstToKeep(spoolSizeMax: 1 << 30));
        var half = rig.Lander.FirstToKeep(spoolSizeMax: rig.Ingest.Spool.SizeBytes);
        Assert.InRange(half, 1U, segments[^1].Number);
        Assert.True(segments.Where(segment => segment.Number >= half).Sum(segment => segment.SizeBytes) <= rig.Ingest.Spool.SizeBytes / 2);

        await rig.LandAsync();
        Assert.Equal(segments[^1].Number, rig.Lander.FirstToKeep(spoolSizeMax: 1 << 30));
    }

    [Fact]
    public async Task What_was_given_up_is_a_gap_that_the_next_object_tells()
    {
        await using var rig = new LandingRig(segmentSizeMax: 2000);
        await rig.AcceptAsync(1, 5);
        await rig.LandAsync();
        await rig.AcceptAsync(6, 30);
        var first = rig.Ingest.Spool.Segments[^2].Number;
        rig.Ingest.Spool.DeleteBefore(first);

        Assert.True(await rig.LandAsync());

        var last = await RawObjectReader.ReadAsync(rig.Store, rig.PutKeys.Last(), CancellationToken.None);
        Assert.NotNull(last);
        Assert.Equal(new JournalPosition(first, 0), last.Manifest!.From);
        AssertSame(rig.Spooled(), (await rig.LandedAsync()).Where(record => record.Position.Segment >= first));
    }

    [Fact]
    public async Task The_loop_waits_for_its_interval_and_ends_when_it_is_stopped()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 2);
        using var stopping = new CancellationTokenSource();
        var timers = rig.Ingest.Time.TimerCount;
        var running = rig.Lander.RunAsync(stopping.Token);
        await WaitUntilAsync(() => rig.Lander.Status.Objects == 1 && rig.Ingest.Time.TimerCount > timers);
        await rig.AcceptAsync(3, 2);

        rig.Ingest.Time.Advance(TimeSpan.FromSeconds(60));
        await WaitUntilAsync(() => rig.Lander.Status.Objects == 2);

        await stopping.CancelAsync();
        await running;
        AssertSame(rig.Spooled(), await rig.LandedAsync());
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        while (!condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    // The machine's files with only the first records in the spool: what a disk looks like that was put back to an older state.
    private static MemoryFileSystem Without(MemoryFileSystem files, LandingRig rig, int keep)
    {
        var copy = new MemoryFileSystem();
        copy.CreateDirectory("/spool/journal");
        var cut = rig.Spooled()[keep].Position.Offset;
        foreach (var path in files.AllFiles("/spool"))
        {
            var content = files.Peek(path);
            copy.Put(path, path.EndsWith(".seg", StringComparison.Ordinal) ? content.AsSpan(0, (int)cut) : content);
        }

        return copy;
    }

    private static void AssertSame(IEnumerable<(JournalPosition Position, byte[] Bytes)> expected, IEnumerable<(JournalPosition Position, byte[] Bytes)> found) =>
        Assert.Equal(expected.Select(each => $"{each.Position} {Convert.ToHexStringLower(each.Bytes)}"), found.Select(each => $"{each.Position} {Convert.ToHexStringLower(each.Bytes)}"));
}
