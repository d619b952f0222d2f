using System.Text;
using FsCheck;
using FsCheck.Fluent;
using static Lm.Toml.TomlValue;

namespace Lm.Toml.Tests;

/// <summary>Random documents, as values.</summary>
internal static class ArbitraryToml
{
    private static readonly TomlPosition Nowhere = new(1, 1);

    private static readonly Gen<string> Strings =
        Gen.Frequency(
            (5, Gen.Choose(' ', '~')),
            (3, Gen.Elements<int>('"', '\'', '\\', '\n', '\r', '\t', ' ', '#', '=', ']', '}', 0, 0x1B, 0x7F)),
            (1, Gen.Choose(0xA0, 0xD7FF)),
            (1, Gen.Choose(0xE000, 0x10FFFF)))
        .ArrayOf()
        .Select(codePoints => string.Concat(codePoints.Select(codePoint => new Rune(codePoint).ToString())));

    private static readonly Gen<string> Keys = Gen.Frequency(
        (3, Gen.Elements("a", "b", "max_body_bytes", "1", "1979-05-27", "inf", "-", "true")),
        (1, Strings));

    private static readonly Gen<TomlDate> Dates =
        from year in Gen.Choose(0, 9999)
        from month in Gen.Choose(1, 12)
        from day in Gen.Choose(1, DateTime.DaysInMonth(Math.Max(year, 1), month))
        select new TomlDate(year, month, day);

    private static readonly Gen<TomlTime> Times =
        from hour in Gen.Choose(0, 23)
        from minute in Gen.Choose(0, 59)
        from second in Gen.Choose(0, 60)
        from nanosecond in Gen.Choose(0, 999_999_999)
        select new TomlTime(hour, minute, second, nanosecond);

    private static readonly Gen<TomlDateTime> Moments =
        from kind in Gen.Choose(0, 3)
        from date in Dates
        from time in Times
        from offset in Gen.Choose(-1439, 1439)
        select kind switch
        {
            0 => new TomlDateTime(date, null, null),
            1 => new TomlDateTime(null, time, null),
            2 => new TomlDateTime(date, time, null),
            _ => new TomlDateTime(date, time, offset),
        };

    private static readonly Gen<TomlValue> Scalars = Gen.OneOf(
        Strings.Select(text => (TomlValue)new Text(text, Nowhere)),
        ArbMap.Default.GeneratorFor<long>().Select(number => (TomlValue)new Integer(number, Nowhere)),
        Gen.Elements(0, 1, long.MaxValue, long.MinValue).Select(number => (TomlValue)new Integer(number, Nowhere)),
        ArbMap.Default.GeneratorFor<double>().Select(number => (TomlValue)new Float(number, Nowhere)),
        ArbMap.Default.GeneratorFor<bool>().Select(truth => (TomlValue)new Truth(truth, Nowhere)),
        Moments.Select(moment => (TomlValue)new Moment(moment, Nowhere)));

    /// <summary>Documents of a few levels; they shrink by one top key at a time.</summary>
    public static Arbitrary<Table> Documents { get; } = Arb.From(TableOf(Under(depth: 3)), Smaller);

    /// <summary>Whether two values are equal, wherever they stand and however they were written.</summary>
    public static bool AreEqual(TomlValue left, TomlValue right) => (left, right) switch
    {
        (Text a, Text b) => a.Value == b.Value,
        (Integer a, Integer b) => a.Value == b.Value,
        (Float a, Float b) => a.Value.Equals(b.Value),
        (Truth a, Truth b) => a.Value == b.Value,
        (Moment a, Moment b) => a.Value == b.Value,
        (TomlValue.Array a, TomlValue.Array b) => a.GrowsByHeaders == b.GrowsByHeaders && a.Items.Count == b.Items.Count
            && a.Items.Zip(b.Items).All(pair => AreEqual(pair.First, pair.Second)),
        (Table a, Table b) => a.Origin == b.Origin && a.Entries.Count == b.Entries.Count
            && a.Entries.All(entry => b.Entries.TryGetValue(entry.Key, out var other) && AreEqual(entry.Value.Value, other.Value)),
        _ => false,
    };

    private static Gen<TomlValue> Under(int depth) => depth == 0
        ? Scalars
        : Gen.Frequency(
            (6, Scalars),
            (2, InlineUnder(depth)),
            (2, TableOf(Under(depth - 1)).Select(table => (TomlValue)table)),
            (1, TableOf(Under(depth - 1)).NonEmptyListOf().Select(tables => (TomlValue)ArrayOf(growsByHeaders: true, tables))));

    private static Gen<TomlValue> InlineUnder(int depth) => depth == 0
        ? Scalars
        : Gen.Frequency(
            (2, Scalars),
            (1, InlineUnder(depth - 1).ListOf().Select(items => (TomlValue)ArrayOf(growsByHeaders: false, items))),
            (1, Entries(InlineUnder(depth - 1)).Select(entries => (TomlValue)NewTable(TableOrigin.Inline, entries))));

    private static Gen<Table> TableOf(Gen<TomlValue> values) => Entries(values).Select(entries => NewTable(TableOrigin.Header, entries));

    private static Gen<List<KeyValuePair<string, TomlValue>>> Entries(Gen<TomlValue> values) =>
        from count in Gen.Choose(0, 5)
        from entries in Keys.Zip(values, KeyValuePair.Create).ListOf(count)
        select entries.DistinctBy(entry => entry.Key).ToList();

    private static Table NewTable(TableOrigin origin, IEnumerable<KeyValuePair<string, TomlValue>> entries)
    {
        var table = new Table(origin, Nowhere);
        foreach (var (key, value) in entries)
        {
            table.Entries.Add(key, new Entry(Nowhere, value));
        }

        return table;
    }

    private static TomlValue.Array ArrayOf(bool growsByHeaders, IEnumerable<TomlValue> items)
    {
        var array = new TomlValue.Array(growsByHeaders, Nowhere);
        array.Items.AddRange(items);
        return array;
    }

    private static IEnumerable<Table> Smaller(Table table) => table.Entries.Keys.Select(dropped => NewTable(
        table.Origin,
        table.Entries.Where(entry => entry.Key != dropped).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Value))));
}
