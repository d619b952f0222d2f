using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.Queue;
using Lm.Protocol;

namespace Lm.Agent.Tests.Queue;

public sealed class SequenceSetTests
{
    [Fact]
    public void It_agrees_with_a_plain_set_after_any_additions() =>
        Prop.ForAll(Gen.Choose(1, 60).Two().ArrayOf().ToArbitrary(), Gen.Choose(1, 60).Two().ArrayOf().ToArbitrary(), Compare).QuickCheckThrowOnFailure();

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
        foreach (var (a, b) in ranges)
        {
            var range = new SequenceRange((ulong)Math.Min(a, b), (ulong)Math.Min(a, b) + (ulong)(Math.Abs(a - b) / 8));
            set.Add(range);
            plain.UnionWith(Numbers(range));
        }

        return (set, plain);
    }

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
