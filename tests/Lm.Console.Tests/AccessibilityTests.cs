using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class AccessibilityTests(Chromium chromium)
{
    [Fact]
    public async Task Sign_in_and_agents_have_no_finding_of_axe_and_fit_the_width_in_every_look()
    {
        await using var listener = await PrivateListener.StartAsync();

        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?ended=1");
        await Expect(console.Page.GetByText("Your session has ended")).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Button).ClickAsync(); // empty: shows the fault line, too
        await AxeCheck.CheckLooksAsync(console, "sign-in");

        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeVisibleAsync();
        await AxeCheck.CheckLooksAsync(console, "empty");

        Hosts.Feed(listener);
        listener.Expected.Add("db3");
        listener.Ready = new Lm.Collector.Listeners.ReadinessReport(true, ["clock_suspect: the clock of 1 agent differs from the collector's by more than max_future_seconds"]);
        listener.Report(new Lm.Collector.Agents.AgentReport
        {
            AgentId = "web1",
            ReceivedAt = new Lm.Platform.UnixMillis(1_767_323_045_000),
            SentAt = new Lm.Platform.UnixMillis(1_767_319_445_000),
        });
        Hosts.FeedSilent(listener, "db1", 45);
        Hosts.FeedSilent(listener, "db2", 90_000);
        await console.Page.ReloadAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToHaveCountAsync(4);
        await AxeCheck.CheckLooksAsync(console, "agents");
    }

    [Fact]
    public async Task Pages_of_hosts_queries_and_lines_have_no_finding_of_axe_and_fit_the_width_in_every_look()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        for (var i = 0; i < 60; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 400_000 + (i * 5000), $"request {i} " + new string('x', 200), "instance=web1,input=events,severity=" + (i % 4 == 0 ? "error" : i % 4 == 1 ? "warn" : "info"), ("event", "agent_start"));
        }

        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "admin/about");
        await console.SignInAsync();
        await Expect(console.Page.GetByText("lezer-promql")).ToBeVisibleAsync();
        await AxeCheck.CheckLooksAsync(console, "about");
        await AxeCheck.CheckPagesAsync(
            console,
            [
                ("host", "hosts/web1?", ".legend td"),
                ("processes", "hosts/web1?tab=processes&", "main td"),
                ("host-unknown", "hosts/none?", ".empty"),
                ("explore", "explore?q=node_load1&q=node_load5&", ".legend td"),
                ("explore-table", "explore?tab=table&q=node_load1&", "main td"),
                ("explore-json", "explore?tab=json&q=node_load1&", "pre"),
                ("explore-empty", "explore?", ".cm-content"),
                ("explore-fault", "explore?q=sum(&", "main .fault"),
                ("logs", "logs?fields=1&", ".line"),
                ("logs-live", "logs?live=1&", ".state.up"),
                ("logs-empty", $"logs?q={Uri.EscapeDataString("{instance=\"none\"}")}&", "main .empty"),
                ("logs-fault", "logs?q=nonsense&", "main .fault"),
                ("events", "events?", ".line"),
            ],
            name => name switch
            {
                "logs" => console.Page.Locator(".line").First.ClickAsync(),
                "events" => console.Page.Locator("#time").ClickAsync(),
                _ => Task.CompletedTask,
            });

        await console.Page.Keyboard.PressAsync("Escape");
        await console.Page.Locator("main").FocusAsync();
        await console.Page.Keyboard.PressAsync("?");
        await AxeCheck.CheckLooksAsync(console, "keys");
        await console.Page.Keyboard.PressAsync("Escape");
        await console.Page.Keyboard.PressAsync("Control+k");
        await Expect(console.Page.Locator("#found [role=option]").First).ToBeVisibleAsync();
        await AxeCheck.CheckLooksAsync(console, "search");
    }
}
