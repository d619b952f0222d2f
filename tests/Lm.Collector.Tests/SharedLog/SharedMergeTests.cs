using Lm.Collector.Bucket;
using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Landing;
using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Merging of the blocks in a bucket that collectors share: what is merged when, and what is not.</summary>
public sealed class SharedMergeTests : SharedMergeFixture
{
    [Fact]
    public async Task Two_days_become_one_block_when_they_are_over_and_those_that_it_replaces_go_two_days_later()
    {
        var before = BlocksThere();
        Assert.Equal(Sets, before.Length);
        var over = before.GroupBy(StartOf).Where(days => days.Key + TwoDays + TimeSpan.FromHours(6).TotalMilliseconds <= Now.Value).ToDictionary(static days => days.Key, static days => days.ToArray());
        Assert.Contains(over.Values, static days => days.Length > 5);

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        Assert.Equal(over.Keys.Order(), merged.Select(StartOf).Order());
        Assert.All(merged, block => Assert.Equal(over[StartOf(block)].Select(static each => each.Id).Order(), block.Sources));
        Assert.All(merged, static block => Assert.Equal(FileMaker.Labels, block.ExternalLabels));
        Assert.Equal(before.Length + merged.Length, BlocksThere().Length);
        Assert.Equal(over.Values.Sum(static days => days.Length), Marks());
        await AssertWholeAsync();

        One.Rig.Time.Advance(TimeSpan.FromHours(49));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(over.Values.SelectMany(static days => days).Select(static block => block.Id).Intersect(BlocksThere().Select(static block => block.Id)));
        Assert.Subset(BlocksThere().Select(static block => block.Id).ToHashSet(), merged.Select(static block => block.Id).ToHashSet());
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Late_samples_are_merged_in_and_nothing_of_the_days_is_lost()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var first = BlocksThere().Where(static block => block.Level > 1).MinBy(static block => block.MinTime)!;
        await FileAsync(Sets + 1, new UnixMillis(first.MinTime + 1));
        Whole = Rig.Samples();
        Assert.Equal(Sets + 1, Whole.Count);

        One.Rig.Time.Advance(TimeSpan.FromHours(25));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        Assert.Contains(BlocksThere(), block => block.Replaces(first) && block.Sources.Count == first.Sources.Count + 1);
        await AssertWholeAsync();
    }

    [Fact]
    public async Task What_is_too_old_is_not_merged()
    {
        await NewTidy(NewStore(), retention: TimeSpan.FromHours(1)).RunAsync(TestContext.Current.CancellationToken);

        Assert.DoesNotContain(BlocksThere(), static block => block.Level > 1);
    }

    [Fact]
    public async Task A_block_that_somebody_else_marked_is_not_merged()
    {
        var marked = BlocksThere().MinBy(static block => block.MinTime)!;
        Bucket.Put(PathOf(marked.Id, DeletionMark), new Lm.Collector.Landing.DeletionMark(marked.Id, One.Rig.Time.GetUtcNow(), "by hand").ToJson());

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        Assert.Contains(merged, block => StartOf(block) == StartOf(marked));
        Assert.DoesNotContain(merged, block => block.Sources.Contains(marked.Id));
    }

    [Fact]
    public async Task Days_that_are_larger_than_there_is_room_for_stay_as_they_are()
    {
        var before = BlocksThere().Select(static block => block.Id).ToArray();
        var logger = new RecordingLogger();

        await NewTidy(NewStore(), logger, sizeMax: 100).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before, BlocksThere().Select(static block => block.Id));
        Assert.NotEmpty(logger.Of(3017));
    }

    [Fact]
    public async Task Where_others_compact_nothing_is_merged()
    {
        var before = BlocksThere().Select(static block => block.Id).ToArray();

        await NewTidy(NewStore(), isExternal: true).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before, BlocksThere().Select(static block => block.Id));
    }

    [Fact]
    public async Task Queries_leave_a_merged_block_alone_only_where_all_that_it_was_made_of_is_here()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var merged = BlocksThere().Where(static block => block.Level > 1).MinBy(static block => block.MinTime)!;
        HashSet<Ulid> here = [.. merged.Sources];
        using var reader = new BucketReader(new BucketReaderParts(NewStore(), LandingRig.Keys, new MemoryFileSystem(), "/cache", static () => 1 << 30, One.Rig.Time, NullLogger.Instance)
        {
            IsHere = (block, _) => here.Contains(block),
        });
        await reader.ListAsync(TestContext.Current.CancellationToken);

        Assert.Empty(Taken(reader, merged));
        here.Remove(merged.Sources[^1]);
        Assert.Equal([merged.Id], Taken(reader, merged));
    }

    private static Ulid[] Taken(BucketReader reader, BlockMeta like)
    {
        var taken = reader.Blocks.Take(like.MinTime, like.MaxTime - 1, []);
        Ulid[] ids = [.. taken.Select(static block => block.Meta.Id)];
        foreach (var block in taken)
        {
            block.Release();
        }

        return ids;
    }
}
