using FsCheck;
using FsCheck.Fluent;

namespace Lm.PromQL.Tests;

public sealed class PatternSortTests
{
    // What Prometheus 2.42 answers to sort_desc over 18 series of two values: so few decide at random where equal ones end.
    [Theory]
    [InlineData("100111100111100111", "12 0 9 10 4 5 6 16 17 15 3 11 2 13 14 1 7 8")]
    [InlineData("100011100011100011", "12 11 16 10 4 5 6 0 17 2 3 1 7 13 14 15 9 8")]
    public void Equal_values_stand_where_Prometheus_leaves_them(string values, string expected)
    {
        var indexes = Enumerable.Range(0, values.Length).ToArray();

        new BestFirst(largest: true).Sort(indexes, at => values[at] - '0');

        Assert.Equal(expected, string.Join(' ', indexes));
    }

    [Fact]
    public void Any_values_are_sorted_and_none_is_lost() =>
        Prop.ForAll(Lists.ToArbitrary(), static values => IsSorted(values)).QuickCheckThrowOnFailure();

    [Fact]
    public void Long_runs_with_few_values_and_patterns_are_sorted()
    {
        foreach (var length in (int[])[13, 49, 50, 51, 200, 1000, 4096])
        {
            foreach (var value in (Func<int, int>[])[i => i, i => -i, i => i % 7, i => i * i % 31, i => Math.Abs(i - (length / 2)), i => i == length / 2 ? 0 : i, i => i ^ 1, _ => 0])
            {
                Assert.True(IsSorted([.. Enumerable.Range(0, length).Select(value)]), $"{length} values");
            }
        }
    }

    [Fact]
    public void NaN_ends_it_as_anything_else_does()
    {
        var indexes = Enumerable.Range(0, 100).ToArray();

        new BestFirst(largest: false).Sort(indexes, at => at % 3 == 0 ? double.NaN : at);

        Assert.Equal(Enumerable.Range(0, 100), indexes.Order());
    }

    private static Gen<int[]> Lists =>
        from length in Gen.Choose(0, 300)
        from largest in Gen.Choose(0, 400)
        from values in Gen.Choose(0, largest).ArrayOf(length)
        select values;

    private static bool IsSorted(int[] values)
    {
        var indexes = Enumerable.Range(0, values.Length).ToArray();
        new PatternSort(indexes, (left, right) => values[left] < values[right]).Sort();
        return indexes.Order().SequenceEqual(Enumerable.Range(0, values.Length))
            && indexes.Select(at => values[at]).SequenceEqual(values.Order());
    }
}
