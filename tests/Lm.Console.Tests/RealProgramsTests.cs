using System.Globalization;
using Lm.EndToEnd.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>The console as it is used: a real collector, and a real agent on this host that sends what it finds here.</summary>
public sealed class RealProgramsTests(Chromium chromium)
{
    [Fact]
    public async Task From_an_empty_collector_every_page_comes_to_show_what_an_agent_sends_and_goes_through_its_end_and_the_collectors()
    {
        await using var fleet = new Fleet();
        Directory.CreateDirectory(fleet.In("logs"));
        fleet.AgentSettings = $"""
            [[log_inputs]]
            name = "app"
            path = "{fleet.In("logs")}/*.log"
            start_at = "beginning"
            """;
        fleet.WriteSettings();
        fleet.Write("agent.toml", (await File.ReadAllTextAsync(fleet.AgentToml, TestContext.Current.CancellationToken)).Replace("lifecycle = false", "lifecycle = true", StringComparison.Ordinal));
        fleet.Write("dashboards.d/mine.toml", "id = \"mine\"\ntitle = \"Of a file\"\npanels = [{ id = \"up\", title = \"Up\", kind = \"stat\", grid = { x = 0, y = 0, w = 8, h = 4 }, queries = [{ promql = 'lmagent_up' }] }]\n");
        await File.WriteAllTextAsync(fleet.In("logs/app.log"), "first line\n", TestContext.Current.CancellationToken);
        await fleet.StartCollectorAsync();
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{fleet.QueryPort}/"));
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, address, "login");
        await console.SignInAsync(fleet.QueryToken);
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(Fleet.AgentId);
        await Expect(Row(console)).ToContainTextAsync("never seen");

        // The agent appears, without a reload.
        var agent = fleet.StartDaemon();
        await Expect(Row(console)).ToContainTextAsync("up");
        await Expect(console.Page.GetByText("1 agent: 1 up")).ToBeVisibleAsync();
        await console.ScreenshotAsync("real-overview");
        await EveryPageAsync(console, fleet);

        // It ends: its last values stay, with their age.
        await console.Page.GotoAsync("?refresh=1s");
        await Expect(Row(console)).ToContainTextAsync("up");
        await agent.StopAsync(Signal.Kill);
        await Expect(Row(console)).ToContainTextAsync("down");
        await Expect(Row(console).GetByRole(AriaRole.Cell).Nth(3)).Not.ToHaveTextAsync("—");
        Assert.Empty(console.Faults);

