using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Blocks and log files of the shared log, made by the real maker.</summary>
public sealed class SharedFilesTests
{
    private readonly MemoryFileSystem bucket = new();

    [Fact]
    public async Task Every_record_is_in_blocks_and_log_files_once_and_verify_finds_all_of_it()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var rig = new SharedFilesRig(bucket, one.Rig.Time);
        var now = one.Rig.Now.Value;
        await SendAsync(one, 1, 1, [now - 3000, now - 2000], "first", "second");
        await SendAsync(one, 2, 2, [now - 1000, now - (long)TimeSpan.FromDays(3).TotalMilliseconds], "third"); // and some of a backlog

        await rig.FileAllAsync();
        await SendAsync(one, 3, 3, [now], "fourth");
        await rig.FileAllAsync();

        Assert.Equal([now - (long)TimeSpan.FromDays(3).TotalMilliseconds, now - 3000, now - 2000, now - 1000, now], rig.Samples().Select(static sample => sample.Time));
        var (faults, text) = await rig.VerifyAsync();
        Assert.True(faults == 0, text);
        Assert.Contains("logs: 2 files, 4 lines", text, StringComparison.Ordinal);
        Assert.Contains("sets of blocks and log files: 2", text, StringComparison.Ordinal);
        Assert.DoesNotContain(rig.Objects, static path => path.Contains("/staged/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_an_earlier_block_has_of_a_time_is_in_no_later_one()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var rig = new SharedFilesRig(bucket, one.Rig.Time);
        var now = one.Rig.Now.Value;
        await SendAsync(one, 1, 1, [now - 2000, now - 1000]);
        await rig.FileAllAsync();
        await SendAsync(one, 2, 2, [now - 1000, now]);

        await rig.FileAllAsync();

        Assert.Equal([(now - 2000, 1.0), (now - 1000, 1.0), (now, 2.0)], rig.Samples());
    }

    [Fact]
    public async Task Another_one_publishes_what_the_first_has_committed_and_parts_go_only_then()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var dead = new SharedFilesRig(bucket, one.Rig.Time, "dead");
        using var other = new SharedFilesRig(bucket, one.Rig.Time, "other");
        var now = one.Rig.Now.Value;
        await SendAsync(one, 1, 1, [now], "line");
        await dead.Member.JoinAsync(TestContext.Current.CancellationToken);
        await dead.Builder.RunAsync(TestContext.Current.CancellationToken);
        var made = await dead.Files.MakeAsync(dead.Files.PlanFiles()!, TestContext.Current.CancellationToken);
        Assert.True(await dead.Member.CommitAsync(made, TestContext.Current.CancellationToken)); // and ends
        Assert.DoesNotContain(other.Objects, static path => path.Contains("/blocks/", StringComparison.Ordinal) && !path.Contains("/staged/", StringComparison.Ordinal));

        await other.Member.JoinAsync(TestContext.Current.CancellationToken);
        one.Rig.Time.Advance(TimeSpan.FromHours(1));
        await SendAsync(one, 2, 2, [now + 1]);
        await other.Member.FollowAsync(TestContext.Current.CancellationToken);
        await other.Builder.RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, other.Member.Fold.Parts.Count);
        Assert.True(await other.Files.RunAsync(TestContext.Current.CancellationToken));
        await other.Reader.ListAsync(TestContext.Current.CancellationToken);
        Assert.Equal([(now, 1.0)], other.Samples());

        await SendAsync(one, 3, 3, [now + 2]);
        await other.Member.FollowAsync(TestContext.Current.CancellationToken);
        await other.Builder.RunAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(other.Member.Fold.Parts, part => part.Last <= made.Covers);
    }

    [Fact]
    public async Task A_clock_that_leaps_ahead_takes_no_part_away_and_forgets_no_sequences()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var rig = new SharedFilesRig(bucket, one.Rig.Time, proven: () => one.Rig.Clock.Proven, partsFor: TimeSpan.FromDays(1));
        var sent = one.Rig.Now;
        await SendAsync(one, 1, 1, [sent.Value], "line");
        await rig.FileAllAsync();
        await SendAsync(one, 2, 2, [sent.Value + 1]);
        await rig.Member.FollowAsync(TestContext.Current.CancellationToken);
        await rig.Builder.RunAsync(TestContext.Current.CancellationToken);
        await SendAsync(one, 3, 3, [sent.Value + 2]);
        await rig.Member.FollowAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, rig.Member.Fold.Parts.Count); // one of them published
        one.Rig.Time.JumpWallClock(TimeSpan.FromDays(500));

        var build = await rig.Builder.GatherAsync(rig.Builder.PlanBuild()!, TestContext.Current.CancellationToken);

        Assert.Empty(build.Removes);
        Assert.True(build.ForgetBefore < sent, $"{build.ForgetBefore} is not before {sent}");
    }

    [Fact]
    public async Task A_part_that_cannot_be_read_becomes_no_files_and_stays()
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var rig = new SharedFilesRig(bucket, one.Rig.Time);
        await SendAsync(one, 1, 1, [one.Rig.Now.Value], "line");
        await rig.Member.JoinAsync(TestContext.Current.CancellationToken);
        await rig.Builder.RunAsync(TestContext.Current.CancellationToken);
        rig.Damage(rig.Objects.Single(static path => path.Contains("/parts/", StringComparison.Ordinal)), 60);

        var damaged = await Assert.ThrowsAsync<ObjectStoreException>(() => rig.Files.RunAsync(TestContext.Current.CancellationToken));

        Assert.Contains("become no blocks and log files", damaged.Message, StringComparison.Ordinal);
        Assert.Equal(0, rig.Member.Fold.Filed);
        Assert.DoesNotContain(rig.Objects, static path => path.Contains("/staged/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/commits/", ".json", 30)]
    [InlineData("/shared/snapshots/", ".json", 30)]
    [InlineData("/shared/parts/", ".lmf", 60)]
    [InlineData("/shared/files/", ".json", 30)]
    [InlineData("/blocks/", "/index", 20)]
    [InlineData("/blocks/", "/meta.json", 5)]
    [InlineData("/logs/", ".ndjson.zst", 20)]
    [InlineData("/logs/", ".idx", 20)]
    public async Task Verify_names_what_was_changed_and_what_is_missing(string folder, string ending, int place)
    {
        await using var one = await SharedMember.StartAsync(bucket, "one");
        using var rig = new SharedFilesRig(bucket, one.Rig.Time);
        await SendAsync(one, 1, 1, [one.Rig.Now.Value], "line");
        await rig.FileAllAsync();
        var path = rig.Objects.Last(each => each.Contains(folder, StringComparison.Ordinal) && each.EndsWith(ending, StringComparison.Ordinal));

        rig.Damage(path, place);
        var (faults, text) = await rig.VerifyAsync();
        Assert.True(faults > 0, text);
        Assert.Contains(path[(LandingRig.Bucket.Length + 1)..], text, StringComparison.Ordinal);

        await rig.Store.DeleteAsync(path[(LandingRig.Bucket.Length + 1)..], TestContext.Current.CancellationToken);
        (faults, text) = await rig.VerifyAsync();
        Assert.True(faults > 0 || folder is "/shared/snapshots/" or "/commits/", text); // the one is not needed here; the other looks as a log that is shorter
    }

    private static async Task SendAsync(SharedMember member, ulong sequence, double value, long[] times, params string[] lines) =>
        Assert.Equal(FrameOutcome.Accepted, (await member.Rig.SendFrameAsync(sequence, SharedFilesRig.Frame(sequence, member.Rig.Now, value, times, lines))).Outcome);
}
