using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Ingest;

public sealed class LedgerSnapshotGoldenTests
{
    // docs/formats/ledger.md describes these bytes; a second implementation wrote them.
    private static readonly string Golden = GoldenFile.ReadHex("ledger/one-queue.v1.hex");
    private static readonly Guid Incarnation = new("00010203-0405-0607-0809-0a0b0c0d0e0f");

    [Fact]
    public void The_format_is_as_documented()
    {
        var queue = new QueueSequences();
        queue.Restore(
            floor: 5, gaps: 1, new UnixMillis(1_700_000_000_000), [new SequenceRange(1, 7), new SequenceRange(9, 9)],
            [new FrameMemory.Entry(7, new FrameFingerprint(0x11223344, 100)), new FrameMemory.Entry(9, new FrameFingerprint(0xA1B2C3D4, 2000))]);
        var agents = new Dictionary<string, Dictionary<QueueId, QueueSequences>> { ["web1"] = new() { [new QueueId(42)] = queue } };

        Assert.Equal(Golden, Convert.ToHexStringLower(LedgerSnapshot.Write(Incarnation, new JournalPosition(3, 4096), agents)));
    }

    [Fact]
    public void The_documented_bytes_are_read()
    {
        var agents = new Dictionary<string, Dictionary<QueueId, QueueSequences>>();

        Assert.Null(LedgerSnapshot.TryRead(Convert.FromHexString(Golden), Incarnation, agents, out var covered));

        Assert.Equal(new JournalPosition(3, 4096), covered);
        var queue = agents["web1"][new QueueId(42)];
        Assert.Equal((5UL, 1UL, 1_700_000_000_000), (queue.Floor, queue.Gaps, queue.LastReceivedAt.Value));
        Assert.Equal([new SequenceRange(1, 7), new SequenceRange(9, 9)], queue.Accepted);
    }
}
