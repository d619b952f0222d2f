using FsCheck;
using FsCheck.Fluent;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Tests;

/// <summary>Series as tests make and compare them.</summary>
internal static class TestData
{
    public const long Day = 86_400_000;
    public const long Hour = 3_600_000;

    public static readonly IReadOnlyList<LabelMatcher> Everything = [];

    // With those that UTF-8 and UTF-16 order differently.
    private static readonly string[] Words = ["a", "b", "ab", "host", "web-1", "web-2", "web-10", "é", "日本", "\ue000", "\uffff", "😀", "\U0010ffff", "a b", "=~\"", "|"];

    private static readonly Gen<double> Values = Gen.Frequency(
        (4, Gen.Choose(0, 5).Select(value => (double)value)),
        (3, Gen.Choose(0, 100_000).Select(value => value / 8.0)),
        (1, ArbMap.Default.GeneratorFor<long>().Select(BitConverter.Int64BitsToDouble)),
        (1, Gen.Elements(0.0, -0.0, double.NaN, double.PositiveInfinity, BitConverter.Int64BitsToDouble(StaleMarker.Bits))));

    private static readonly Gen<long> Steps = Gen.Frequency(
        (6, Gen.Constant(15_000L)),
        (3, Gen.Choose(1, 20_000).Select(step => (long)step)),
        (1, Gen.Elements(8_191L, 8_192, 8_193, 65_536, 524_288, 524_289, 3_000_000)));

    public static Gen<(long Time, double Value)[]> Samples(int maxCount) =>
        from count in Gen.Choose(1, maxCount)
        from start in Gen.Choose(0, 1_000_000)
        from steps in Steps.ArrayOf(count)
        from values in Gen.OneOf(Values.ArrayOf(count), Values.Select(value => Enumerable.Repeat(value, count).ToArray()))
        select steps.Select((_, i) => (start + steps.Take(i).Sum(), values[i])).ToArray();

    public static readonly Gen<LabelSet> LabelSets =
        from names in Gen.Elements(["__name__", "job", "instance", "é", "\uffff", "😀"]).NonEmptyListOf()
        from values in Gen.Elements(Words).ListOf(names.Count)
        select new LabelSet([.. names.Zip(values, (name, value) => new Label(name, value))]);

    /// <summary>Some series, each with samples.</summary>
    public static readonly Arbitrary<Series> AnySeries = Arb.From(
        from count in Gen.Choose(1, 25)
        from sets in LabelSets.ListOf(count)
        from samples in Samples(maxCount: 300).ListOf(count)
        select new Series(sets.Zip(samples).DistinctBy(pair => pair.First)));

    public static bool Same(IEnumerable<(long Time, double Value)> expected, SampleBuffer found)
    {
        var at = 0;
        foreach (var (time, value) in expected)
        {
            if (at == found.Count || found.Times[at] != time || BitConverter.DoubleToInt64Bits(found.Values[at]) != BitConverter.DoubleToInt64Bits(value))
            {
                return false;
            }

            at++;
        }

        return at == found.Count;
    }

    /// <summary>Writes a block and gives its name.</summary>
    public static BlockMeta Write(IFileSystem files, string directory, Ulid id, Series series, BlockProvenance? provenance = null, long segmentSizeMax = 1 << 20)
    {
        using var writer = new BlockWriter(files, directory, id, -Day * 100_000, Day * 100_000, segmentSizeMax);
        foreach (var (labels, samples) in series.InOrder)
        {
            writer.BeginSeries(labels);
            writer.AddSamples([.. samples.Keys], [.. samples.Values]);
        }

        return writer.Commit(provenance ?? new BlockProvenance { ExternalLabels = [new Label("lightmetrics_stream", "test")] })!;
    }

    /// <summary>All that a reader has of a range; fails when it has something twice.</summary>
    public static Series Read(ISeriesReader reader, IReadOnlyList<LabelMatcher> matchers, long from = long.MinValue, long until = long.MaxValue)
    {
        using var found = reader.Find(matchers, from, until, CancellationToken.None);
        var all = new Series([]);
        var samples = new SampleBuffer();
        for (var i = 0; i < found.Count; i++)
        {
            samples.Clear();
            found.Read(i, from, until, samples);
            all.Add(found.Labels(i), samples);
        }

        return all;
    }

    public static LabelMatcher Matcher(string name, MatchKind kind, string value) =>
        LabelMatcher.TryCreate(kind, name, value, out var matcher, out var fault) ? matcher! : throw new FormatException(fault);
}

/// <summary>Series as a plain map.</summary>
internal sealed class Series
{
    private readonly Dictionary<LabelSet, SortedDictionary<long, double>> all = [];

    public Series(IEnumerable<(LabelSet Labels, (long Time, double Value)[] Samples)> given)
    {
        foreach (var (labels, samples) in given)
        {
            all.Add(labels, new SortedDictionary<long, double>(samples.ToDictionary(sample => sample.Time, sample => sample.Value)));
        }
    }

    public IEnumerable<KeyValuePair<LabelSet, SortedDictionary<long, double>>> InOrder => all.OrderBy(pair => pair.Key, Comparer<LabelSet>.Create((left, right) => left.CompareTo(right)));

    public int Count => all.Count;

    public long SampleCount => all.Values.Sum(samples => samples.Count);

    public void Add(LabelSet labels, SampleBuffer samples)
    {
        if (samples.Count > 0)
        {
            var map = new SortedDictionary<long, double>();
            for (var i = 0; i < samples.Count; i++)
            {
                Assert.True(i == 0 || samples.Times[i] > samples.Times[i - 1], $"{labels}: {samples.Times[i]} comes out of order or twice");
                map.Add(samples.Times[i], samples.Values[i]);
            }

            all.Add(labels, map);
        }
    }

    /// <summary>Takes in what is not there yet: what is there came first.</summary>
    public Series MergeLater(Series later)
    {
        foreach (var (labels, samples) in later.all)
        {
            if (!all.TryGetValue(labels, out var mine))
            {
                all.Add(labels, mine = []);
            }

            foreach (var (time, value) in samples)
            {
                mine.TryAdd(time, value);
            }
        }

        return this;
    }

    public Series Where(Func<LabelSet, bool> isWanted, long from = long.MinValue, long until = long.MaxValue) => new(
        all.Where(pair => isWanted(pair.Key))
            .Select(pair => (pair.Key, pair.Value.Where(sample => sample.Key >= from && sample.Key <= until).Select(sample => (sample.Key, sample.Value)).ToArray()))
            .Where(pair => pair.Item2.Length > 0));

    public string Describe() => string.Join("\n", InOrder.Select(pair => pair.Key + ": "
        + string.Join(" ", pair.Value.Select(sample => $"{sample.Key}={BitConverter.DoubleToInt64Bits(sample.Value):x}"))));

    public bool SameAs(Series other) => all.Count == other.all.Count && all.All(pair => other.all.TryGetValue(pair.Key, out var samples)
        && samples.Count == pair.Value.Count
        && samples.Zip(pair.Value).All(both => both.First.Key == both.Second.Key
            && BitConverter.DoubleToInt64Bits(both.First.Value) == BitConverter.DoubleToInt64Bits(both.Second.Value)));
}
