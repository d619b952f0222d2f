using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Series;

namespace Lm.Collector.Tests.Series;

public sealed class KeyTableTests
{
    [Fact]
    public void Table_and_dictionary_agree_after_any_additions_and_removals() =>
        Prop.ForAll(Gen.Choose(0, 400).ArrayOf().ToArbitrary(), Agree).QuickCheckThrowOnFailure();

    [Fact]
    public void Many_keys_are_found_in_the_order_of_adding_and_in_any_other()
    {
        var table = new KeyTable();
        for (var i = 0; i < 20_000; i++)
        {
            table.Add(KeyOf(i), i, 0);
        }

        int[] backwards = [.. Enumerable.Range(0, 20_000).Reverse()];
        foreach (var i in Enumerable.Range(0, 20_000).Concat(backwards))
        {
            Assert.Equal(i, table.Find(KeyOf(i)));
        }

        table.Keep((number, _) => number % 7 == 0);
        Assert.Equal(2858, table.Count);
        Assert.All(backwards, i => Assert.Equal(i % 7 == 0 ? i : -1, table.Find(KeyOf(i))));
    }

    [Fact]
    public void Keys_differ_by_each_bit_by_length_and_by_where_two_texts_meet()
    {
        var seen = new HashSet<SeriesKey>();
        for (var length = 0; length < 70; length++)
        {
            var bytes = new byte[length];
            Assert.True(seen.Add(SeriesKey.Of(bytes)), $"{length} zeros");
            Assert.Equal(SeriesKey.Of(bytes), SeriesKey.Of(new byte[length]));
            for (var bit = 0; bit < length * 8; bit++)
            {
                bytes[bit >> 3] ^= (byte)(1 << (bit & 7));
                Assert.True(seen.Add(SeriesKey.Of(bytes)), $"bit {bit} of {length} bytes");
                bytes[bit >> 3] = 0;
            }
        }

        Assert.Equal(17, Enumerable.Range(0, 17).Select(at => SeriesKey.Of(new byte[at], new byte[16 - at])).Distinct().Count());
    }

    private static void Agree(int[] steps)
    {
        var (table, model) = (new KeyTable(), new Dictionary<int, int>());
        for (var i = 0; i < steps.Length; i++)
        {
            var step = steps[i];
            if (step < 20)
            {
                table.Keep((number, stamp) => (number + stamp) % 20 != step);
                model = model.Where(pair => (pair.Key + pair.Value) % 20 != step).ToDictionary();
            }
            else if (model.TryAdd(step, i))
            {
                table.Add(KeyOf(step), step, i);
            }

            Assert.Equal(model.Count, table.Count);
            Assert.Equal(model.ContainsKey(step) ? step : -1, table.Find(KeyOf(step)));
        }

        for (var key = 0; key <= 400; key++)
        {
            Assert.Equal(model.ContainsKey(key) ? key : -1, table.Find(KeyOf(key)));
        }
    }

    private static SeriesKey KeyOf(int number) => SeriesKey.Of(Encoding.UTF8.GetBytes($"series {number}"));
}
