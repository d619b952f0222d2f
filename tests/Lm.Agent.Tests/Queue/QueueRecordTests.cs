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

            Assert.Equal(record with { Done = read.Done, Tails = read.Tails }, read);
            Assert.Equal(record.Tails, read.Tails);
            Assert.Equal(Ranges(record), Ranges(read));
            Assert.Equal(record.Kind == QueueRecordKind.Batch ? [1, 2, 3] : [], frame.ToArray());
        }
    }

    [Fact]
    public void No_bytes_make_the_reader_throw() =>
        Prop.ForAll(Gen.Choose(0, 7).ToArbitrary(), Gen.Choose(0, 520).ToArbitrary(), Gen.Choose(0, 255).ToArbitrary(), (example, at, value) =>
        {
            var bytes = QueueRecordCodec.Encode(Examples()[example].Record);
            bytes[Math.Min(at, bytes.Length - 1)] = (byte)value;
            QueueRecordCodec.TryDecode(bytes, out _, out _);
            Assert.False(QueueRecordCodec.TryDecode(bytes.AsMemory(0, Math.Min(at, 99)), out _, out _));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_tail_offsets_are_read_as_they_were_written() =>
        Prop.ForAll(TailOffsets.ArrayOf().ToArbitrary(), tails =>
        {
            var record = new QueueRecord { Kind = QueueRecordKind.Progress, Number = new BatchNumber(1, 2), Tails = tails };

            Assert.True(QueueRecordCodec.TryDecode(QueueRecordCodec.Encode(record), out var read, out _));

            Assert.Equal(tails, read.Tails);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void More_tail_offsets_than_there_are_bytes_for_are_refused()
    {
        var bytes = QueueRecordCodec.Encode(new QueueRecord { Kind = QueueRecordKind.Progress, Number = new BatchNumber(1, 2) });
        bytes[2] = 1;

        Assert.False(QueueRecordCodec.TryDecode(bytes, out _, out _));
    }

    private static readonly Gen<TailOffset> TailOffsets =
        from kind in Gen.Elements(TailKind.File, TailKind.Input, TailKind.Journal)
        from input in Gen.Elements("", "syslog", "\u00e9\u20ac\ud83d\ude00")
        from text in Gen.Choose(0, 300).Select(length => new string('p', length))
        from isRemoved in Gen.Elements(true, false)
        from number in Gen.Choose(0, int.MaxValue)
        select new TailOffset
        {
            Kind = kind,
            Input = input,
            Text = text,
            IsRemoved = isRemoved,
            Identity = new FileIdentity((ulong)number * 3, ulong.MaxValue - (ulong)number),
            Offset = number * 4_000_000_001L,
            MetAt = -number,
            Fingerprint = new Fingerprint((ushort)number, (uint)number * 7, (ushort)(number / 3), (uint)number * 11),
        };

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
            ("tails-batch", new QueueRecord
            {
                Kind = QueueRecordKind.Batch, Number = new BatchNumber(2, 5), CollectedAt = new UnixMillis(1_700_000_000_000), Counters = counters, Done = done,
                Tails = [FileOffset, FileOffset with { IsRemoved = true, Identity = new FileIdentity(66, 79), Offset = 7, MetAt = 1_700_000_000_000_000_000, Fingerprint = new Fingerprint(7, 0x0a0b0c0d, 7, 0x0a0b0c0d) }],
            }),
            ("tails-progress", new QueueRecord
            {
                Kind = QueueRecordKind.Progress, Number = new BatchNumber(2, 6), Counters = counters, Tails = [InputOffset],
            }),
            ("tails-snapshot", new QueueRecord
            {
                Kind = QueueRecordKind.Snapshot, Number = new BatchNumber(2, 6), DropBefore = 4, Counters = counters with { RejectedDeleted = 21, RejectedDeletedReported = 20 },
                Done = done, QueueId = new QueueId(9), Identity = identity,
                Tails = [FileOffset, InputOffset, new TailOffset { Kind = TailKind.Journal, Input = "journal", Text = "s=ab;i=1" }],
            }),
            ("new-queue-id", new QueueRecord
            {
                Kind = QueueRecordKind.NewQueueId, Number = new BatchNumber(3, 1), QueueId = new QueueId(9), Identity = identity,
            }),
        ];
    }

    private static TailOffset FileOffset => new()
    {
        Kind = TailKind.File,
        Input = "syslog",
        Text = "/var/log/syslog",
        Identity = new FileIdentity(66, 78),
        Offset = 123_456_789,
        MetAt = 1_700_000_000_123_456_789,
        Fingerprint = new Fingerprint(1024, 0xdeadbeef, 512, 0x01020304),
    };

    private static TailOffset InputOffset => new() { Kind = TailKind.Input, Input = "app", Text = "/srv/\u00e9/*.log", MetAt = 1_700_000_000_000_000_001 };

    private static List<(uint, SequenceRange)> Ranges(QueueRecord record) =>
        [.. record.Done.Generations.SelectMany(generation => generation.Value.Ranges.Select(range => (generation.Key, range)))];

    private static string Golden(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/golden/queue", name + ".v1.hex");
}
