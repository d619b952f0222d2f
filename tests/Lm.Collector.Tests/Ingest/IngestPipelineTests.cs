using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Ingest;

public sealed class IngestPipelineTests
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_batch_is_acknowledged_once_it_is_durable_and_reaches_the_consumers()
    {
        await using var rig = new IngestRig();
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendAsync(1)).Outcome);
        await rig.AppliedAsync();
        Assert.Equal([1UL], rig.Consumer.Sequences);

        await using var later = new IngestRig(rig.Files.PowerCut(new Random(1)), rig.Time);
        Assert.Equal([1UL], later.Consumer.Sequences);
        Assert.True(later.Consumer.All[0].IsReplay);
    }

    [Fact]
    public async Task P3_a_batch_delivered_twice_is_visible_once_also_after_two_crashes_in_a_row()
    {
        await using var rig = new IngestRig();
        var frame = rig.Frame(1);
        await rig.SendFrameAsync(1, frame);
        Assert.Equal(FrameOutcome.Duplicate, (await rig.SendFrameAsync(1, frame)).Outcome);

        await using var second = rig.AfterPowerCut(1);
        Assert.Equal(FrameOutcome.Duplicate, (await second.SendFrameAsync(1, frame)).Outcome);
        await using var third = second.AfterPowerCut(2);
        Assert.Equal(FrameOutcome.Duplicate, (await third.SendFrameAsync(1, frame)).Outcome);
        Assert.Equal([1UL], third.Consumer.Sequences);
    }

    [Fact]
    public async Task D1_a_copy_of_a_pending_batch_shares_the_failure_of_the_first()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        rig.Files.Fault = operation =>
        {
            if (operation.Kind != FileOperationKind.Sync)
            {
                return null;
            }

            reached.Set();
            goOn.Wait(Cancelled);
            return FileFault.InputOutput;
        };
        var frame = rig.Frame(2);
        var first = rig.SendFrameAsync(2, frame);
        reached.Wait(Cancelled);
        var copy = rig.SendFrameAsync(2, frame);
        Assert.False(copy.IsCompleted);
        goOn.Set();
        Assert.Equal((503, ProblemCode.StoreUnreachable), Answer(await first));
        Assert.Equal((503, ProblemCode.StoreUnreachable), Answer(await copy));

        rig.Files.Fault = null;
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendFrameAsync(2, frame)).Outcome);
        await rig.AppliedAsync();
        Assert.Equal([1UL, 2UL], rig.Consumer.Sequences);
    }

    [Fact]
    public async Task D1_a_copy_of_a_pending_batch_is_had_already_once_the_first_is_durable()
    {
        await using var rig = new IngestRig();
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        rig.Files.Fault = operation =>
        {
            if (operation.Kind == FileOperationKind.Sync && !reached.IsSet)
            {
                reached.Set();
                goOn.Wait(Cancelled);
            }

            return null;
        };
        var frame = rig.Frame(1);
        var first = rig.SendFrameAsync(1, frame);
        reached.Wait(Cancelled);
        var copy = rig.SendFrameAsync(1, frame);
        goOn.Set();
        Assert.Equal([FrameOutcome.Accepted, FrameOutcome.Duplicate], [(await first).Outcome, (await copy).Outcome]);
    }

    [Fact]
    public async Task D3_a_batch_whose_sync_failed_is_not_revived_by_a_restart()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        rig.Files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        Assert.Equal(503, (await rig.SendAsync(2)).Status);
        rig.Files.Fault = null;
        await rig.SendAsync(3);
        await using var later = rig.AfterKill();
        Assert.Equal([1UL, 3UL], later.Consumer.Sequences);
        Assert.Equal(FrameOutcome.Accepted, (await later.SendAsync(2)).Outcome);
    }

    [Fact]
    public async Task A_full_disk_answers_503_and_batches_are_taken_again_once_there_is_room()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        rig.Files.Fault = operation => operation.Kind == FileOperationKind.Write ? FileFault.NoSpace : null;
        Assert.Equal((503, ProblemCode.SpoolFull), Answer(await rig.SendAsync(2)));
        Assert.NotNull(rig.Spool.Trouble);
        rig.Files.Fault = null;
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendAsync(2)).Outcome);
        Assert.Null(rig.Spool.Trouble);
    }

    [Fact]
    public async Task A_spool_at_max_spool_bytes_answers_503_and_loses_nothing()
    {
        await using var rig = new IngestRig(spoolSizeMax: 100);
        Assert.Equal((503, ProblemCode.SpoolFull), Answer(await rig.SendAsync(1)));
        rig.SpoolSizeMax = 1 << 20;
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendAsync(1)).Outcome);
    }

    [Fact]
    public async Task D2_replay_applies_the_verdict_and_does_not_judge_again()
    {
        await using var rig = new IngestRig();
        var old = rig.Now.Add(-TimeSpan.FromDays(34.9)).Value;
        Assert.Equal(0, (await rig.SendFrameAsync(1, FrameMaker.Frame(1, rig.Now, times: [old, rig.Now.Value]))).DroppedTooOld);
        rig.Time.Advance(TimeSpan.FromDays(1));
        await using var later = rig.AfterKill(new Limits { SamplesPerBatchMax = 1, SeriesPerBatchMax = 0, BatchBytesMax = 10 });
        var seen = Assert.Single(later.Consumer.All);
        Assert.Equal(2, seen.Samples);
        Assert.True(seen.Verdict.OldestAccepted.Value <= old);
    }

    [Fact]
    public async Task D2_what_was_dropped_stays_dropped_at_replay()
    {
        await using var rig = new IngestRig();
        var old = rig.Now.Add(-TimeSpan.FromDays(36)).Value;
        var ack = await rig.SendFrameAsync(1, FrameMaker.Frame(1, rig.Now, times: [old, rig.Now.Value]));
        Assert.Equal((FrameOutcome.Accepted, 1), (ack.Outcome, ack.DroppedTooOld));
        await rig.AppliedAsync();
        await using var later = rig.AfterKill();
        Assert.Equal(rig.Consumer.All[0].Verdict.OldestAccepted, later.Consumer.All[0].Verdict.OldestAccepted);
        Assert.True(later.Consumer.All[0].Verdict.OldestAccepted.Value > old);
    }

    [Fact]
    public async Task D4_a_repeat_is_known_after_its_segment_is_gone()
    {
        var rig = new IngestRig(segmentSizeMax: 1);
        var frame = rig.Frame(1);
        await rig.SendFrameAsync(1, frame);
        await rig.SendAsync(2);
        rig.Time.Advance(TimeSpan.FromDays(30));
        await rig.SendAsync(3);
        rig.Trim.Run(StorageWith(localDays: 20, backfillDays: 35));
        Assert.Single(rig.Spool.Segments);

        await using var later = rig.AfterPowerCut(3);
        Assert.Equal([3UL], later.Consumer.Sequences);
        Assert.Equal(FrameOutcome.Duplicate, (await later.SendFrameAsync(1, frame)).Outcome);
    }

    [Fact]
    public async Task D4_no_segment_goes_when_the_snapshot_cannot_be_written()
    {
        await using var rig = new IngestRig(segmentSizeMax: 1);
        await rig.SendAsync(1);
        await rig.SendAsync(2);
        rig.Time.Advance(TimeSpan.FromDays(100));
        rig.Files.Fault = operation => operation.Path.Contains("ledger", StringComparison.Ordinal) ? FileFault.NoSpace : null;
        rig.Trim.Run(StorageWith(localDays: 20, backfillDays: 10));
        Assert.Equal(2, rig.Spool.Segments.Count);
    }

    [Fact]
    public async Task A_snapshot_does_not_hide_what_it_covers_from_the_consumers_of_the_next_start()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        Assert.True(rig.Trim.TryWriteSnapshot());
        await rig.SendAsync(2);
        await using var later = rig.AfterPowerCut(5);
        Assert.Equal([1UL, 2UL], later.Consumer.Sequences);
        Assert.Equal(2UL, later.State.Highest);
        Assert.Equal(0, later.SpoolMetrics.RepeatsLeftOut);
    }

    [Fact]
    public async Task D5_the_same_sequence_with_other_content_is_409_also_after_a_restart()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(500, value: 1);
        Assert.Equal((409, ProblemCode.SequenceFork), Answer(await rig.SendAsync(500, value: 2)));
        await using var later = rig.AfterKill();
        Assert.Equal((409, ProblemCode.SequenceFork), Answer(await later.SendAsync(500, value: 2)));
    }

    [Fact]
    public async Task D6_gaps_are_counted_from_the_floor_also_after_a_restart()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1, floor: 1);
        await rig.SendAsync(4, floor: 4);
        Assert.Equal(2UL, rig.State.Gaps);
        await using var later = rig.AfterKill();
        Assert.Equal(2UL, later.State.Gaps);
        Assert.Equal(1, later.State.Intervals);
    }

    [Fact]
    public async Task D7_frames_of_a_request_are_taken_one_by_one()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1, value: 1);
        byte[] body = [.. rig.Frame(1, value: 1), .. rig.Frame(2), .. rig.Frame(1, value: 9), .. FrameMaker.Frame(3, rig.Now.Add(TimeSpan.FromHours(1)))];
        var outcome = await rig.SendBodyAsync(1, 3, body);
        Assert.True(outcome.IsAck);
        Assert.Equal(
            [FrameOutcome.Duplicate, FrameOutcome.Accepted, FrameOutcome.Refused, FrameOutcome.Refused], outcome.Frames.Select(frame => frame.Outcome));
        Assert.Equal([ProblemCode.SequenceFork, ProblemCode.FutureTimestamp], outcome.Frames.Skip(2).Select(frame => frame.Code));
    }

    [Fact]
    public async Task Whole_frames_before_a_broken_one_are_taken()
    {
        await using var rig = new IngestRig();
        byte[] body = [.. rig.Frame(1), .. "LMFRAMF\n0000000000000000"u8];
        var outcome = await rig.SendBodyAsync(1, 2, body);
        Assert.Equal([FrameOutcome.Accepted, FrameOutcome.Refused], outcome.Frames.Select(frame => frame.Outcome));
        Assert.Equal(ProblemCode.MalformedFrame, outcome.Frames[1].Code);
    }

    [Fact]
    public async Task A_request_none_of_whose_frames_was_taken_has_the_status_of_the_first()
    {
        await using var rig = new IngestRig();
        var future = FrameMaker.Frame(1, rig.Now.Add(TimeSpan.FromHours(1)));
        var outcome = await rig.SendBodyAsync(1, 1, [.. future, .. "nonsense"u8]);
        Assert.False(outcome.IsAck);
        Assert.Equal((429, ProblemCode.FutureTimestamp), Answer(outcome.Frames[0]));
    }

    [Fact]
    public async Task C25_a_future_batch_is_refused_for_now_and_holds_back_no_other()
    {
        await using var rig = new IngestRig();
        var frame = FrameMaker.Frame(1, rig.Now.Add(TimeSpan.FromSeconds(601)));
        var ack = await rig.SendFrameAsync(1, frame);
        Assert.Equal((429, ProblemCode.FutureTimestamp), Answer(ack));
        Assert.Contains("601 s ahead", ack.Detail, StringComparison.Ordinal);
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendAsync(2)).Outcome);
        rig.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendFrameAsync(1, frame)).Outcome);
    }

    [Fact]
    public async Task C25_too_old_records_are_dropped_and_counted_and_the_batch_is_taken()
    {
        await using var rig = new IngestRig();
        var ack = await rig.SendFrameAsync(1, FrameMaker.Frame(1, rig.Now.Add(-TimeSpan.FromDays(40))));
        Assert.Equal((FrameOutcome.Accepted, 1), (ack.Outcome, ack.DroppedTooOld));
    }

    [Fact]
    public async Task C26_a_clock_that_fell_behind_drops_nothing_as_too_old_and_refuses_nothing_as_future()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        var today = rig.Frame(2);
        var old = FrameMaker.Frame(3, rig.Now.Add(-TimeSpan.FromDays(36 + 365)));
        rig.Time.JumpWallClock(-TimeSpan.FromDays(365));
        Assert.Equal((503, ProblemCode.ClockSuspect), Answer(await rig.SendFrameAsync(2, today)));
        Assert.Equal((503, ProblemCode.ClockSuspect), Answer(await rig.SendFrameAsync(3, old)));
        rig.Time.JumpWallClock(TimeSpan.FromDays(365));
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendFrameAsync(2, today)).Outcome);
    }

    [Fact]
    public async Task C26_the_clock_is_suspect_also_against_what_was_stored_before_a_restart()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        rig.Time.JumpWallClock(-TimeSpan.FromDays(1));
        await using var later = rig.AfterKill();
        Assert.True(later.Clock.IsSuspect(out var behind));
        Assert.Equal(TimeSpan.FromDays(1), behind);
        Assert.Equal(FrameOutcome.Accepted, (await later.SendFrameAsync(2, FrameMaker.Frame(2, later.Now))).Outcome);
    }

    [Fact]
    public async Task C26_clocks_that_differ_drop_nothing_as_too_old()
    {
        await using var rig = new IngestRig();
        var frame = FrameMaker.Frame(1, rig.Now.Add(-TimeSpan.FromDays(40)));
        Assert.Equal((503, ProblemCode.ClockSuspect), Answer(await rig.SendFrameAsync(1, frame, sentAt: rig.Now.Add(-TimeSpan.FromSeconds(601)))));
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendFrameAsync(1, frame, sentAt: rig.Now.Add(-TimeSpan.FromSeconds(599)))).Outcome);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(0)]
    public async Task C26_a_clock_beyond_all_reason_is_suspect_and_costs_no_memory(long sentAt)
    {
        await using var rig = new IngestRig();
        var frame = FrameMaker.Frame(1, rig.Now.Add(-TimeSpan.FromDays(40)));
        Assert.Equal((503, ProblemCode.ClockSuspect), Answer(await rig.SendFrameAsync(1, frame, sentAt: new UnixMillis(sentAt))));
        Assert.Equal(0, rig.Budget.Taken);
    }

    [Fact]
    public async Task A_repeat_is_had_already_even_when_its_time_would_be_refused_today()
    {
        await using var rig = new IngestRig();
        var frame = rig.Frame(1);
        await rig.SendFrameAsync(1, frame);
        rig.Time.JumpWallClock(-TimeSpan.FromDays(1));
        Assert.Equal(FrameOutcome.Duplicate, (await rig.SendFrameAsync(1, frame)).Outcome);
    }

    [Fact]
    public async Task Headers_that_contradict_the_frames_are_named()
    {
        await using var rig = new IngestRig();
        var ack = await rig.SendFrameAsync(6, rig.Frame(5));
        Assert.Equal((400, ProblemCode.MalformedBatch), Answer(ack));
        Assert.Contains("are 6 and 6; the frames have 5 to 5", ack.Detail, StringComparison.Ordinal);
        Assert.Empty(rig.Ledger.Snapshot());
    }

    [Fact]
    public async Task P7_a_batch_that_names_another_agent_is_403()
    {
        await using var rig = new IngestRig();
        Assert.Equal((403, ProblemCode.AgentMismatch), Answer(await rig.SendFrameAsync(1, rig.Frame(1, agent: "other"))));
    }

    [Fact]
    public async Task A_frame_above_max_batch_bytes_is_a_limit_and_the_next_one_is_taken()
    {
        await using var rig = new IngestRig(limits: new Limits { BatchBytesMax = 400 });
        var large = FrameMaker.Frame(1, rig.Now, times: [.. Enumerable.Range(0, 100).Select(i => rig.Now.Value - i)]);
        var outcome = await rig.SendBodyAsync(1, 2, [.. large, .. rig.Frame(2)]);
        Assert.Equal([(400, ProblemCode.LimitExceeded), (200, "")], outcome.Frames.Select(Answer));
    }

    [Fact]
    public async Task Memory_of_requests_is_given_back_however_they_end()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await rig.SendAsync(1);
        await rig.SendAsync(1, value: 2);
        await rig.SendFrameAsync(9, rig.Frame(5));
        await rig.SendFrameAsync(5, FrameMaker.Frame(5, rig.Now.Add(TimeSpan.FromDays(1))));
        rig.Files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        await rig.SendAsync(6);
        rig.Files.Fault = null;
        await rig.AppliedAsync();
        Assert.Equal(0, rig.Budget.Taken);
    }

    [Fact]
    public async Task Everything_acknowledged_is_there_once_after_power_cuts_at_any_call()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            var random = new Random(seed);
            var rig = new IngestRig(new MemoryFileSystem(seed), segmentSizeMax: 400);
            rig.Files.HaltAt = rig.Files.OperationCount + random.Next(1, 60);
            var acknowledged = new List<ulong>();
            for (var sequence = 1UL; sequence <= 12; sequence++)
            {
                if ((await rig.SendAsync(sequence)).Outcome == FrameOutcome.Accepted)
                {
                    acknowledged.Add(sequence);
                }
            }

            await using var later = rig.AfterPowerCut(seed);
            Assert.Equal(later.Consumer.Sequences.Distinct(), later.Consumer.Sequences);
            Assert.True(acknowledged.All(later.Consumer.Sequences.Contains), $"seed {seed}: acknowledged {string.Join(' ', acknowledged)}, held {string.Join(' ', later.Consumer.Sequences)}");
            for (var sequence = 1UL; sequence <= 12; sequence++)
            {
                Assert.Equal(later.Consumer.Sequences.Contains(sequence), (await later.SendAsync(sequence)).Outcome == FrameOutcome.Duplicate);
            }
        }
    }

    private static (int, string) Answer(FrameAck ack) => (ack.Status, ack.Code);

    private static Collector.Settings.StorageSettings StorageWith(int localDays, int backfillDays) => new()
    {
        CollectorId = "c",
        SpoolDirectory = "/spool",
        CacheDirectory = "/cache",
        SpoolSizeMax = 1 << 30,
        LocalSizeMax = 1 << 30,
        BlockHours = 2,
        LocalRetention = TimeSpan.FromDays(localDays),
        Backfill = TimeSpan.FromDays(backfillDays),
    };
}
