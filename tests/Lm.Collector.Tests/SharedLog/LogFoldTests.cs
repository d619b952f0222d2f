using Lm.Collector.Ingest;
using Lm.Collector.SharedLog;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.SharedLog;

public sealed class LogFoldTests
{
    [Fact]
    public void A_batch_is_visible_at_the_first_commit_that_names_it_and_nowhere_else()
    {
        var fold = new LogFold();

        Assert.Equal([true, true], fold.Apply(Data(Frame(1), Frame(2))));
        Assert.Equal([false, true], fold.Apply(Data(Frame(2), Frame(3))));
        Assert.Equal((2L, 0), Assert.Single(fold.Hidden));
    }

    [Fact]
    public void A_fork_and_a_repeat_are_told_apart()
    {
        var fold = new LogFold();
        fold.Apply(Data(Frame(1)));

        Assert.Equal(Admission.Duplicate, fold.Look(Frame(1)).Admission);
        Assert.Equal(Admission.Fork, fold.Look(Frame(1) with { Fingerprint = new FrameFingerprint(99, 1) }).Admission);
        Assert.Equal(Admission.New, fold.Look(Frame(2)).Admission);
    }

    [Fact]
    public void Records_without_a_number_are_always_visible()
    {
        var fold = new LogFold();
        var write = new CommitEntry(2, 0, 10, 0, default, null);

        Assert.Equal([true], fold.Apply(Data() with { Entries = [write] }));
        Assert.Equal([true], fold.Apply(Data() with { Entries = [write] }));
    }

    [Fact]
    public void A_build_that_knew_of_less_is_void()
    {
        var fold = new LogFold();
        fold.Apply(Data(Frame(1)));
        fold.Apply(Data(Frame(2)));

        Assert.Equal([true], fold.Apply(Build(1, 2, "p1")));
        Assert.Equal([false], fold.Apply(Build(1, 1, "p2"))); // by one that was paused
        Assert.Equal([false], fold.Apply(Build(3, 9, "p3"))); // of commits that are not there
        Assert.Equal("p1", Assert.Single(fold.Parts).Object.Key);
        Assert.Equal((2L, 5L), (fold.Covered, fold.Last));
    }

    [Fact]
    public void A_build_takes_the_parts_away_that_it_names_and_forgets_silent_queues()
    {
        var fold = new LogFold();
        fold.Apply(Data(Frame(1)));
        fold.Apply(Build(1, 1, "p1"));
        fold.Apply(Build(2, 2, "p2") with { Removes = ["p1"], ForgetBefore = new UnixMillis(1001) });

        Assert.Equal("p2", Assert.Single(fold.Parts).Object.Key);
        Assert.Equal(Admission.New, fold.Look(Frame(1)).Admission);
    }

    [Fact]
    public void Files_count_when_they_begin_where_the_last_ended_are_of_parts_and_none_wait()
    {
        var fold = new LogFold();
        fold.Apply(Data(Frame(1)));
        fold.Apply(Data(Frame(2)));
        fold.Apply(Build(1, 2, "p1"));

        Assert.Equal([false], fold.Apply(Files(2, 2))); // commit 1 would be in none
        Assert.Equal([false], fold.Apply(Files(1, 3))); // commit 3 is in no part
        Assert.Equal([true], fold.Apply(Files(1, 1)));
        Assert.Equal([false], fold.Apply(Files(1, 2))); // by one that was paused
        Assert.Equal([false], fold.Apply(Files(2, 2))); // those before are not where readers find them
        Assert.Equal([false], fold.Apply(new PublishedCommit("c1", Guid.NewGuid(), default, 2)));
        Assert.Equal((1L, 0L), (fold.Filed, fold.Published));

        Assert.Equal([true], fold.Apply(new PublishedCommit("c2", Guid.NewGuid(), default, 1)));
        Assert.Equal([false], fold.Apply(new PublishedCommit("c1", Guid.NewGuid(), default, 1)));
        Assert.Equal([false], fold.Apply(Files(1, 2))); // by one that slept until those before were published
        Assert.Equal([true], fold.Apply(Files(2, 2)));
        Assert.Equal((2L, 1L), (fold.Filed, fold.Published));
    }

    private static FilesCommit Files(long from, long covers) => new("c1", Guid.NewGuid(), default, from, covers, new StoredObject("manifest", 10, ""));

    private static CommitFrame Frame(ulong sequence) => new(new BatchKey("a1", new QueueId(1), new SequenceRange(sequence, sequence)), new FrameFingerprint((uint)sequence, 10), 0);

    private static DataCommit Data(params CommitFrame[] frames) => new(
        "c1", Guid.NewGuid(), new UnixMillis(1000), new StoredObject("raw", 1000, ""), [.. frames.Select(static (frame, index) => new CommitEntry(1, index * 10, 10, 0, new UnixMillis(1000), frame))]);

    private static BuildCommit Build(long from, long covers, string key) => new(
        "c1", Guid.NewGuid(), new UnixMillis(2000), from, covers, [new LogPart(new StoredObject(key, 10, ""), from, covers, new UnixMillis(1000))], [], default);
}
