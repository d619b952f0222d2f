using System.Globalization;
using System.Text.RegularExpressions;

namespace Lm.Repository.Tests;

public sealed partial class LogEventTests
{
    private static readonly (string Folder, int First, int Last)[] Ranges =
    [
        ("src/Lm.Agent/HostMetrics/", 1100, 1199), ("src/Lm.Agent/LogTail/", 1200, 1249), ("src/Lm.Agent/Batching/", 1250, 1299),
        ("src/Lm.Agent/Queue/", 1300, 1399), ("src/Lm.Agent/Upload/", 1400, 1499), ("src/Lm.Agent/Events/", 1500, 1549),
        ("src/Lm.Agent/SystemdJournal/", 1550, 1599), ("src/Lm.Agent/Gathering/", 1600, 1649), ("src/Lm.Agent/Containers/", 1650, 1659), ("src/Lm.Agent/", 1000, 1099),
        ("src/Lm.Collector/Ingest/", 2100, 2199), ("src/Lm.Collector/Spool/", 2200, 2299), ("src/Lm.Collector/Series/", 2300, 2399), ("src/Lm.Collector/LogRecords/", 2400, 2499), ("src/Lm.Collector/Landing/", 2600, 2649), ("src/Lm.Collector/Recovery/", 2650, 2689), ("src/Lm.Collector/Bucket/", 2690, 2699), ("src/Lm.Collector/Live/", 2700, 2799), ("src/Lm.Collector/SharedLog/", 3000, 3049),
        ("src/Lm.Collector/Query/", 2500, 2599), ("src/Lm.Collector/Agents/", 2500, 2599), ("src/Lm.Collector/Console/", 2900, 2999),
        ("src/Lm.Collector/Dashboards/", 2850, 2859), ("src/Lm.Collector/Changes/", 2860, 2899),
        ("src/Lm.Collector/", 2000, 2099),
    ];

    [Fact]
    public void Event_ids_are_unique()
    {
        var events = Events();

        Assert.NotEmpty(events);
        Checkout.AssertNone(
            events.GroupBy(found => found.Id).Where(group => group.Count() > 1)
                .Select(group => $"{group.Key}: {string.Join(", ", group.Select(found => found.Path))}"),
            "Event ids that are used twice:");
    }

    [Fact]
    public void Event_ids_are_in_their_slices_range()
    {
        Checkout.AssertNone(
            from found in Events()
            let range = Ranges.First(range => found.Path.StartsWith(range.Folder, StringComparison.Ordinal))
            where found.Id < range.First || found.Id > range.Last
            select $"{found.Path}: {found.Id}, expected {range.First} to {range.Last}",
            "Event ids outside their slice's range:");
    }

    private static List<(string Path, int Id)> Events() =>
    [
        .. from path in Checkout.Under("src/", ".cs")
           from Match found in EventId().Matches(Checkout.Read(path))
           select (path, int.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture)),
    ];

    [GeneratedRegex(@"LoggerMessage\(\s*EventId = (\d+)")]
    private static partial Regex EventId();
}
