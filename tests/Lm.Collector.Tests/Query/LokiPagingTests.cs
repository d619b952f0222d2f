using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Query;
using Lm.Logs;
using Lm.Logs.Query;
using Lm.Logs.Tests.Query;

namespace Lm.Collector.Tests.Query;

/// <summary>Loki's clients page by time alone, in nanoseconds; lines have milliseconds.</summary>
public sealed class LokiPagingTests
{
    private const long First = 1_767_323_040_000;
    private const int Milliseconds = 4;

    [Fact]
    public void A_line_has_one_time_in_all_answers_of_a_query_and_every_range_gives_the_lines_of_its_times()
    {
        var cases = from counts in Gen.Choose(0, 12).ArrayOf(Milliseconds)
                    from query in Gen.Elements("{instance=~\"web.\"}", "{instance=~\"web.\"} |= \"a\"", "{instance=\"web2\"}")
                    from start in Time()
                    from end in Time()
                    from limit in Gen.Choose(1, 20)
                    from isBackward in Gen.Elements(true, false)
                    select (counts, query, start, end, limit, isBackward);
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var logs = Fill(one.counts);
            var all = Find(logs, one.query, new LokiTime(0, 0), new LokiTime(First + 1000, 0), 5000, isBackward: false);

            // Ranks: of one millisecond 0, 1, 2 …
            Assert.All(all.GroupBy(static line => line.Entry.Time), static group => Assert.Equal(Enumerable.Range(0, group.Count()), group.Select(static line => line.Nanoseconds)));

            var expected = all.Where(line => !line.Time.IsBefore(one.start) && line.Time.IsBefore(one.end));
            expected = one.isBackward ? expected.Reverse() : expected;
            Assert.Equal(expected.Take(one.limit).Select(Shown), Find(logs, one.query, one.start, one.end, one.limit, one.isBackward).Select(Shown));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Pages_join_without_a_hole_or_a_line_twice_in_both_directions()
    {
        var cases = from counts in Gen.Choose(0, 30).ArrayOf(Milliseconds)
                    from limit in Gen.Choose(1, 9)
                    from isBackward in Gen.Elements(true, false)
                    select (counts, limit, isBackward);
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var logs = Fill(one.counts);
            const string query = "{instance=~\"web.\"}";
            var expected = Find(logs, query, new LokiTime(0, 0), new LokiTime(First + 1000, 0), 5000, one.isBackward).Select(Shown).ToList();
            var (start, end) = (new LokiTime(0, 0), new LokiTime(First + 1000, 0));
            var paged = new List<string>();
            while (Find(logs, query, start, end, one.limit, one.isBackward) is { Count: > 0 } page)
            {
                paged.AddRange(page.Select(Shown));
                (start, end) = one.isBackward ? (start, page[^1].Time) : (page[^1].Time with { Nanoseconds = page[^1].Nanoseconds + 1 }, end);
            }

            Assert.Equal(expected, paged);
            Assert.Equal(one.counts.Sum(), paged.Distinct().Count());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Lines_beyond_the_last_nanosecond_share_it()
    {
        Assert.Equal(999_999, LokiLines.LastNanosecond);
        Assert.True(new LokiTime(5, LokiLines.LastNanosecond).IsBefore(new LokiTime(6, 0)));
    }

    [Fact]
    public void An_interval_leaves_lines_out_that_are_too_near_to_the_one_before()
    {
        var logs = new MemoryLogs();
        foreach (var time in (long[])[0, 10, 10, 25, 30, 31, 50])
        {
            logs.Add(First + time, $"at {time}");
        }

        Assert.Equal(["at 0", "at 25", "at 50"], Find(logs, "{instance=\"web1\"}", new LokiTime(0, 0), new LokiTime(First + 1000, 0), 100, false, 20).Select(Shown).Select(static text => text.Split('|')[1]));
        Assert.Equal(["at 50", "at 30", "at 10"], Find(logs, "{instance=\"web1\"}", new LokiTime(0, 0), new LokiTime(First + 1000, 0), 100, true, 20).Select(Shown).Select(static text => text.Split('|')[1]));
    }

    [Fact]
    public void An_answer_that_holds_too_much_is_refused()
    {
        var logs = Fill([30, 30, 30, 30]);

        foreach (var isBackward in (bool[])[true, false])
        {
            Assert.Throws<LogQueryException>(() => Find(logs, "{instance=~\"web.\"}", new LokiTime(0, 0), new LokiTime(First + 1000, 0), 5000, isBackward, heldMax: 1000));
        }
    }

    private static Gen<LokiTime> Time() =>
        from millisecond in Gen.Choose(0, Milliseconds)
        from nanoseconds in Gen.Frequency((1, Gen.Constant(0)), (4, Gen.Choose(0, 14)), (1, Gen.Constant(LokiLines.LastNanosecond)))
        select new LokiTime(First + millisecond, nanoseconds);

    private static MemoryLogs Fill(int[] counts)
    {
        var logs = new MemoryLogs();
        for (var millisecond = 0; millisecond < counts.Length; millisecond++)
        {
            for (var i = 0; i < counts[millisecond]; i++)
            {
                logs.Add(First + millisecond, $"{(i % 3 == 0 ? "a" : "b")} {millisecond} {i}", $"instance=web{i % 2 + 1}");
            }
        }

        return logs;
    }

    private static IReadOnlyList<LokiLine> Find(MemoryLogs logs, string text, LokiTime start, LokiTime end, int limit, bool isBackward, long intervalMs = 0, long heldMax = long.MaxValue)
    {
        Assert.True(LogQuery.TryParse(text, out var query, out var fault), fault.ToString());
        var ask = new LogAsk { Query = query!, Start = start.Milliseconds, End = end.Milliseconds, Limit = limit, IsBackward = isBackward, StepMs = 1 };
        var work = new LogWork(new LogQueryEngine(logs, new LogQueryLimits()), new LogScanStatistics(), TimeSpan.Zero, TestContext.Current.CancellationToken);
        return LokiLines.Find(new LokiAsk(ask, start, end, intervalMs), work, heldMax);
    }

    private static string Shown(LokiLine line) => $"{line.Entry.Time}.{line.Nanoseconds:D6}|{System.Text.Encoding.UTF8.GetString(line.Entry.Body.Span)}";
}
