using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Tests.Blocks;

public sealed class CompactionPlanTests
{
    private static readonly CompactionOptions Options = new();

    // Forty days of windows, and every six hours late samples for each of the last fifteen ranges of two days: what a fleet's backlog makes at most.
    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    public void A_backlog_for_thirty_days_never_makes_more_than_sixty_blocks(long lateBytes)
    {
        var blocks = new List<BlockMeta>();
        var (most, rewritten, written) = (0, 0L, 0L);
        for (var now = 0L; now < 40 * TestData.Day; now += 2 * TestData.Hour)
        {
            blocks.Add(New(now, now - (2 * TestData.Hour), now, 100, isLate: false));
            written += 100;
            for (var back = 0; now % (6 * TestData.Hour) == 0 && back < 15; back++)
            {
                var start = now - (now % CompactionOptions.LateRangeMs) - (back * CompactionOptions.LateRangeMs);
                blocks.Add(New(now, start + 5, start + CompactionOptions.LateRangeMs, lateBytes, isLate: true));
                written += lateBytes;
            }

            while (CompactionPlan.Next(blocks, Options, now) is { Count: > 0 } plan)
            {
                Assert.True(plan.Count > 1);
                blocks.RemoveAll(plan.Contains);
                blocks.Add(Merge(now, plan));
                rewritten += blocks[^1].SizeBytes;
            }

            most = Math.Max(most, blocks.Count(block => block.MaxTime > now - (30 * TestData.Day)));
        }

        Assert.InRange(most, 15, 60);
        Assert.Equal(written, blocks.Sum(block => block.SizeBytes));
        Assert.True(rewritten < 120 * written, $"{rewritten} bytes rewritten for {written}");
    }

    [Fact]
    public void A_range_is_merged_one_window_after_its_end_and_the_widest_first()
    {
        var blocks = Enumerable.Range(0, 24).Select(window => New(0, window * 2 * TestData.Hour, (window + 1) * 2 * TestData.Hour, 1, isLate: false)).ToList();

        Assert.Empty(CompactionPlan.Next(blocks, Options, (10 * TestData.Hour) - 1));
        Assert.Equal(blocks[..4], CompactionPlan.Next(blocks, Options, 10 * TestData.Hour));
        Assert.Equal(blocks[..4], CompactionPlan.Next(blocks, Options, (50 * TestData.Hour) - 1));
        Assert.Equal(blocks, CompactionPlan.Next(blocks, Options, 50 * TestData.Hour));
    }

    [Fact]
    public void In_one_step_nothing_is_merged_before_two_days_are_over_for_as_long_as_is_said()
    {
        var blocks = Enumerable.Range(0, 24).Select(window => New(0, window * 2 * TestData.Hour, (window + 1) * 2 * TestData.Hour, 1, isLate: false)).ToList();
        var options = new CompactionOptions { IsInOneStep = true, Lag = TimeSpan.FromHours(6) };

        Assert.Empty(CompactionPlan.Next(blocks, options, (54 * TestData.Hour) - 1));
        Assert.Equal(blocks, CompactionPlan.Next(blocks, options, 54 * TestData.Hour));
        Assert.Equal(blocks, CompactionPlan.Next(blocks, new CompactionOptions { IsInOneStep = true }, 50 * TestData.Hour));
    }

    [Fact]
    public void Two_blocks_of_one_window_are_merged_and_one_alone_stays()
    {
        var one = New(1, 0, 100, 1, isLate: false);
        var two = New(2, 50, 2 * TestData.Hour, 1, isLate: false);

        Assert.Empty(CompactionPlan.Next([one], Options, TestData.Day));
        Assert.Equal([one, two], CompactionPlan.Next([one, two], Options, 4 * TestData.Hour));
    }

    [Fact]
    public void Times_before_1970_are_ranged_like_all_others()
    {
        var one = New(0, -TestData.Hour, -1, 1, isLate: false);
        var two = New(0, 0, 1, 1, isLate: false);

        Assert.Empty(CompactionPlan.Next([one, two], Options, TestData.Day * 100));
    }

    private static BlockMeta Merge(long now, IReadOnlyList<BlockMeta> plan) => New(
        now, plan.Min(block => block.MinTime), plan.Max(block => block.MaxTime), plan.Sum(block => block.SizeBytes), plan.All(block => block.IsLate)) with
    {
        Sources = [.. plan.SelectMany(block => block.Sources).Order()],
    };

    private static int created;

    private static BlockMeta New(long createdMs, long minTime, long maxTime, long bytes, bool isLate)
    {
        var id = new Ulid(((UInt128)(ulong)createdMs << 80) | (uint)Interlocked.Increment(ref created));
        return new BlockMeta
        {
            Id = id,
            MinTime = minTime,
            MaxTime = maxTime,
            Level = 1,
            Sources = [id],
            Hints = isLate ? [BlockMeta.OutOfOrderHint] : [],
            Stats = new BlockStats(1, 1, 1),
            Files = [new BlockFile("index", bytes)],
        };
    }
}
