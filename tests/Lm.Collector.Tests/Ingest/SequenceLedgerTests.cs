using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.Ingest;

public sealed class SequenceLedgerTests
{
    private static readonly UnixMillis Now = new(1_000_000);
    private readonly SequenceLedger ledger = new();
    private long position;

    [Fact]
    public void A_floor_that_waits_does_not_hide_what_another_collector_committed_below_it()
    {
        var shared = new SequenceLedger { FloorsWait = true };
        shared.Commit(Taken(116, 1)!, new JournalPosition(0, 1));

        var pending = shared.Admit(KeyOf(120), new FrameFingerprint(120, 1), floor: 118, default, mayEnter: true).Batch!;
        Assert.Equal(118ul, pending.Floor); // the log gets it
        Assert.NotNull(Taken(100, 1)); // in the slot of 116: it would count as forgotten
        Assert.Equal(1ul, Assert.Single(shared.Snapshot()).Floor);

        shared.Commit(pending, new JournalPosition(0, 2));
        Assert.Equal(118ul, Assert.Single(shared.Snapshot()).Floor);

        PendingBatch? Taken(ulong sequence, ulong floor) => shared.TakeCommitted(KeyOf(sequence), new FrameFingerprint((uint)sequence, 1), floor, default);
        static BatchKey KeyOf(ulong sequence) => new("a1", new QueueId(1), new SequenceRange(sequence, sequence));
    }

    [Fact]
    public void A_committed_sequence_is_a_duplicate()
    {
        Commit(1);
        Assert.Equal(Admission.Duplicate, Look(1).Admission);
    }

    [Fact]
    public void D1_a_pending_sequence_is_neither_accepted_nor_new()
    {
        var pending = Admit(1).Batch;
        var copy = Admit(1);
        Assert.Equal(Admission.Pending, copy.Admission);
        Assert.Same(pending, copy.Batch);
        Assert.Equal(0UL, State.Highest);
    }

    [Fact]
    public void D1_a_batch_that_did_not_become_durable_leaves_no_trace()
    {
        ledger.RollBack(Admit(1).Batch!);
        Assert.Empty(ledger.Snapshot());
        Assert.Equal(Admission.New, Admit(1).Admission);
    }

    [Fact]
    public void D5_the_same_sequence_with_other_content_is_a_fork()
    {
        Commit(500, crc: 1);
        Assert.Equal(Admission.Fork, Look(500, crc: 2).Admission);
    }

    [Fact]
    public void D5_a_pending_sequence_with_other_content_is_a_fork()
    {
        Admit(500, crc: 1);
        Assert.Equal(Admission.Fork, Look(500, crc: 2).Admission);
    }

    [Fact]
    public void D5_a_sequence_older_than_the_memory_counts_as_a_duplicate()
    {
        for (var sequence = 1UL; sequence <= FrameMemory.SizeMax + 1; sequence++)
        {
            Commit(sequence);
        }

        Assert.Equal(Admission.Duplicate, Look(1, crc: 99).Admission);
        Assert.Equal(Admission.Fork, Look(2, crc: 99).Admission);
    }

    [Fact]
    public void D6_holes_below_the_floor_are_final_and_counted()
    {
        Commit(1);
        Commit(2);
        Commit(5);
        Commit(8, floor: 7);
        Assert.Equal(3UL, State.Gaps); // 3, 4, 6
        Assert.Equal(1UL, State.Missing); // 7
        Assert.Equal(2, State.Intervals);
        Assert.Equal(7UL, State.Floor);
    }

    [Fact]
    public void D6_the_first_floor_is_where_knowledge_begins_and_no_gap()
    {
        Commit(500, floor: 500);
        Assert.Equal(0UL, State.Gaps);
        Assert.Equal(0UL, State.Missing);
        Assert.Equal(1, State.Intervals);
    }

    [Fact]
    public void D6_a_final_hole_that_is_known_never_to_have_come_is_a_fork_not_had_already()
    {
        Commit(1);
        Commit(5, floor: 5);
        Assert.Equal(Admission.Fork, Look(3).Admission);
    }

    [Fact]
    public void D6_a_floor_above_what_the_request_sends_does_not_make_its_own_batch_final()
    {
        Commit(5, floor: 100);
        Assert.Equal(5UL, State.Floor);
        Assert.Equal(Admission.New, Look(6).Admission);
    }

    [Fact]
    public void D6_too_many_intervals_are_refused_and_never_merged()
    {
        for (var i = 0UL; i < QueueSequences.IntervalsMax; i++)
        {
            Commit((2 * i) + 1);
        }

        Assert.Equal(Admission.TooManyGaps, Look(100_001).Admission);
        Assert.Equal(Admission.New, Look(2).Admission); // joins two
        Assert.Equal(QueueSequences.IntervalsMax, State.Intervals);
        Assert.Equal(Admission.New, Admit(100_001, floor: 5001).Admission); // the floor made room
    }

    [Fact]
    public void D7_a_partial_overlap_with_an_accepted_range_is_refused()
    {
        Commit(5, end: 8);
        Assert.Equal(Admission.Overlap, Look(8, end: 9).Admission);
        Assert.Equal(Admission.Overlap, Look(6, end: 7).Admission);
        Assert.Equal(Admission.Duplicate, Look(5, end: 8).Admission);
    }

    [Fact]
    public void D7_a_partial_overlap_with_a_pending_range_is_refused()
    {
        Admit(5, end: 8);
        Assert.Equal(Admission.Overlap, Look(4, end: 5).Admission);
    }