        // The collector ends and comes back: what was shown stays under a banner, and the page is back by itself.
        await fleet.Collector.StopAsync(Signal.Kill);
        await Expect(console.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("the collector cannot be reached");
        await Expect(console.Page.Locator("table.old")).ToBeVisibleAsync();
        await fleet.StartCollectorAsync();
        agent = fleet.StartDaemon();
        await console.SignInAsync(fleet.QueryToken); // over the page: sessions end with the program
        await Expect(Row(console)).ToContainTextAsync("up");
        await Expect(console.Page.Locator("table.old")).ToHaveCountAsync(0);
        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
        Assert.DoesNotContain(fleet.QueryToken, fleet.Collector.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_collector_is_killed_and_started_again_under_a_live_tail_every_line_comes_once_and_in_order()
    {
        const int lines = 60;
        await using var fleet = new Fleet();
        Directory.CreateDirectory(fleet.In("logs"));
        fleet.AgentSettings = $"""
            [[log_inputs]]
            name = "app"
            path = "{fleet.In("logs")}/*.log"
            """;
        fleet.WriteSettings();
        await File.WriteAllTextAsync(fleet.In("logs/app.log"), "", TestContext.Current.CancellationToken);
        await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await Eventually.TrueAsync("the agent is there", async () => await fleet.HeartbeatsAsync() > 0, () => agent.HasEnded ? agent.Output : null);
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{fleet.QueryPort}/"));
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, address, "login?next=" + Uri.EscapeDataString("logs?live=1&vol=off&q={input=\"app\"}"));
        await console.Page.SetViewportSizeAsync(1280, 4000); // room for all of them
        await console.SignInAsync(fleet.QueryToken);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        var text = console.Page.Locator(".line:not(.gap) .text");

        await WriteAsync(0, 20);
        await Expect(text.First).ToHaveTextAsync("line 19");
        await WriteAsync(20, 30); // acknowledged or not, told or not: the kill comes in the midst of it
        await fleet.Collector.StopAsync(Signal.Kill);
        await WriteAsync(30, 45);
        await fleet.StartCollectorAsync();
        await console.SignInAsync(fleet.QueryToken); // over the page: sessions end with the program
        await WriteAsync(45, lines);

        await Expect(text).ToHaveTextAsync(Enumerable.Range(0, lines).Reverse().Select(number => $"line {number}"));
        await Expect(console.Page.Locator(".line.gap")).ToContainTextAsync(["gap: the stream broke off"]);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();

        async Task WriteAsync(int from, int to)
        {
            for (var number = from; number < to; number++)
            {
                await File.AppendAllTextAsync(fleet.In("logs/app.log"), $"line {number}\n", TestContext.Current.CancellationToken);
                await Task.Delay(20, TestContext.Current.CancellationToken); // a time of its own for each
            }
        }
    }

    private static ILocator Row(ConsolePage console) => console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = Fleet.AgentId });

    private static async Task EveryPageAsync(ConsolePage console, Fleet fleet)
    {
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = Fleet.AgentId }).ClickAsync();
        await Expect(console.Page.Locator(".stat dd").First).Not.ToHaveTextAsync("—");
        await Expect(console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" }).Locator("canvas")).ToBeVisibleAsync();
        await console.ScreenshotAsync("real-host");
        await console.Page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Processes" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Processes" }).GetByRole(AriaRole.Row).Nth(1)).ToBeVisibleAsync();

        await console.Page.GotoAsync("logs?live=1&q=" + Uri.EscapeDataString("{input=\"app\"}"));
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        await File.AppendAllTextAsync(fleet.In("logs/app.log"), "second <b>line</b>\n", TestContext.Current.CancellationToken);
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(["second <b>line</b>"]);
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Stop live" }).ClickAsync();
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(["second <b>line</b>", "first line"]);

        await console.Page.GotoAsync("events");
        await Expect(console.Page.Locator(".line").First).ToContainTextAsync("start");

        await console.Page.GotoAsync("explore?tab=table&q=" + Uri.EscapeDataString("count(lmagent_up)"));
        await Expect(console.Page.GetByRole(AriaRole.Cell).Last).ToHaveTextAsync("1");

        await console.Page.GotoAsync("dashboards");
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Of a file" }).ClickAsync();
        await Expect(console.Page.Locator("[data-value]")).ToHaveAttributeAsync("data-value", "1");
        await console.Page.GotoAsync("d/host");
        await Expect(console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Agent", Exact = true }).Locator("[data-value]")).ToContainTextAsync("up");
        await console.ScreenshotAsync("real-dashboard");

        // A broken definition keeps the old one and says so; corrected it is taken, without a signal.
        fleet.Write("dashboards.d/new.toml", "id = \"new\"\n");
        await console.Page.GotoAsync("admin/config?refresh=1s");
        await Expect(console.Page.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "not taken" })).ToContainTextAsync("new.toml:1:1: title is missing");
        fleet.Write("dashboards.d/new.toml", "id = \"new\"\ntitle = \"New\"\n");
        await Expect(console.Page.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "not taken" })).ToHaveCountAsync(0);
        await console.Page.GotoAsync("d/new");
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "New", Level = 1 })).ToBeVisibleAsync();

        foreach (var (page, shown) in ((string, string)[])[("agents", Fleet.AgentId), ("landing", "There is no [object_store]"), ("retention", "log files"), ("sessions", "this browser"), ("about", "Lightmetrics collector")])
        {
            await console.Page.GotoAsync("admin/" + page);
            await Expect(console.Page.Locator("main")).ToContainTextAsync(shown);
        }
    }
}
