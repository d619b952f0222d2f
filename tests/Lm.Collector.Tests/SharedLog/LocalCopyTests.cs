using Lm.Collector.SharedLog;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.TestKit;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>What counts as being on this disk, and what may go from it.</summary>
public sealed class LocalCopyTests
{
    private static readonly Guid Spool = Guid.NewGuid();

    private readonly MemoryFileSystem files = new();
    private readonly ManualTime time = new();
    private readonly UlidSource names;

    public LocalCopyTests()
    {
        files.CreateDirectory("/spool");
        names = new UlidSource(time);
    }

    [Fact]
    public void A_file_is_here_when_all_its_commits_came_and_nothing_of_its_time_was_deleted()
    {
        var copy = Open();
        copy.Skip(1, 10);
        copy.Write(30);

        Assert.True(copy.Holds((11, 30), oldestMs: 1000));
        Assert.False(copy.Holds((10, 30), oldestMs: 1000)); // commit 10 did not come
        Assert.False(copy.Holds((11, 31), oldestMs: 1000)); // nor commit 31 yet
        Assert.False(copy.Holds(null, oldestMs: 1000));

        copy.Going(newestMs: 1000);
        Assert.False(copy.Holds((11, 30), oldestMs: 1000));
        Assert.True(copy.Holds((11, 30), oldestMs: 1001));
    }

    [Fact]
    public void A_restart_knows_what_was_skipped_and_deleted_and_a_lost_mark_counts_all_as_deleted()
    {
        var copy = Open();
        copy.Skip(1, 10);
        copy.Write(30);
        copy.Going(newestMs: 1000);

        var again = Open();
        Assert.Equal(30, again.Applied);
        Assert.Equal((1L, 10L), Assert.Single(again.Missing));
        Assert.Equal((false, true), (again.Holds((11, 30), 1000), again.Holds((11, 30), 1001)));

        files.Delete("/spool/shared-log.json");
        using (var file = files.Create("/spool/shared-log.json"))
        {
            file.Write(0, "damaged"u8);
        }

        var lost = Open();
        lost.Write(30);
        Assert.False(lost.Holds((11, 30), UnixMillis.Now(time).Value - 1));
    }

    [Fact]
    public void A_commit_that_came_in_part_does_not_count_as_being_here_and_that_is_durable_at_once()
    {
        var copy = Open();
        copy.Write(30);

        copy.Cut(31);
        copy.Cut(32);

        var again = Open();
        Assert.Equal((30L, (31L, 32L)), (again.Applied, Assert.Single(again.Missing)));
        again.Write(40);
        Assert.Equal((false, true), (again.Holds((25, 31), 1000), again.Holds((33, 40), 1000)));
    }

    [Fact]
    public void A_commit_that_came_in_part_is_not_taken_for_noted_when_the_disk_did_not_take_it()
    {
        var copy = Open();
        copy.Write(30);
        files.Capacity = 0;
        Assert.Throws<FileSystemException>(() => copy.Cut(31));

        files.Capacity = long.MaxValue;
        copy.Cut(31);

        Assert.Equal((31L, 31L), Assert.Single(Open().Missing));
    }

    [Fact]
    public void What_was_deleted_is_durable_before_it_goes()
    {
        var copy = Open();
        copy.Write(30);
        files.Fault = static operation => operation.Kind == FileOperationKind.Write ? FileFault.NoSpace : null;

        Assert.ThrowsAny<IOException>(() => copy.Going(newestMs: 1000));

        Assert.True(copy.Holds((1, 30), oldestMs: 1000)); // it stays
    }

    [Fact]
    public void A_file_may_go_when_all_that_was_here_at_its_making_is_published_and_listed()
    {
        var copy = Open();
        var first = names.Next();
        time.Advance(TimeSpan.FromMinutes(2));
        copy.Note(applied: 20);
        time.Advance(TimeSpan.FromMinutes(2));
        var second = names.Next();
        time.Advance(TimeSpan.FromMinutes(2));
        copy.Note(applied: 40);

        copy.Listed(published: 19);
        Assert.False(copy.MayGo(first));
        copy.Listed(published: 39);
        Assert.Equal((true, false), (copy.MayGo(first), copy.MayGo(second)));
        copy.Listed(published: 40);
        Assert.True(copy.MayGo(second));
    }

    [Fact]
    public void Where_something_here_is_damaged_nothing_counts_as_here()
    {
        var isDamaged = false;
        var copy = new LocalCopy(Mark(), Spool, hasRecords: false, time) { IsDamaged = () => isDamaged };
        copy.Write(30);
        Assert.True(copy.Holds((1, 30), 1000));

        isDamaged = true;

        Assert.False(copy.Holds((1, 30), 1000));
    }

    private LocalCopy Open() => new(Mark(), Spool, hasRecords: false, time);

    private SharedLogMark Mark() => new(files, "/spool/shared-log.json", "store");
}
