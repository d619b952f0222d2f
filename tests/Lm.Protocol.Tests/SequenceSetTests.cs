using FsCheck;
using FsCheck.Fluent;

namespace Lm.Protocol.Tests;

public sealed class SequenceSetTests
{
    [Fact]
    public void It_agrees_with_a_plain_set_after_any_additions() =>
        Prop.ForAll(Gen.Choose(1, 60).Two().ArrayOf().ToArbitrary(), Gen.Choose(1, 60).Two().ArrayOf().ToArbitrary(), Compare).QuickCheckThrowOnFailure();

    [Fact]
    public void What_a_range_shares_with_it_is_known_before_and_after_it_is_added() =>
        Prop.ForAll(Gen.Choose(1, 60).Two().ArrayOf().ToArbitrary(), ranges =>
        {
            var set = new SequenceSet();
            var plain = new SortedSet<ulong>();
            foreach (var range in ranges.Select(RangeOf))
            {
                var had = Numbers(range).Count(plain.Contains);
                var touches = plain.Contains(range.Start - 1) || plain.Contains(range.End + 1);
                var count = set.Ranges.Count;
                Assert.Equal(had == 0 ? SequenceCoverage.None : had == (int)range.Count ? SequenceCoverage.Whole : SequenceCoverage.Part, set.CoverageOf(range));
                Assert.Equal((ulong)had, set.CountIn(range));
                Assert.True(had > 0 || touches == set.Touches(range));
                Assert.Equal(range.Count - (ulong)had, set.Add(range));
                Assert.True(had > 0 || set.Ranges.Count <= count == touches);
                plain.UnionWith(Numbers(range));
                Assert.Equal(plain.Max, set.Highest);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void It_takes_the_highest_numbers_there_are()
    {
        var set = new SequenceSet();
        Assert.Equal(0UL, set.Highest);
        Assert.True(set.Add(ulong.MaxValue));
        Assert.False(set.Add(ulong.MaxValue));
        Assert.Equal(1UL, set.Add(new SequenceRange(ulong.MaxValue - 1, ulong.MaxValue)));
        var lowest = new SequenceSet();
        lowest.Add(1UL);
        lowest.Add(set);

        Assert.Equal([new SequenceRange(ulong.MaxValue - 1, ulong.MaxValue)], set.Ranges);
        Assert.Equal(ulong.MaxValue, set.FirstMissing(ulong.MaxValue - 1));
        Assert.Equal([new SequenceRange(1, 1)], lowest.Except(set).Ranges);
        Assert.Empty(set.Except(lowest).Ranges);
        Assert.False(set.Touches(new SequenceRange(5, ulong.MaxValue - 3)));
        Assert.True(set.Touches(new SequenceRange(5, ulong.MaxValue - 2)));
    }

    private static void Compare((int, int)[] first, (int, int)[] second)
    {
        var (set, plain) = Fill(first);
        var (other, plainOther) = Fill(second);

        Assert.Equal(plain, Numbers(set));
        Assert.Equal((ulong)plain.Count, set.Count);
        Assert.Equal(plain.Except(plainOther).Order(), Numbers(set.Except(other)));
        Assert.All(set.Ranges.Zip(set.Ranges.Skip(1)), pair => Assert.True(pair.First.End + 1 < pair.Second.Start));
        for (var i = 1UL; i < 70; i++)
        {
            Assert.Equal(plain.Contains(i), set.Contains(i));
            Assert.Equal(Missing(plain, i), set.FirstMissing(i));
        }
    }

    private static (SequenceSet Set, SortedSet<ulong> Plain) Fill((int, int)[] ranges)
    {
        var set = new SequenceSet();
        var plain = new SortedSet<ulong>();
        foreach (var range in ranges.Select(RangeOf))
        {
            set.Add(range);
            plain.UnionWith(Numbers(range));
        }

        return (set, plain);
    }

    // Short ones, so that there are holes between them.
    private static SequenceRange RangeOf((int, int) ends) =>
        new((ulong)Math.Min(ends.Item1, ends.Item2), (ulong)Math.Min(ends.Item1, ends.Item2) + (ulong)(Math.Abs(ends.Item1 - ends.Item2) / 8));

    private static ulong Missing(SortedSet<ulong> plain, ulong from)
    {
        while (plain.Contains(from))
        {
            from++;
        }

        return from;
    }

    private static IEnumerable<ulong> Numbers(SequenceSet set) => set.Ranges.SelectMany(Numbers);

    private static IEnumerable<ulong> Numbers(SequenceRange range)
    {
        for (var i = range.Start; i <= range.End; i++)
        {
            yield return i;
        }
    }
}
