using Lm.Collector.SharedLog;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Collectors without their network on one folder in memory: what one commits the others take over.</summary>
public sealed class SharedAcceptanceTests
{
    private readonly MemoryFileSystem bucket = new();

    [Fact]
    public async Task A_batch_that_another_collector_took_is_recognised_and_is_here_once()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await using var other = await SharedMember.StartAsync(bucket, "other");

        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(1)).Outcome);
        Assert.Equal(FrameOutcome.Duplicate, (await other.Rig.SendAsync(1)).Outcome);
        Assert.Equal(FrameOutcome.Accepted, (await other.Rig.SendAsync(2)).Outcome);
        Assert.Equal(FrameOutcome.Duplicate, (await one.Rig.SendAsync(2)).Outcome);

        await one.ShowsAsync(1, 2);
        await other.ShowsAsync(1, 2);
    }

    [Fact]
    public async Task Other_content_under_a_sequence_that_another_collector_took_is_a_fork()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await using var other = await SharedMember.StartAsync(bucket, "other");
        await one.Rig.SendAsync(1, value: 1);

        var ack = await other.Rig.SendAsync(1, value: 2);

        Assert.Equal((409, ProblemCode.SequenceFork), (ack.Status, ack.Code));
        await other.ShowsAsync(1);
    }

    [Fact]
    public async Task Many_at_once_at_both_are_each_there_once_and_in_one_order()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await using var other = await SharedMember.StartAsync(bucket, "other");
        var sending = Enumerable.Range(1, 40).Select(sequence => (sequence % 2 == 0 ? one : other).Rig.SendAsync((ulong)sequence)).ToArray();

        Assert.All(await Task.WhenAll(sending), static ack => Assert.Equal(FrameOutcome.Accepted, ack.Outcome));

        // A batch more at each makes it fold what the other one did.
        await one.Rig.SendAsync(41);
        await other.Rig.SendAsync(42);
        await one.Rig.SendAsync(43);
        await other.Rig.SendAsync(44);
        await one.Rig.AppliedAsync();
        await other.Rig.AppliedAsync();
        Assert.Equal(43, one.Rig.Consumer.Sequences.Distinct().Count());
        Assert.Equal(one.Rig.Consumer.Sequences, other.Rig.Consumer.Sequences.SkipLast(1));
    }

    [Fact]
    public async Task Remote_write_is_at_the_others_too()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await using var other = await SharedMember.StartAsync(bucket, "other");

        Assert.Null(await one.Rig.WriteAsync(new WriteRequestMaker().Series("m", "node", one.Rig.Now.Value, 4.5).ToBody()));
        await other.Rig.SendAsync(1);
        await other.Rig.AppliedAsync();

        Assert.Equal(1, other.Rig.Store.Count);
    }

    [Fact]
    public async Task Where_there_is_no_room_for_series_that_others_took_their_commit_does_not_count_as_being_here()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        var small = await SharedMember.StartAsync(bucket, "small", seriesMax: 0);
        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(1)).Outcome);
        Assert.Null(await one.Rig.WriteAsync(new WriteRequestMaker().Series("m", "node", one.Rig.Now.Value, 4.5).ToBody()));
        await UntilAsync(() => small.Rig.Consumer.Sequences.Any() && small.Acceptance.Local.Missing is [(_, 2)]);

        Assert.Equal((1, 2), small.Acceptance.Local.Missing.Single());
        Assert.Empty(one.Acceptance.Local.Missing);

        // That is known before the rest of the commit is here, which is not looked at again.
        var files = small.Rig.Files.Kill();
        await small.DisposeAsync();
        await using var again = await SharedMember.StartAsync(bucket, "small", files);
        Assert.Equal((1, 2), again.Acceptance.Local.Missing.Single());
    }

    [Fact]
    public async Task While_an_object_of_its_own_takes_long_a_collector_takes_over_what_others_commit()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await using var slow = await SharedMember.StartAsync(bucket, "slow");
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        slow.Store.Holding = key => key.Contains("/raw/", StringComparison.Ordinal) && (reached.TrySetResult() || true) ? released.Task : Task.CompletedTask;
        var sending = slow.Rig.SendAsync(1);
        await reached.Task;

        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(2)).Outcome);
        await UntilAsync(() => slow.Rig.Consumer.Sequences.Contains(2ul));

        Assert.False(sending.IsCompleted);
        released.SetResult();
        Assert.Equal(FrameOutcome.Accepted, (await sending).Outcome);
        await slow.ShowsAsync(2, 1);
    }

    [Fact]
    public async Task An_object_on_its_way_is_not_given_up_because_others_cannot_be_followed_meanwhile()
    {
        await using var slow = await SharedMember.StartAsync(bucket, "slow");
        var (reached, released, failed) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        slow.Store.Holding = key => key.Contains("/raw/", StringComparison.Ordinal) && (reached.TrySetResult() || true) ? released.Task : Task.CompletedTask;
        var sending = slow.Rig.SendAsync(1);
        await reached.Task;
        slow.Store.Trouble = (_, request, _) => request == StoreRequest.Get && (failed.TrySetResult() || true) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await failed.Task;
        slow.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        released.SetResult();

        Assert.Equal(FrameOutcome.Accepted, (await sending).Outcome);
        await slow.ShowsAsync(1);
    }

    [Fact]
    public async Task A_restart_goes_on_where_it_was()
    {
        var one = await SharedMember.StartAsync(bucket, "one");
        await using var other = await SharedMember.StartAsync(bucket, "other");
        await one.Rig.SendAsync(1);
        var files = one.Rig.Files.Kill();
        await one.DisposeAsync();
        await other.Rig.SendAsync(2);

        await using var again = await SharedMember.StartAsync(bucket, "one", files);

        Assert.Equal(FrameOutcome.Duplicate, (await again.Rig.SendAsync(1)).Outcome);
        Assert.Equal(FrameOutcome.Duplicate, (await again.Rig.SendAsync(2)).Outcome);
        await again.ShowsAsync(1, 2);
    }

    [Fact]
    public async Task A_log_that_is_shorter_than_what_was_seen_of_it_is_not_added_to()
    {
        var one = await SharedMember.StartAsync(bucket, "one");
        await one.Rig.SendAsync(1);
        await one.DisposeAsync();

        var refused = await Assert.ThrowsAsync<IOException>(() => SharedMember.StartAsync(new MemoryFileSystem(), "one", one.Rig.Files.Kill())); // its disk is not mounted

        Assert.Contains("ends with commit 0, and commit 1 is here", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_built_last_takes_care_of_blocks_and_log_files_and_once_an_hour_is_enough()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one", filesAfter: TimeSpan.Zero);
        await one.Rig.SendAsync(1);
        await UntilAsync(() => one.Tidied == 1);
        await using var two = await SharedMember.StartAsync(bucket, "two");

        for (var sequence = 2UL; sequence <= 3; sequence++)
        {
            await one.Rig.SendAsync(sequence);
            var covered = one.Acceptance.Status.Covered;
            await UntilAsync(() => one.Acceptance.Status.Covered > covered && two.Acceptance.Status is { Builder: "one" } status && status.Covered > covered); // each has gone on
        }

        Assert.Equal((1, 0), (one.Tidied, two.Tidied));
    }

    [Fact]
    public async Task What_is_done_for_all_and_fails_is_told_until_it_is_done_and_holds_up_no_commit()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one", filesAfter: TimeSpan.Zero);
        one.Store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.Contains("/shared/parts/", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await one.Rig.SendAsync(1);

        await UntilAsync(() => one.Acceptance.Status.UpkeepTrouble is not null);
        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(2)).Outcome);
        Assert.Null(one.Acceptance.Status.Trouble);

        one.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        await UntilAsync(() => one.Acceptance.Status is { UpkeepTrouble: null, Covered: >= 2 });
    }

    [Fact]
    public async Task A_store_that_overwrites_is_refused_at_start()
    {
        var refused = await Assert.ThrowsAsync<IOException>(() => SharedMember.StartAsync(bucket, "one", overwrites: true));

        Assert.Contains("needs a store that refuses", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_answer_of_a_commit_is_lost_the_log_says_what_became_of_it()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        var isLost = false;
        one.Store.Trouble = (_, request, key) => !isLost && request == StoreRequest.Put && key.Contains("commits/", StringComparison.Ordinal) && (isLost = true) ? StoreTrouble.FailsAfter : StoreTrouble.None;

        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(1)).Outcome);

        Assert.True(isLost);
        await one.ShowsAsync(1);
    }

    [Fact]
    public async Task Where_nothing_answers_any_more_the_batch_is_refused_and_shows_once_when_it_comes_again()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        var isAway = false;
        one.Store.Trouble = (_, request, key) =>
        {
            var isFirst = !isAway && request == StoreRequest.Put && key.Contains("commits/", StringComparison.Ordinal);
            var trouble = isFirst ? StoreTrouble.FailsAfter : isAway ? StoreTrouble.FailsBefore : StoreTrouble.None;
            isAway |= isFirst;
            return trouble;
        };

        var ack = await one.Rig.SendAsync(1);
        Assert.Equal((503, ProblemCode.StoreUnreachable), (ack.Status, ack.Code));
        Assert.NotNull(one.Acceptance.HoldReason);

        one.Store.Trouble = static (_, _, _) => StoreTrouble.None; // it had arrived
        Assert.Equal(FrameOutcome.Duplicate, (await one.Rig.SendAsync(1)).Outcome);
        await one.ShowsAsync(1);
    }

    [Fact]
    public async Task Behind_a_commit_that_was_cleaned_away_nothing_is_acknowledged_however_recent_it_looks()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await one.Rig.SendAsync(1);
        await one.Store.DeleteAsync(LandingRig.Keys.Commit(1), TestContext.Current.CancellationToken); // days went by, and its clock does not know

        Assert.Equal(503, (await one.Rig.SendAsync(2)).Status);
        Assert.Equal(503, (await one.Rig.SendAsync(2)).Status); // nor when it finds its own commit there
        await one.ShowsAsync(1);
    }

    [Fact]
    public async Task Behind_a_commit_that_is_not_the_one_that_was_followed_nothing_is_acknowledged()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await one.Rig.SendAsync(1);
        var stray = new BuildCommit("other", Guid.NewGuid(), one.Rig.Now, 1, 0, [], [], default);
        await one.Store.PutAsync(LandingRig.Keys.Commit(1), ObjectContent.Of(CommitCodec.Write(stray)), PutCondition.None, TestContext.Current.CancellationToken);

        Assert.Equal(503, (await one.Rig.SendAsync(2)).Status);
        Assert.Contains("is not what was followed here any more", one.Acceptance.HoldReason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_others_committed_is_taken_over_though_requests_hold_all_memory()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        await using var other = await SharedMember.StartAsync(bucket, "other");
        other.Store.Trouble = (_, request, key) =>
        {
            if (request == StoreRequest.Put && key.Contains("commits/", StringComparison.Ordinal))
            {
                other.Rig.MemoryMax = 0; // its own request has what it needs
            }

            return StoreTrouble.None;
        };
        await one.Rig.SendAsync(1);

        Assert.Equal(FrameOutcome.Accepted, (await other.Rig.SendAsync(2)).Outcome);
        await other.ShowsAsync(1, 2);
    }

    [Fact]
    public async Task With_a_full_spool_the_commit_is_acknowledged_and_nothing_more_is_taken_until_its_copy_is_written()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        one.Rig.SpoolSizeMax = 1;

        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(1)).Outcome);
        Assert.Equal(503, (await one.Rig.SendAsync(2)).Status);
        Assert.Contains("could not be written to the spool", one.Acceptance.HoldReason, StringComparison.Ordinal);

        one.Rig.SpoolSizeMax = 1 << 30;
        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendAsync(2)).Outcome);
        await one.ShowsAsync(1, 2);
    }

    [Fact]
    public async Task Up_is_refused_at_once_while_the_log_is_not_followed()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        one.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;
        Assert.Equal(503, (await one.Rig.SendAsync(1)).Status);

        var result = await one.Acceptance.AppendAsync(new AcceptedUps(default, one.Rig.Now, [], IsReplay: false));

        Assert.Equal((SpoolStatus.Failed, "the shared log is not followed now"), (result.Status, result.Detail));
    }

    [Fact]
    public async Task A_commit_that_loses_every_round_is_given_up_in_time()
    {
        var time = new ManualTime();
        var store = new FaultyStore(new DirectoryObjectStore(bucket, LandingRig.Bucket, "one", new StoreCounters()));
        var member = new LogMember(new LogMemberParts(new LogObjects(store, LandingRig.Keys), "one", new FailingConsumer(), time, new Random(1), new LogOptions()), 0);
        for (var number = 1; number <= 5; number++)
        {
            var faster = new BuildCommit("other", Guid.NewGuid(), UnixMillis.Now(time), 1, 0, [], [], default);
            await store.PutAsync(LandingRig.Keys.Commit(number), ObjectContent.Of(CommitCodec.Write(faster)), PutCondition.IfAbsent, TestContext.Current.CancellationToken);
        }

        store.Trouble = (_, request, _) =>
        {
            time.Advance(request == StoreRequest.Put ? TimeSpan.FromSeconds(11) : TimeSpan.Zero);
            return StoreTrouble.None;
        };
        var draft = new Draft(new StoredObject("raw", 100, ""), [new CommitEntry(2, 0, 10, 0, default, null)]);

        var late = await Assert.ThrowsAsync<ObjectStoreException>(() => member.CommitAsync(draft, TestContext.Current.CancellationToken));

        Assert.Contains("were first at every number for 20 s, up to commit 2", late.Message, StringComparison.Ordinal);
    }

    // Of a log in which nothing becomes visible.
    private sealed class FailingConsumer : ILogConsumer
    {
        public ValueTask ApplyAsync(long number, DataCommit commit, bool[] visible, Draft? own, CancellationToken cancellationToken) => throw new IOException("nothing is visible");

        public ValueTask ApplyPartAsync(LogPart part, long after, CancellationToken cancellationToken) => throw new IOException("nothing is visible");

        public void Skip(long first, long last) => throw new IOException("nothing is visible");
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
