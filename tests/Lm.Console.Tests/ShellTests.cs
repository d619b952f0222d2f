using Lm.Collector.Settings;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class ShellTests(Chromium chromium)
{
    [Fact]
    public async Task Every_page_of_the_rail_works_and_keys_lead_there()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener);
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");

        foreach (var (key, heading) in ((string, string)[])[("d", "Dashboards"), ("e", "Explore"), ("l", "Logs"), ("v", "Events"), ("m", "Agents"), ("o", "Overview")])
        {
            await console.Page.Locator("main").FocusAsync();
            await console.Page.Keyboard.PressAsync("g");
            await console.Page.Keyboard.PressAsync(key);
            await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = heading, Level = 1 })).ToBeVisibleAsync();
        }

        await Expect(console.Page.GetByRole(AriaRole.Navigation, new PageGetByRoleOptions { Name = "Pages" }).GetByRole(AriaRole.Listitem)).ToHaveTextAsync(["Overview", "Dashboards", "Explore", "Logs", "Events", "Admin"]);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Hosts_and_metrics_are_found_by_a_few_letters()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "events");
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Events", Level = 1 })).ToBeVisibleAsync();

        await console.Page.Keyboard.PressAsync("Control+k");
        await console.Page.GetByRole(AriaRole.Combobox, new PageGetByRoleOptions { Name = "Hosts, dashboards, pages and metrics" }).FillAsync("web");
        await Expect(console.Page.Locator("#found").GetByRole(AriaRole.Option)).ToHaveTextAsync(["web1 host"]);
        await console.Page.Keyboard.PressAsync("Enter");
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "web1", Level = 1 })).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Search" }).ClickAsync();
        await console.Page.GetByRole(AriaRole.Combobox, new PageGetByRoleOptions { Name = "Hosts, dashboards, pages and metrics" }).FillAsync("load15");
        await console.Page.Locator("#found").GetByRole(AriaRole.Option, new LocatorGetByRoleOptions { Name = "node_load15" }).ClickAsync();

        await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/explore\\?q=node_load15$"));
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task The_time_range_is_in_the_address_and_goes_along_from_page_to_page()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "logs");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Last 1 h" }).ClickAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Last 6 h" }).ClickAsync();
        await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("from=now-6h&to=now"));

        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Events" }).ClickAsync();
        await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/events\\?from=now-6h&to=now$"));
        await console.Page.Keyboard.PressAsync("t");
        await console.Page.GetByLabel("From", new PageGetByLabelOptions { Exact = true }).FillAsync("yesterday");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Apply" }).ClickAsync();
        await Expect(console.Page.Locator("#time-fault")).ToContainTextAsync("yesterday is no time");
        await console.Page.GetByLabel("From", new PageGetByLabelOptions { Exact = true }).FillAsync("2026-01-02T03:00:00Z");
        await console.Page.GetByLabel("To", new PageGetByLabelOptions { Exact = true }).FillAsync("1767323045");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Apply" }).ClickAsync();

        await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("from=1767322800000&to=1767323045000"));
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task After_a_session_ended_one_signs_in_over_the_page_which_stays()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "explore?tab=table&q=node_load1&" + Hosts.HistoryRange);
        var row = console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "node_load1" });
        await Expect(row).ToBeVisibleAsync();
        listener.Settings = listener.Settings with { Token = new Secret("another") };
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Run" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Your session has ended");

        await console.SignInAsync("another");

        await Expect(console.Page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(row).ToBeVisibleAsync();
        Assert.EndsWith("explore?tab=table&q=node_load1&" + Hosts.HistoryRange, console.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_theme_that_was_chosen_stays()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener);
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Theme: system" }).ClickAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Theme: light" }).ClickAsync();
        await console.Page.ReloadAsync();

        await Expect(console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Theme: dark" })).ToBeVisibleAsync();
        Assert.Equal("rgb(20, 23, 28)", await console.Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor"));
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Admin_shows_each_queue_and_what_the_program_is()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "admin/agents");
        await Expect(console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "web1" })).ToContainTextAsync("up to 1,234, from 1,200, 3 awaited");

        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "About" }).ClickAsync();

        var version = (await listener.GetJsonAsync("/api/v1/status/buildinfo")).GetProperty("version").GetString()!;
        var series = (await listener.GetJsonAsync("/api/v1/status/tsdb")).GetProperty("headStats").GetProperty("numSeries").GetInt64();
        await Expect(console.Page.GetByText("Lightmetrics collector")).ToContainTextAsync(version);
        await Expect(console.Page.GetByText($"{series} series.")).ToBeVisibleAsync();
        Assert.Empty(console.Faults);
    }
}
