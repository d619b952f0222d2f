using Lm.Collector.Spool;
using Lm.Collector.Tests.Ingest;
using Lm.Journal;
using Lm.Protocol;

namespace Lm.Collector.Tests.Spool;

public sealed class BatchSpoolTests
{
    [Fact]
    public async Task Consumers_see_batches_in_commit_order_the_same_live_as_at_replay()
    {
        await using var rig = new IngestRig(segmentSizeMax: 1000);
        await Task.WhenAll(Enumerable.Range(1, 200).Select(i => Task.Run(() => rig.SendAsync((ulong)i))));
        await rig.AppliedAsync();
        var live = rig.Consumer.All.Select(batch => (batch.Position, batch.Key)).ToArray();
        Assert.Equal(200, live.Length);
        Assert.Equal(live.OrderBy(batch => batch.Position), live);

        await using var later = rig.AfterKill();
        Assert.Equal(live, later.Consumer.All.Select(batch => (batch.Position, batch.Key)));
    }

    [Fact]
    public async Task Who_waits_for_what_was_acknowledged_sees_it()
    {
        await using var rig = new IngestRig();
        for (var sequence = 1UL; sequence <= 50; sequence++)
        {
            await rig.SendAsync(sequence);
            await rig.AppliedAsync();
            Assert.Equal(sequence, rig.Consumer.Sequences.Max());
        }
    }

    [Fact]
    public async Task A_replay_skips_and_counts_a_record_that_repeats_another()
    {
        await using var rig = new IngestRig();
        var frame = rig.Frame(1);
        await rig.SendFrameAsync(1, frame);
        await rig.Spool.DisposeAsync();

        // What no code of ours writes: the same batch twice, as a journal brought together by hand would have it.
        var journal = Lm.Journal.Journal.Open(rig.Files, "/spool/journal", new JournalOptions { RecordSizeMax = BatchSpool.RecordSizeMax });
        var head = SpoolRecord.WriteHead(rig.Now, 0, new BatchVerdict { OldestAccepted = default });
        await journal.AppendAsync(head, frame, null, CancellationToken.None);
        await journal.AppendAsync(head, "not a frame"u8.ToArray(), null, CancellationToken.None);
        await journal.DisposeAsync();

        await using var later = rig.AfterKill();
        Assert.Equal([1UL], later.Consumer.Sequences);
        Assert.Equal(1, later.SpoolMetrics.RepeatsLeftOut);
        Assert.Equal(1, later.SpoolMetrics.RecordsUnreadable);
    }

    [Fact]
    public async Task K12_the_incarnation_stays_the_same_over_restarts()
    {
        await using var rig = new IngestRig();
        await rig.SendAsync(1);
        await using var later = rig.AfterPowerCut(1);
        Assert.Equal(rig.Spool.Incarnation, later.Spool.Incarnation);
        Assert.NotEqual(Guid.Empty, later.Spool.Incarnation);
    }

    [Fact]
    public async Task A_snapshot_that_is_damaged_is_replaced_by_reading_the_spool()
    {
        await using var rig = new IngestRig();
        var frame = rig.Frame(1);
        await rig.SendFrameAsync(1, frame);
        Assert.True(rig.Trim.TryWriteSnapshot());
        rig.Files.Corrupt("/spool/ledger.snapshot", 20, 0xFF, 0xFF);
        await using var later = rig.AfterKill();
        Assert.Equal(FrameOutcome.Duplicate, (await later.SendFrameAsync(1, frame)).Outcome);
    }
}
