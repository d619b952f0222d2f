using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Tests.Blocks;

public sealed class RetentionTests
{
    private const long Now = 100 * TestData.Day;

    private static readonly RetentionLimits Unlimited = new(TimeSpan.FromDays(1000), long.MaxValue);

    private readonly BlockMeta[] blocks = [Block(1, 10, 500), Block(2, 20, 300), Block(3, 30, 200), Block(4, 5, 100)];

    [Fact]
    public void Nothing_goes_within_both_limits() => Assert.Empty(Retention.Choose(blocks, Unlimited, Now, _ => true).Blocks);

    [Fact]
    public void A_block_goes_when_its_newest_sample_is_older_than_the_limit()
    {
        Assert.Equal([4, 1], Chosen(Unlimited with { AgeMax = TimeSpan.FromDays(90) }, _ => true));
        Assert.Equal([4], Chosen(Unlimited with { AgeMax = TimeSpan.FromDays(90) + TimeSpan.FromMilliseconds(1) }, _ => true));
    }

    [Fact]
    public void The_oldest_go_until_the_rest_fits()
    {
        Assert.Equal([4, 1], Chosen(Unlimited with { SizeMaxBytes = 500 }, _ => true));
        Assert.Equal([4, 1, 2], Chosen(Unlimited with { SizeMaxBytes = 499 }, _ => true));
    }

    [Fact]
    public void What_was_not_verified_in_the_object_store_stays_and_the_excess_is_told()
    {
        var decision = Retention.Choose(blocks, new RetentionLimits(TimeSpan.FromDays(1), 0), Now, block => block.Id.Value != 1);

        Assert.Equal([4, 2, 3], decision.Blocks.Select(block => (int)block.Id.Value));
        Assert.Equal(500, decision.BytesOver);
    }

    private IEnumerable<int> Chosen(RetentionLimits limits, Func<BlockMeta, bool> mayGo) =>
        Retention.Choose(blocks, limits, Now, mayGo).Blocks.Select(block => (int)block.Id.Value);

    private static BlockMeta Block(int id, int endDay, long bytes) => new()
    {
        Id = new Ulid((UInt128)id),
        MinTime = (endDay - 1) * TestData.Day,
        MaxTime = endDay * TestData.Day,
        Level = 1,
        Sources = [new Ulid((UInt128)id)],
        Stats = new BlockStats(1, 1, 1),
        Files = [new BlockFile("index", bytes)],
    };
}
