using Deque.AxeCore.Playwright;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class AccessibilityTests(Chromium chromium)
{
    public static TheoryData<ColorScheme, int> Looks => new()
    {
        { ColorScheme.Light, 360 }, { ColorScheme.Light, 1280 }, { ColorScheme.Dark, 360 }, { ColorScheme.Dark, 1280 },
    };

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task Sign_in_and_agents_have_no_finding_of_axe_and_fit_the_width(ColorScheme scheme, int width)
    {
        await using var listener = await PrivateListener.StartAsync();

        // Axe puts its script into the page, which the policy rightly stops; every other test runs under the policy.
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?ended=1", scheme, width, bypassPolicy: true);
        await Expect(console.Page.GetByText("Your session has ended")).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Button).ClickAsync(); // empty: shows the fault line, too
        await CheckAsync(console, $"sign-in-{scheme}-{width}");

        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeVisibleAsync();
        await CheckAsync(console, $"empty-{scheme}-{width}");

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
        await CheckAsync(console, $"agents-{scheme}-{width}");
    }

    [Fact]
    public async Task Every_other_page_has_no_finding_of_axe_and_fits_the_width_in_every_look()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        for (var i = 0; i < 60; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 400_000 + (i * 5000), $"request {i} " + new string('x', 200), "instance=web1,input=events,severity=" + (i % 4 == 0 ? "error" : i % 4 == 1 ? "warn" : "info"), ("event", "agent_start"));
        }

        var mine = (await listener.GetJsonAsync("/api/v1/dashboards/fleet")).GetProperty("toml").GetString()!.Replace("id = \"fleet\"", "id = \"mine\"", StringComparison.Ordinal);
        using (var saved = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/mine", content: new StringContent(mine, new System.Net.Http.Headers.MediaTypeHeaderValue("application/toml"))))
        {
            Assert.True(saved.IsSuccessStatusCode);
        }

        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "admin/about", bypassPolicy: true);
        await console.SignInAsync();
        await Expect(console.Page.GetByText("lezer-promql")).ToBeVisibleAsync();
        await CheckLooksAsync(console, "about");
        foreach (var (name, path, awaited) in ((string, string, string)[])
            [
                ("host", "hosts/web1?", ".legend td"),
                ("processes", "hosts/web1?tab=processes&", "main td"),
                ("host-unknown", "hosts/none?", ".empty"),
                ("dashboards", "dashboards?", "main th a"),
                ("dashboard", "d/host?var-host=web1&", "[data-value]"),
                ("dashboard-logs", "d/logs?", ".choose"),
                ("dashboard-edit", "d/mine?edit=1&selected=down&", ".panel-form"),
                ("dashboard-none", "d/none?", "main .fault"),
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
                ("admin-agents", "admin/agents?", "main td"),
                ("admin-landing", "admin/landing?", "main .empty"),
                ("admin-retention", "admin/retention?", "main td"),
                ("admin-config", "admin/config?", "main thead"),
                ("admin-sessions", "admin/sessions?", "main td"),
            ])
        {
            await console.Page.GotoAsync(path + Hosts.HistoryRange);
            await Expect(console.Page.Locator(awaited).First).ToBeVisibleAsync();
            if (name == "logs")
            {
                await console.Page.Locator(".line").First.ClickAsync();
            }
            else if (name == "events")
            {
                await console.Page.Locator("#time").ClickAsync();
            }

            await CheckLooksAsync(console, name);
        }

        await console.Page.Keyboard.PressAsync("Escape");
        await console.Page.Locator("main").FocusAsync();
        await console.Page.Keyboard.PressAsync("?");
        await CheckLooksAsync(console, "keys");
        await console.Page.Keyboard.PressAsync("Escape");
        await console.Page.Keyboard.PressAsync("Control+k");
        await Expect(console.Page.Locator("#found [role=option]").First).ToBeVisibleAsync();
        await CheckLooksAsync(console, "search");
    }

    private static async Task CheckLooksAsync(ConsolePage console, string name)
    {
        foreach (var (scheme, width) in ((ColorScheme, int)[])[(ColorScheme.Light, 360), (ColorScheme.Dark, 360), (ColorScheme.Dark, 1280), (ColorScheme.Light, 1280)])
        {
            await console.Page.SetViewportSizeAsync(width, 800);
            await console.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            await CheckAsync(console, $"{name}-{scheme}-{width}");
        }
    }

    private static async Task CheckAsync(ConsolePage console, string name)
    {
        if (Environment.GetEnvironmentVariable("LM_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await console.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }

        var found = await console.Page.RunAxe();
        Assert.True(found.Violations.Length == 0, string.Join("\n", found.Violations.Select(violation => $"{name}: {violation.Id}: {violation.Help}: {violation.Nodes[0].Html}")));
        var overflow = await console.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.Equal(0, overflow);
    }
}
