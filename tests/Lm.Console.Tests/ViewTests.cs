using System.Text.RegularExpressions;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Protocol;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>What one chooses in a page: time, charts, queries; and that the address of it gives it again to somebody else.</summary>
public sealed class ViewTests(Chromium chromium)
{
    [Fact]
    public async Task A_view_that_was_made_by_clicks_opens_from_its_address_in_another_browser()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.FeedHistory(listener, "web2");
        for (var i = 0; i < 30; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 60_000 + (i * 1000), $"request {i}", i % 3 == 0 ? "instance=web1,severity=error" : "instance=web2,severity=info", ("unit", i % 2 == 0 ? "api" : "db"));
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener);
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1 })).ToHaveTextAsync("Overview");
        await using var other = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener);
        await Expect(other.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1 })).ToHaveTextAsync("Overview");
        var page = console.Page;

        await page.GetByLabel("Filter hosts").FillAsync("web2");
        await page.GetByRole(AriaRole.Columnheader).GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Host" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["web2"]);
        await page.Locator("summary", new PageLocatorOptions { HasText = "Columns" }).ClickAsync();
        await page.GetByRole(AriaRole.Checkbox, new PageGetByRoleOptions { Name = "Memory" }).UncheckAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Columnheader)).ToHaveCountAsync(10);
        await Expect(page.GetByRole(AriaRole.Row).Last.GetByRole(AriaRole.Cell)).ToHaveCountAsync(9);
        await SameAsync("tbody th", "thead th");

        await page.GotoAsync("logs?" + Hosts.HistoryRange);
        await page.Locator(".line").First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Filter for unit db" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Wrap" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Newest first" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Fields" }).ClickAsync();
        await Expect(page.Locator(".line .text").First).ToHaveTextAsync("request 1");
        await page.Locator(".line").First.ClickAsync();
        await SameAsync(".line .text", ".details h2", ".field-list summary");

        await page.GotoAsync("d/fleet?" + Hosts.HistoryRange);
        await Expect(page.Locator(".dash figure").First).ToBeVisibleAsync();
        await page.Locator("summary[aria-label^='Menu of']").First.ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Full screen" }).First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Figure)).ToHaveCountAsync(1);
        await SameAsync("figure h2");

        await page.GotoAsync("explore?q=node_load1&" + Hosts.HistoryRange);
        await page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Table" }).ClickAsync();
        await page.GetByLabel("Unit").SelectOptionAsync("percent");
        await Expect(page.Locator("td").Last).ToContainTextAsync("%");
        await SameAsync("td");
        Assert.Empty(console.Faults);

        async Task SameAsync(params string[] shown)
        {
            await other.Page.GotoAsync(page.Url);
            foreach (var each in shown)
            {
                await Expect(other.Page.Locator("main " + each)).ToHaveTextAsync(await page.Locator("main " + each).AllTextContentsAsync());
            }
        }
    }

    [Fact]
    public async Task The_time_range_is_chosen_moved_by_half_zoomed_out_and_shown_in_a_zone()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?vol=off&" + Hosts.HistoryRange);
        var page = console.Page;
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Earlier by half the range" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex($"from={Hosts.HistoryStart - 300_000}&to={Hosts.HistoryEnd - 300_000}"));
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Later by half the range" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Zoom out" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex($"from={Hosts.HistoryStart - 300_000}&to={Hosts.HistoryEnd + 300_000}"));
        await page.GoBackAsync();
        await Expect(page).ToHaveURLAsync(new Regex($"from={Hosts.HistoryStart}&to={Hosts.HistoryEnd}"));
        await page.Locator("#time").ClickAsync();
        await page.GetByLabel("Time zone").SelectOptionAsync("utc");
        await Expect(page.Locator("#time")).ToContainTextAsync("2026-01-02 02:50:00 to 03:00:00 UTC");
        await page.Keyboard.PressAsync("Escape");
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Back to live" }).ClickAsync();
        await Expect(page.Locator("#time")).ToContainTextAsync("Last 1 h");
        foreach (var (range, title) in ((string, string)[])[("now-5m", "Last 5 min"), ("now-15m", "Last 15 min"), ("now-30m", "Last 30 min"), ("now-1h", "Last 1 h"), ("now-3h", "Last 3 h"), ("now-6h", "Last 6 h"), ("now-12h", "Last 12 h"),
                ("now-1d", "Last 24 h"), ("now-2d", "Last 2 d"), ("now-7d", "Last 7 d"), ("now-30d", "Last 30 d"), ("now-90d", "Last 90 d")])
        {
            await page.Locator("#time").ClickAsync();
            await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = title, Exact = true }).ClickAsync();
            await Expect(page).ToHaveURLAsync(new Regex($"from={range}&to=now"));
            await Expect(page.Locator("#time")).ToContainTextAsync(title);
        }

        // A link that shows the same tomorrow.
        await page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(Hosts.HistoryEnd).UtcDateTime);
        await page.GotoAsync("logs?vol=off&from=now-10m");
        await page.Locator("#time").ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Copy link with these times fixed" }).ClickAsync();
        await Expect(page.GetByText("Copied.")).ToBeVisibleAsync();
        Assert.Equal(new Uri(listener.Address, "logs?vol=off&" + Hosts.HistoryRange).ToString(), await page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));

        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Charts_share_their_cursor_and_legends_choose_series_and_keys_zoom()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);
        var page = console.Page;
        await Expect(page.Locator(".legend")).ToHaveCountAsync(4);
        var load = page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" });
        var memory = page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Memory" });
        await load.Locator(".u-over").HoverAsync();
        await Expect(load.Locator(".tip")).ToContainTextAsync("load 5 min: ");
        await Expect(memory.Locator(".u-cursor-x")).Not.ToHaveCSSAsync("transform", "none");
        Assert.Equal(await load.Locator(".u-cursor-x").EvaluateAsync<string>("node => node.style.transform"), await memory.Locator(".u-cursor-x").EvaluateAsync<string>("node => node.style.transform"));

        var five = load.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "load 5 min" });
        await five.ClickAsync();
        await Expect(load.Locator("tr.off")).ToHaveCountAsync(2);
        await load.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "load 15 min" }).ClickAsync(new LocatorClickOptions { Modifiers = [KeyboardModifier.Control] });
        await Expect(load.Locator("tr.off")).ToHaveCountAsync(1);

        await load.Locator(".plot").FocusAsync();
        await page.Keyboard.PressAsync("+");
        await Expect(page).ToHaveURLAsync(new Regex($"from={Hosts.HistoryStart + 150_000}&to={Hosts.HistoryEnd - 150_000}"));
        await page.GoBackAsync();
        await load.Locator(".u-over").DblClickAsync(); // nothing to take back: twice the range
        await Expect(page).ToHaveURLAsync(new Regex($"from={Hosts.HistoryStart - 300_000}&to="));
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Explore_takes_eight_queries_and_long_ones_draws_thirty_series_and_a_cancelled_query_ends_at_the_collector()
    {
        await using var listener = await PrivateListener.StartAsync();
        var maker = new BatchMaker("web1");
        for (var i = 0; i < 300; i++)
        {
            maker.With("many", i, Hosts.HistoryEnd - 60_000, new Label("n", $"{i}"));
        }

        listener.Feed(maker.Make(Hosts.HistoryEnd));
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "explore?" + string.Concat(Enumerable.Range(1, 8).Select(n => $"q=many*{n}&")) + Hosts.HistoryRange);
        var page = console.Page;
        await Expect(page.GetByText("30 of 2400 series drawn")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "+ Query" })).ToBeDisabledAsync();

        await page.GotoAsync("explore?tab=table&" + Hosts.HistoryRange);
        await page.Locator(".cm-content").ClickAsync();
        await page.Keyboard.InsertTextAsync("count(many) # " + new string('x', 100_000));
        await page.Keyboard.PressAsync("Control+Enter");
        await Expect(page.GetByRole(AriaRole.Cell).Last).ToHaveTextAsync("300");

        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        listener.Wait = async token =>
        {
            asked.TrySetResult();
            await using var registration = token.Register(() => cancelled.TrySetResult());
            await cancelled.Task;
            token.ThrowIfCancellationRequested();
        };
        await page.GotoAsync("explore?q=many&refresh=off&" + Hosts.HistoryRange);
        await asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Cancel" }).ClickAsync();
        await cancelled.Task.WaitAsync(TestContext.Current.CancellationToken);
    }
}
