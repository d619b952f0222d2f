using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class LogsPageTests(Chromium chromium)
{
    private const string Hostile = "<img src=x onerror=alert(1)> \u001b[31mred\u001b[0m \u202Eturned \u0000 end";

    private readonly BatchMaker maker = new();

    [Fact]
    public async Task Lines_are_found_counted_and_filtered_by_clicks()
    {
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 60_000 + (i * 1000), $"request {i}", i % 3 == 0 ? "instance=web1,severity=error" : "instance=web2,severity=info", ("unit", i % 2 == 0 ? "api" : "db"));
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?" + Hosts.HistoryRange);

        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(30);
        await Expect(console.Page.Locator(".line").First).ToContainTextAsync("request 29");
        await Expect(console.Page.Locator(".volume-legend")).ToContainTextAsync("info 20");
        await Expect(console.Page.Locator(".volume-legend")).ToContainTextAsync("error 10");
        await console.Page.Locator(".line").First.ClickAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Filter for unit db" }).ClickAsync();
        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(15);
        await Expect(console.Page.GetByLabel("LogQL query")).ToHaveValueAsync("{instance=~\".+\"} | unit=\"db\"");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Filter out unit db" }).ClickAsync();
        await Expect(console.Page.GetByLabel("LogQL query")).ToHaveValueAsync("{instance=~\".+\"} | unit!=\"db\"");
        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(15);
        await console.Page.GoBackAsync();
        await Expect(console.Page.GetByLabel("LogQL query")).ToHaveValueAsync("{instance=~\".+\"} | unit=\"db\"");
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_line_has_its_context_and_an_address_of_its_own()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Hosts.HistoryEnd - 3000, "before it").Add(Hosts.HistoryEnd - 2000, "the one").Add(Hosts.HistoryEnd - 1000, "behind it");
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, $"logs?q={Uri.EscapeDataString("{instance=\"web1\"} |= \"one\"")}&{Hosts.HistoryRange}");
        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(1);

        await console.Page.GetByRole(AriaRole.Grid, new PageGetByRoleOptions { Name = "Lines", Exact = true }).FocusAsync();
        await console.Page.Keyboard.PressAsync("j");
        await console.Page.Keyboard.PressAsync("Enter");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Context" }).ClickAsync();

        await Expect(console.Page.Locator(".around .line")).ToContainTextAsync(["behind it", "the one", "before it"]);
        await console.Page.ReloadAsync();
        await Expect(console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "The line" })).ToHaveTextAsync("the one");
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Lines_from_anywhere_are_text_that_hides_and_turns_nothing()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Hosts.HistoryEnd - 2000, Hostile, "instance=<b>web1</b>", ("attribute", Hostile));
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?fields=1&" + Hosts.HistoryRange);

        await console.Page.Locator(".line").ClickAsync();

        const string shown = "<img src=x onerror=alert(1)> red \\u202eturned \\u0000 end";
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(shown);
        await Expect(console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "The line" })).ToHaveTextAsync(shown);
        Assert.Equal(0, await console.Page.Locator("main img, main b:not(.volume-legend b)").CountAsync());
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task While_live_lines_appear_as_they_come_in_and_a_pause_holds_them_back()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?live=1&" + Hosts.HistoryRange);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();

        Feed(listener, "first");
        await Expect(console.Page.Locator(".line")).ToContainTextAsync(["first"]);
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Pause" }).ClickAsync();
        Feed(listener, "second");
        await Expect(console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "↓ 1 new" })).ToBeVisibleAsync();
        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(1);
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Resume" }).ClickAsync();

        await Expect(console.Page.Locator(".line")).ToContainTextAsync(["second", "first"]);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Pages_of_lines_join_without_a_hole_or_a_line_twice()
    {
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < 7500; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 500_000 + (i / 7), $"line {i}");
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?" + Hosts.HistoryRange);
        await Expect(console.Page.GetByText("1,000 lines")).ToBeVisibleAsync();
        var grid = console.Page.GetByRole(AriaRole.Grid, new PageGetByRoleOptions { Name = "Lines", Exact = true });
        await grid.FocusAsync();
        await console.Page.Keyboard.PressAsync("End");
        await Expect(console.Page.GetByText("6,000 lines")).ToBeVisibleAsync();
        await console.Page.Keyboard.PressAsync("End");
        await Expect(console.Page.GetByText("7,500 lines, all there are.")).ToBeVisibleAsync();
        await console.Page.Keyboard.PressAsync("End");

        await Expect(console.Page.Locator(".line").Last).ToContainTextAsync("line 0");
        Assert.InRange(await console.Page.Locator(".line").CountAsync(), 1, 120);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Events_of_agents_are_chosen_by_type_and_host()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Hosts.HistoryEnd - 3000, "nginx ended", "instance=web1,input=events,severity=info", ("event", "process_exit"))
            .Add(Hosts.HistoryEnd - 2000, "the agent started", "instance=web1,input=events,severity=info", ("event", "agent_start"))
            .Add(Hosts.HistoryEnd - 1000, "the agent started there", "instance=web2,input=events,severity=info", ("event", "agent_start"))
            .Add(Hosts.HistoryEnd - 1000, "no event", "instance=web1,input=syslog,severity=info");
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "events?" + Hosts.HistoryRange);

        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(3);
        await console.Page.GetByLabel("Type").SelectOptionAsync("agent_start");
        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(2);
        await console.Page.GetByLabel("Host", new PageGetByLabelOptions { Exact = true }).FillAsync("web2");
        await console.Page.Keyboard.PressAsync("Enter");
        await Expect(console.Page.Locator(".line")).ToContainTextAsync(["the agent started there"]);
        await console.Page.ReloadAsync();
        await Expect(console.Page.Locator(".line")).ToContainTextAsync(["the agent started there"]);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_line_of_a_megabyte_is_shown_cut_with_a_way_to_all_of_it()
    {
        const int length = 1 << 20;
        await using var listener = await PrivateListener.StartAsync();
        listener.Logs.Add(Hosts.HistoryEnd - 2000, "begin " + new string('x', length - 10) + " end");
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?wrap=1&" + Hosts.HistoryRange);
        await Expect(console.Page.Locator(".line .text")).ToContainTextAsync("begin xxx");
        Assert.InRange(await LengthAsync(".line .text"), 1, 20_000);

        await console.Page.Locator(".line").ClickAsync();
        var line = console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "The line" });
        await Expect(line).ToContainTextAsync("begin xxx");
        Assert.InRange(await LengthAsync("pre.whole"), 1, 20_000);
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Show all 1,048,576 characters" }).ClickAsync();
        await Expect(line).ToContainTextAsync("xxx end");
        Assert.Equal(length, await LengthAsync("pre.whole"));
        Assert.Empty(console.Faults);

        Task<int> LengthAsync(string shown) => console.Page.Locator(shown).EvaluateAsync<int>("node => node.textContent.length");
    }

    [Fact]
    public async Task Dragging_over_the_volume_zooms_to_what_was_dragged_over()
    {
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < 60; i++)
        {
            listener.Logs.Add(Hosts.HistoryStart + (i * 10_000), $"request {i}");
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs?" + Hosts.HistoryRange);
        await Expect(console.Page.GetByText("60 lines, all there are.")).ToBeVisibleAsync();
        var box = (await console.Page.Locator(".volume svg").BoundingBoxAsync())!;
        await console.Page.Mouse.MoveAsync(box.X + (box.Width * 0.25f), box.Y + 30);
        await console.Page.Mouse.DownAsync();
        await console.Page.Mouse.MoveAsync(box.X + (box.Width * 0.5f), box.Y + 35, new MouseMoveOptions { Steps = 4 });
        await Expect(console.Page.Locator(".volume .drag")).ToBeVisibleAsync();
        await console.Page.Mouse.UpAsync();

        await Expect(console.Page.GetByText("15 lines, all there are.")).ToBeVisibleAsync();
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(console.Page.Url).Query);
        var (from, to) = (long.Parse(query["from"]!, System.Globalization.CultureInfo.InvariantCulture), long.Parse(query["to"]!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange(from, Hosts.HistoryStart + 140_000, Hosts.HistoryStart + 165_000);
        Assert.InRange(to, Hosts.HistoryStart + 290_000, Hosts.HistoryStart + 315_000);
        await console.Page.GoBackAsync();
        await Expect(console.Page.GetByText("60 lines, all there are.")).ToBeVisibleAsync();
        Assert.Empty(console.Faults);
    }

    private void Feed(PrivateListener listener, string text)
    {
        maker.With("x", 1, Hosts.HistoryEnd);
        maker.Logs.Add(new LogRecord(new UnixMillis(Hosts.HistoryEnd), 9, text, []));
        listener.Feed(maker.Make(Hosts.HistoryEnd));
    }
}
