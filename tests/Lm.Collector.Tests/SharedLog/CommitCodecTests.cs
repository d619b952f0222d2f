using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Ingest;
using Lm.Collector.SharedLog;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.SharedLog;

public sealed class CommitCodecTests
{
    private static readonly DataCommit Data = new(
        "collector-1",
        new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f"),
        new UnixMillis(1_767_323_045_123),
        new StoredObject("fleet-a/shared/raw/collector-1/000102030405060708090a0b0c0d0e0f.lmf", 4711, new string('a', 64)),
        [
            new CommitEntry(1, 16, 300, 0x01020304, new UnixMillis(1_767_323_045_000), new CommitFrame(new BatchKey("web1", new QueueId(0x1234), new SequenceRange(7, 9)), new FrameFingerprint(0xdeadbeef, 256), 5)),
            new CommitEntry(2, 316, 80, 0x0a0b0c0d, new UnixMillis(1_767_323_045_100), null),
        ]);

    private static readonly BuildCommit Build = new(
        "collector-2",
        new Guid("0f0e0d0c-0b0a-0908-0706-050403020100"),
        new UnixMillis(1_767_323_999_999),
        From: 1,
        Covers: 1000,
        [new LogPart(new StoredObject("fleet-a/shared/parts/p1.lmf", 123_456, new string('b', 64)), 1, 1000, new UnixMillis(1_767_323_045_100))],
        ["fleet-a/shared/parts/p0.lmf"],
        new UnixMillis(1_764_000_000_000));

    private static readonly FilesCommit Files = new(
        "collector-2", Build.Nonce, new UnixMillis(1_767_324_000_001), 1, 1000, new StoredObject("fleet-a/shared/staged/s1/manifest.json", 789, new string('c', 64)));

    private static readonly PublishedCommit Published = new("collector-2", new Guid("0f0e0d0c-0b0a-0908-0706-050403020101"), new UnixMillis(1_767_324_000_002), 1000);

    private static readonly FileSet Set = new(1, 1000, new UnixMillis(1_767_323_045_100),
    [
        new SetFile("blocks/01KDZWQM40000000000000000A/index", 1234, new string('d', 64)),
        new SetFile("logs/date=2026-01-02/hour=03/01KDZWQM40000000000000000B.ndjson.zst", 567, new string('e', 64)),
    ]);

    [Fact]
    public void The_bytes_are_those_of_the_format_page_and_are_read_back()
    {
        foreach (var (name, commit) in (ReadOnlySpan<(string, Commit)>)[("data", Data), ("build", Build), ("files", Files), ("published", Published)])
        {
            var bytes = CommitCodec.Write(commit);

            Assert.Equal(GoldenFile.Read($"commit/{name}.v1.json"), bytes);
            Assert.Null(CommitCodec.TryRead(bytes, out var read));
            Assert.Equal(bytes, CommitCodec.Write(read!));
        }
    }

    [Fact]
    public void What_tells_of_a_set_of_files_has_the_bytes_of_the_format_page_and_is_read_back()
    {
        var bytes = Set.ToBytes();

        Assert.Equal(GoldenFile.Read("commit/set.v1.json"), bytes);
        Assert.Null(FileSet.TryRead(bytes, out var read));
        Assert.Equal(bytes, read!.ToBytes());
    }

    [Fact]
    public void A_snapshot_has_the_bytes_of_the_format_page_and_gives_the_same_fold()
    {
        var fold = new LogFold();
        fold.Apply(Data);
        fold.Apply(Data with { Nonce = Guid.Empty });
        fold.Apply(Build with { Covers = 1, Adds = [Build.Adds[0] with { Last = 1 }] });
        fold.Apply(Files with { Covers = 1 });
        var bytes = fold.ToSnapshot(new UnixMillis(1_767_324_000_000));

        Assert.Equal(GoldenFile.Read("commit/snapshot.v1.json"), bytes);
        Assert.Null(LogFold.TryRestore(bytes, out var restored, out var at));
        Assert.Equal(1_767_324_000_000, at.Value);
        Assert.Equal(bytes, restored.ToSnapshot(at));
        Assert.Equal((4L, 1L, 1L, 0L, 1L), (restored.Last, restored.Covered, restored.Filed, restored.Published, restored.Pending!.Covers));
        Assert.Equal((2L, 0), Assert.Single(restored.Hidden));
    }

    [Fact]
    public void No_bytes_make_it_throw_and_a_changed_one_is_noticed()
    {
        var whole = CommitCodec.Write(Data);
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<int>(), (noise, at) =>
        {
            Assert.NotNull(CommitCodec.TryRead(noise, out _));
            Assert.NotNull(LogFold.TryRestore(noise, out _, out _));
            Assert.NotNull(FileSet.TryRead(noise, out _));
            var changed = whole.ToArray();
            changed[(at & int.MaxValue) % changed.Length] ^= 0x10;
            Assert.NotNull(CommitCodec.TryRead(changed, out var read));
            Assert.Null(read);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Any_commit_is_read_back_as_it_was_written()
    {
        var gen =
            from agent in ArbMap.Default.GeneratorFor<NonEmptyString>()
            from numbers in ArbMap.Default.GeneratorFor<(uint Checksum, int Length, ulong First, ulong Floor, long At)>()
            from count in Gen.Choose(1, 5)
            select Data with
            {
                At = new UnixMillis(numbers.At),
                Raw = Data.Raw with { SizeBytes = 10_000 },
                Entries =
                [
                    .. Enumerable.Range(0, count).Select(index => new CommitEntry(1, index * 10, 10, numbers.Checksum, new UnixMillis(numbers.At), new CommitFrame(
                        new BatchKey(new string([.. agent.Get.Where(static character => !char.IsSurrogate(character))]), new QueueId(UInt128.MaxValue - numbers.First), new SequenceRange((numbers.First % 1000) + 1, ulong.MaxValue)),
                        new FrameFingerprint(numbers.Checksum, numbers.Length),
                        numbers.Floor))),
                ],
            };
        Prop.ForAll(Arb.From(gen), commit =>
        {
            Assert.Null(CommitCodec.TryRead(CommitCodec.Write(commit), out var read));
            Assert.Equal(commit.Entries, ((DataCommit)read!).Entries);
            Assert.Equal((commit.Nonce, commit.At, commit.Raw), (read.Nonce, read.At, ((DataCommit)read).Raw));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_contradicts_itself_is_refused_by_name()
    {
        Assert.Contains("1 to 4096 are allowed", FaultOf(Data with { Entries = [] }), StringComparison.Ordinal);
        Assert.Contains("at byte 4700", FaultOf(Data with { Entries = [Data.Entries[0] with { Offset = 4700 }] }), StringComparison.Ordinal);
        Assert.Contains("sequences 9 to 7", FaultOf(Data with { Entries = [Data.Entries[0] with { Frame = Data.Entries[0].Frame! with { Key = new BatchKey("a", default, new SequenceRange(9, 7)) } }] }), StringComparison.Ordinal);
        Assert.Contains("cannot be used", FaultOf(Data with { Raw = Data.Raw with { Key = "../up" } }), StringComparison.Ordinal);
        Assert.Contains("kind 1", FaultOf(Data with { Entries = [Data.Entries[1] with { Kind = 1 }] }), StringComparison.Ordinal);
    }

    private static string FaultOf(Commit commit) => CommitCodec.TryRead(CommitCodec.Write(commit), out _) ?? "";
}
