using Lm.Logs.Query;
using Lm.TestKit;

namespace Lm.Logs.Tests.Query;

[Collection(nameof(LogQueryMemoryTests))]
[CollectionDefinition(nameof(LogQueryMemoryTests), DisableParallelization = true)] // the process' memory is looked at: no other test may use any meanwhile
public sealed class LogQueryMemoryTests
{
    private const long Now = RandomLines.Start;
    private const int LinesCount = 3000;

    [Theory]
    [InlineData("""| line_format "{{__line__}} {{ repeat 80000 \"x\" }}" """, false)]
    [InlineData("""| line_format "{{__line__}} {{ repeat 80000 \"x\" }}" """, true)]
    [InlineData("""| label_format a="{{ repeat 40000 \"x\" }}", b="{{ repeat 40000 \"y\" }}" """, true)]
    public void A_search_whose_stages_make_long_texts_holds_no_more_than_its_bound(string stages, bool isBackward)
    {
        const long bound = 4 << 20;
        using var store = Filled(bound);
        var entry = Search(store, stages, isBackward).First();

        Assert.StartsWith(isBackward ? "line 2999" : "line 0", Body(entry), StringComparison.Ordinal);
        Assert.InRange(Search(store, stages, isBackward).Select(static each => each.HeldBytes).First(), 80_000, 400_000);

        // Looked at while it goes on: what came out is collected, what waits is not. All lines would be 240 MB and more.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var going = Search(store, stages, isBackward).GetEnumerator();
        for (var i = 0; i < 100; i++)
        {
            Assert.True(going.MoveNext());
            if (i % 25 == 0)
            {
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 16 * bound);
            }
        }
    }

    [Theory]
    [InlineData(false, 100_000)]
    [InlineData(true, 100_000)]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    public void Lines_that_had_to_be_forgotten_are_found_again_each_once_and_in_order(bool isBackward, long bound)
    {
        using var whole = Filled(32 << 20, 300);
        using var narrow = Filled(bound, 300);
        const string stages = """| line_format "{{__line__}} {{ repeat 1000 \"x\" }}" """;
        var expected = Search(whole, stages, isBackward).Select(Body).ToList();

        Assert.Equal(300, expected.Count);
        Assert.Equal(expected, Search(narrow, stages, isBackward).Select(Body));
    }

    [Fact]
    public void A_line_is_made_no_longer_than_allowed_by_any_number_of_stages_and_a_long_one_may_be_passed_on()
    {
        var logs = new MemoryLogs().Add(1, "short");
        var twice = string.Join(", ", Enumerable.Range(0, 100).Select(i => $$$"""a{{{i}}}="{{ repeat 80000 \"x\" }}" """));

        Assert.Contains("87381", ErrorOf(logs, """| line_format "{{ repeat 50000 \"x\" }}{{ repeat 50000 \"x\" }}" """), StringComparison.Ordinal);
        Assert.Equal("the values found in the line or made for it are longer than 1048576 bytes together; a13 is left out", ErrorOf(logs, "| label_format " + twice));
        Assert.InRange(Assert.Single(LogQueryTests.Run(logs, """{instance="web1"} | label_format """ + twice)).HeldBytes, 1 << 20, 3 << 20);

        var text = new string('y', 200_000);
        Assert.Equal(text, LogQueryTests.Body(Assert.Single(LogQueryTests.Run(new MemoryLogs().Add(1, text), """{instance="web1"} | line_format "{{__line__}}" """))));
    }

    [Fact]
    public void Of_lines_of_one_time_the_first_and_the_last_are_those_of_the_order_of_lines_every_time()
    {
        using var store = Filled(32 << 20);
        var logs = new MemoryLogs();
        for (var i = 0; i < LinesCount; i++)
        {
            logs.Add(Now, Invariant($"n={i}"));
        }

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal((0, LinesCount - 1), (Number(logs, "first"), Number(logs, "last")));
            Assert.Equal((0, LinesCount - 1), (Number(store, "first"), Number(store, "last")));
        }
    }

    private static double Number(ILogReader reader, string which)
    {
        Assert.True(LogQuery.TryParse($$"""{{which}}_over_time({instance="web1"} | logfmt n | unwrap n [5m]) by (instance)""", out var query, out var fault), fault.ToString());
        var metric = new LogQueryEngine(reader, new LogQueryLimits()).Instant(query!, Now, new LogScanStatistics(), TestContext.Current.CancellationToken);
        return Assert.Single(Assert.Single(metric.Series).Values);
    }

    private static string ErrorOf(MemoryLogs logs, string stages) =>
        Assert.Single(LogQueryTests.Run(logs, """{instance="web1"} """ + stages)).Parsed.Single(static label => label.Name == "__error_details__").Value;

    private static IEnumerable<LogEntry> Search(LogStore store, string stages, bool isBackward)
    {
        Assert.True(LogQuery.TryParse("""{instance="web1"} """ + stages, out var query, out var fault), fault.ToString());
        var range = new LogRange { From = 0, Until = long.MaxValue, IsBackward = isBackward };
        return new LogQueryEngine(store, new LogQueryLimits()).Lines(query!, range, new LogScanStatistics(), TestContext.Current.CancellationToken);
    }

    private static string Body(LogEntry entry) => LogQueryTests.Body(entry);

    // Lines of one time, the last of them first, so that frames are not sorted.
    private static LogStore Filled(long bound, int count = LinesCount)
    {
        var options = new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime(), SearchBytesMax = bound };
        var store = LogStore.Open(new MemoryFileSystem(), options, out _);
        var heads = new Dictionary<LogStream, StreamHead>();
        for (var i = count - 1; i >= 0; i--)
        {
            new Line(Now, [new("instance", "web1")], new LogIdentity(7, (ulong)i + 1, 0), Invariant($"line {i} n={i} {new string('z', 300)}"), []).AddTo(store, heads, Now);
        }

        return store;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
