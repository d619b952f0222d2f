using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Those of the console's goals that are counts and sizes, which hold on a busy machine, too; bench/console.sh measures the times.</summary>
public sealed class GoalTests(Chromium chromium)
{
    [Fact]
    public async Task A_line_that_is_loaded_takes_at_most_250_bytes_and_few_of_them_are_in_the_document()
    {
        const int lines = 40_000;
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < lines; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 500_000 + (i / 100), $"{i:000000} GET /api/v1/items/{i * 7919 % 100_003:000000} HTTP/1.1 200 {i % 977:000} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" rt=0.{i % 1000:000} upstream=10.0.0.{i % 255:000}".PadRight(120, '.')[..120], "instance=web1,severity=info", ("unit", "api"));
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?vol=off&" + Hosts.HistoryRange);
        await Expect(console.Page.GetByText("1,000 lines")).ToBeVisibleAsync();
        var before = await HeapAsync(console);
        var list = console.Page.GetByRole(AriaRole.Grid, new PageGetByRoleOptions { Name = "Lines", Exact = true });
        foreach (var loaded in Enumerable.Range(0, 7).Select(page => 6000 + (page * 5000)).Append(lines))
        {
            await list.EvaluateAsync("node => { node.scrollTop = node.scrollHeight; }");
            await Expect(console.Page.GetByText(FormattableString.Invariant($"{loaded:N0} lines"))).ToBeVisibleAsync();
        }

        Assert.InRange((await HeapAsync(console) - before) / (lines - 1000), 1, 250);
        Assert.InRange(await console.Page.Locator(".line").CountAsync(), 1, 120);
        await list.EvaluateAsync("node => { node.scrollTop = node.scrollHeight; }");
        await Expect(console.Page.Locator(".line").Last).ToContainTextAsync("000000 GET");
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Of_a_fast_tail_every_line_is_there_once_and_in_order_or_said_to_be_gone()
    {
        const int lines = 20_000;
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?live=1&vol=off&" + Hosts.HistoryRange);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();

        var maker = new BatchMaker();
        for (var i = 0; i < lines; i += 100)
        {
            maker.With("x", 1, Hosts.HistoryEnd);
            maker.Logs.AddRange(Enumerable.Range(i, 100).Select(number => new LogRecord(new UnixMillis(Hosts.HistoryEnd), 9, $"line {number:00000}", [])));
            listener.Feed(maker.Make(Hosts.HistoryEnd));
        }

        await Expect(console.Page.Locator(".line").First).ToContainTextAsync($"line {lines - 1:00000}");
        // Of records that nobody looked at the page says how many; each has a hundred lines.
        const string account = """
            () => {
              const said = [...document.querySelectorAll('main p')].map((part) => part.textContent.replaceAll(',', '')).join('\n');
              const number = (pattern) => Number((pattern.exec(said) ?? [0, 0])[1]);
              return number(/(\d+) so far/) + number(/^(\d+) lines went by unseen/m) + number(/^(\d+) events went by unseen/m) + 100 * number(/^(\d+) records went by unseen/m);
            }
            """;
        Assert.Equal(lines, await console.Page.EvaluateAsync<int>(account));
        var shown = await console.Page.Locator(".line:not(.gap) .text").AllTextContentsAsync();
        Assert.Equal(shown.OrderDescending(StringComparer.Ordinal), shown);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Going_through_all_pages_again_and_again_leaves_no_timer_stream_or_memory_behind()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 5000, "a line", "instance=web1,input=events,severity=info", ("event", "agent_start"));
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.AddInitScriptAsync(CountTimers);
        var streams = new StreamCount(console.Page.Context);
        await console.SignInAsync();
        await Expect(console.Page.Locator("#freshness")).ToContainTextAsync("● live");

        await AroundAsync(2); // what is loaded once
        var (timers, heap) = (await console.Page.EvaluateAsync<int>("() => window.timers.size"), await HeapAsync(console));
        await AroundAsync(8);

        Assert.Equal(timers, await console.Page.EvaluateAsync<int>("() => window.timers.size"));
        Assert.InRange(await HeapAsync(console) - heap, double.NegativeInfinity, 20e6);
        Assert.Equal(1, streams.Most);
        Assert.Empty(console.Faults);

        async Task AroundAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                foreach (var (page, shown) in ((string, string)[])[("Dashboards", "th a"), ("Explore", ".cm-content"), ("Logs", "main .empty, .line"), ("Events", "main .empty, .line"), ("Admin", "td"), ("Overview", ".hosts td")])
                {
                    await console.Page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = page, Exact = true }).ClickAsync();
                    await Expect(console.Page.Locator(shown).First).ToBeVisibleAsync();
                }
            }

            await Expect(console.Page.Locator("#freshness")).ToContainTextAsync("● live");
        }
    }

    [Fact]
    public async Task A_live_dashboard_that_refreshes_again_and_again_comes_to_rest_with_one_stream_and_no_more_timers()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 5000, "a line", "instance=web1,input=syslog,severity=error");
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(Hosts.HistoryEnd).UtcDateTime);
        await console.Page.AddInitScriptAsync(CountTimers);
        var streams = new StreamCount(console.Page.Context);
        await console.Page.GotoAsync("login?next=" + Uri.EscapeDataString("d/host?var-host=web1&from=now-1h&refresh=1h"));
        await console.SignInAsync();
        await Expect(console.Page.Locator(".legend td").First).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Errors" }).ScrollIntoViewIfNeededAsync();
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();

        var now = Hosts.HistoryEnd;
        await RefreshAsync(20); // what is made once
        var (timers, heap) = (await console.Page.EvaluateAsync<int>("() => window.timers.size"), await HeapAsync(console));
        await RefreshAsync(Refreshes);

        // A generation of drawn parts that stays takes 260 KB each time, 10 MB in all; what is left is what a browser that is looked at keeps of its own.
        var grown = await HeapAsync(console) - heap;
        TestContext.Current.TestOutputHelper?.WriteLine($"G10: the heap grew by {grown / 1e6:0.00} MB in {Refreshes} refreshes");
        Assert.InRange(grown, double.NegativeInfinity, 1e6);
        Assert.InRange(await console.Page.EvaluateAsync<int>("() => window.timers.size"), 0, timers); // one of the last answer may be going yet, then as now
        Assert.Equal(1, streams.Most);
        Assert.Empty(console.Faults);

        async Task RefreshAsync(int times)
        {
            for (var i = 0; i < times; i++)
            {
                // A quarter of a minute later, as the timer does it, or a tab that comes into sight; all panels have their answers before the next one.
                await console.Page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(now += 15_000).UtcDateTime);
                await console.Page.RunAndWaitForResponseAsync(() => console.Page.EvaluateAsync("() => { document.dispatchEvent(new Event('visibilitychange')); }"), "**/api/v1/query*");
                await Expect(console.Page.Locator(".busy")).ToHaveCountAsync(0);
            }
        }
    }

    private const int Refreshes = 40;

    private const string CountTimers = """
        window.timers = new Set();
        const [set, clear] = [window.setInterval, window.clearInterval];
        window.setInterval = (...args) => { const id = set(...args); window.timers.add(id); return id; };
        window.clearInterval = (id) => { window.timers.delete(id); clear(id); };
        """;

    // What is in use once all that is not has gone.
    private static async Task<double> HeapAsync(ConsolePage console)
    {
        await using var session = await console.Page.Context.NewCDPSessionAsync(console.Page);
        await session.SendAsync("HeapProfiler.collectGarbage");
        return (await session.SendAsync("Runtime.getHeapUsage"))!.Value.GetProperty("usedSize").GetDouble();
    }
}
