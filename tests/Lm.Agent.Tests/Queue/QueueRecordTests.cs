using System.Runtime.CompilerServices;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.Queue;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;

namespace Lm.Agent.Tests.Queue;

public sealed class QueueRecordTests
{
    [Fact]
    public void The_bytes_of_version_1_stay_as_they_are()
    {
        foreach (var (name, record) in Examples())
        {
            var bytes = QueueRecordCodec.Encode(record);

            Assert.Equal(File.ReadAllText(Golden(name)).ReplaceLineEndings(""), Convert.ToHexStringLower(bytes));
        }
    }

    [Fact]
    public void What_was_written_is_read()
    {
        foreach (var (_, record) in Examples())
        {
            byte[] payload = [.. QueueRecordCodec.Encode(record), 1, 2, 3];

            Assert.True(QueueRecordCodec.TryDecode(payload, out var read, out var frame));

            Assert.Equal(record with { Done = read.Done }, read);
            Assert.Equal(Ranges(record), Ranges(read));
            Assert.Equal(record.Kind == QueueRecordKind.Batch ? [1, 2, 3] : [], frame.ToArray());
        }
    }

    [Fact]
    public void No_bytes_make_the_reader_throw() =>
        Prop.ForAll(Gen.Choose(0, 4).ToArbitrary(), Gen.Choose(0, 230).ToArbitrary(), Gen.Choose(0, 255).ToArbitrary(), (example, at, value) =>
        {
            var bytes = QueueRecordCodec.Encode(Examples()[example].Record);
            bytes[Math.Min(at, bytes.Length - 1)] = (byte)value;
            QueueRecordCodec.TryDecode(bytes, out _, out _);
            Assert.False(QueueRecordCodec.TryDecode(bytes.AsMemory(0, Math.Min(at, 99)), out _, out _));
        }).QuickCheckThrowOnFailure();

    private static (string Name, QueueRecord Record)[] Examples()
    {
        var done = new BatchSet();
        done.Of(1).Add(new SequenceRange(1, 8));
        done.Of(2).Add(new SequenceRange(3, 3));
        var counters = new QueueCounters { Dropped = 11, Lost = 12, Rejected = 13, DroppedReported = 1, LostReported = 2, RejectedReported = 3 };
        var identity = new QueueIdentity("local-agent", 0x0123456789abcdef, new FileIdentity(66, 77));
        return
        [
            ("batch", new QueueRecord
            {
                Kind = QueueRecordKind.Batch, Number = new BatchNumber(2, 5), CollectedAt = new UnixMillis(1_700_000_000_000),
                Replaces = new BatchNumber(1, 9), DropBefore = 4, Counters = counters, Done = done,
            }),
            ("snapshot", new QueueRecord
            {
                Kind = QueueRecordKind.Snapshot, Number = new BatchNumber(2, 6), DropBefore = 4, Counters = counters, Done = done,
                QueueId = new QueueId(UInt128.MaxValue / 3), Identity = identity,
            }),
            ("rejected-deleted", new QueueRecord
            {
                Kind = QueueRecordKind.Snapshot, Number = new BatchNumber(2, 6), Counters = counters with { RejectedDeleted = 21, RejectedDeletedReported = 20 },
                Done = done, QueueId = new QueueId(9), Identity = identity,
            }),
            ("rejected-deleted-batch", new QueueRecord
            {
                Kind = QueueRecordKind.Batch, Number = new BatchNumber(2, 5), Counters = counters with { RejectedDeleted = 1 }, Done = done,
            }),
            ("new-queue-id", new QueueRecord
            {
                Kind = QueueRecordKind.NewQueueId, Number = new BatchNumber(3, 1), QueueId = new QueueId(9), Identity = identity,
            }),
        ];
    }

    private static List<(uint, SequenceRange)> Ranges(QueueRecord record) =>
        [.. record.Done.Generations.SelectMany(generation => generation.Value.Ranges.Select(range => (generation.Key, range)))];

    private static string Golden(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/golden/queue", name + ".v1.hex");
}