    [Fact]
    public void D4_a_queue_is_forgotten_only_after_its_time_and_never_while_a_batch_is_pending()
    {
        Commit(1);
        Assert.Equal(0, ledger.Forget(Now));
        var pending = Admit(2).Batch!;
        Assert.Equal(0, ledger.Forget(Now.Add(TimeSpan.FromDays(40))));
        ledger.RollBack(pending);
        Assert.Equal(1, ledger.Forget(Now.Add(TimeSpan.FromDays(40))));
        Assert.Empty(ledger.Snapshot());
    }

    [Fact]
    public void An_agent_cannot_have_more_queues_than_are_kept()
    {
        for (var queue = 0; queue < SequenceLedger.QueuesPerAgentMax; queue++)
        {
            Commit(1, queue: (ulong)queue + 1);
        }

        Assert.Equal(Admission.TooManyGaps, Look(1, queue: 1000).Admission);
        Assert.Equal(Admission.New, Look(2, queue: 1).Admission);
    }

    [Fact]
    public void Queues_whose_batches_all_failed_do_not_use_up_the_agents_queues()
    {
        for (var queue = 0; queue < 2 * SequenceLedger.QueuesPerAgentMax; queue++)
        {
            ledger.RollBack(Admit(1, queue: (ulong)queue + 1).Batch!);
        }

        Assert.Equal(Admission.New, Look(1, queue: 1000).Admission);
    }

    [Fact]
    public void D6_final_holes_are_final_in_the_next_life_too_and_the_rest_was_had()
    {
        foreach (var sequence in (ulong[])[1, 2, 4])
        {
            Commit(sequence);
        }

        Commit(6, floor: 6);
        Commit(7, end: 9);
        var life = Guid.NewGuid();
        var next = new SequenceLedger();
        Assert.Null(next.TryRestoreLife(ledger.ToBytes(life), life, out _));
        next.Restore(Key(1).AgentId, Key(1).QueueId, [new SequenceRange(6, 9)], Now); // a manifest that the snapshot covers already

        Admission Find(ulong sequence, ulong? end = null) => next.Admit(Key(sequence, end), Fingerprint(1), 0, Now, mayEnter: false).Admission;
        foreach (var sequence in (ulong[])[1, 2, 4, 6])
        {
            Assert.Equal(Admission.Duplicate, Find(sequence));
        }

        Assert.Equal(Admission.Fork, Find(3));
        Assert.Equal(Admission.Fork, Find(5));
        Assert.Equal(Admission.Duplicate, Find(7, 9));
        Assert.Equal(Admission.New, Find(10));
        Assert.Equal(2UL, Assert.Single(next.Snapshot()).Gaps);
    }

    [Fact]
    public void A_batch_acknowledged_while_the_floor_rose_over_it_is_no_repeat_at_replay()
    {
        Assert.True(ledger.Replay(Key(6), Fingerprint(1), 6, Now, new JournalPosition(0, 1)));
        Assert.True(ledger.Replay(Key(5), Fingerprint(1), 5, Now, new JournalPosition(0, 2)));
        Assert.False(ledger.Replay(Key(5), Fingerprint(1), 5, Now, new JournalPosition(0, 3)));
    }

    [Fact]
    public void D4_a_snapshot_brings_everything_back()
    {
        Commit(1);
        Commit(2);
        Commit(9, floor: 4);
        Commit(3, queue: 99);
        var restored = new SequenceLedger();
        Assert.Null(restored.TryRestore(ledger.ToBytes(Guid.Empty), Guid.Empty));
        Assert.Equal(ledger.Snapshot(), restored.Snapshot());
        Assert.Equal(ledger.Covered, restored.Covered);
        Assert.Equal(Admission.Fork, restored.Admit(Key(9), Fingerprint(2), 0, Now, true).Admission);
        Assert.Equal(Admission.Duplicate, restored.Admit(Key(9), Fingerprint(1), 0, Now, true).Admission);
    }

    [Fact]
    public void No_changed_byte_of_a_snapshot_goes_unnoticed()
    {
        Commit(1);
        var bytes = ledger.ToBytes(Guid.Empty);
        for (var at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= 0x10;
            Assert.NotNull(new SequenceLedger().TryRestore(bytes, Guid.Empty));
            Assert.NotNull(new SequenceLedger().TryRestore(bytes.AsSpan(0, at), Guid.Empty));
            bytes[at] ^= 0x10;
        }

        Assert.NotNull(new SequenceLedger().TryRestore(bytes, Guid.NewGuid()));
    }

    private QueueState State => ledger.Snapshot()[0];

    private static BatchKey Key(ulong sequence, ulong? end = null, ulong queue = 7) => new("a1", new QueueId(queue), new SequenceRange(sequence, end ?? sequence));

    private static FrameFingerprint Fingerprint(uint crc) => new(crc, 100);

    private AdmissionResult Admit(ulong sequence, ulong? end = null, uint crc = 1, ulong floor = 0, ulong queue = 7) =>
        ledger.Admit(Key(sequence, end, queue), Fingerprint(crc), floor, Now, mayEnter: true);

    private AdmissionResult Look(ulong sequence, ulong? end = null, uint crc = 1, ulong queue = 7)
    {
        var result = ledger.Admit(Key(sequence, end, queue), Fingerprint(crc), 0, Now, mayEnter: true);
        if (result is { Admission: Admission.New, Batch: { } pending })
        {
            ledger.RollBack(pending);
        }

        return result;
    }

    private void Commit(ulong sequence, ulong? end = null, uint crc = 1, ulong floor = 0, ulong queue = 7)
    {
        var result = Admit(sequence, end, crc, floor, queue);
        Assert.Equal(Admission.New, result.Admission);
        ledger.Commit(result.Batch!, new JournalPosition(0, ++position));
    }
}
