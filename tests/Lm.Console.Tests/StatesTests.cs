using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>The same states on every page: loading, failed, and the collector away.</summary>
public sealed class StatesTests(Chromium chromium)
{
    // Each with what it asks for, and what shows that it has it.
    private static readonly (string Path, string Asks, string Shown)[] Pages =
    [
        ("", "**/api/v1/agents", "th a"),
        ("hosts/web1", "**/api/v1/query_range*", ".legend td"),
        ("hosts/web1?tab=processes", "**/api/v1/query?*", "td"),
        ("hosts/web1?tab=logs", "**/api/v1/logs?*", ".line"),
        ("dashboards", "**/api/v1/dashboards", "th a"),
        ("d/one", "**/api/v1/dashboards/one", "[data-value]"),
        ("d/one?panel=stat", "**/api/v1/query?*", "[data-value]"),
        ("explore?q=node_load1", "**/api/v1/query_range*", ".legend td"),
        ("logs", "**/api/v1/logs?*", ".line"),
        ("events", "**/api/v1/logs?*", ".line"),
        ("admin/agents", "**/api/v1/agents", "td"),
        ("admin/landing", "**/api/v1/landing", "p.empty"),
        ("admin/retention", "**/api/v1/admin/retention", "td"),
        ("admin/config", "**/api/v1/admin/config", "thead"),
        ("admin/sessions", "**/api/v1/admin/sessions", "td"),
        ("admin/about", "**/api/v1/status/buildinfo", "p"),
    ];

    [Fact]
    public async Task Every_page_says_that_it_loads_why_it_failed_and_keeps_what_it_had_while_the_collector_is_away()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 5000, "a line", "instance=web1,input=events,severity=info", ("event", "agent_start"));
        using (var saved = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/one", content: new StringContent(
            "id = \"one\"\ntitle = \"One\"\npanels = [{ id = \"stat\", kind = \"stat\", grid = { x = 0, y = 0, w = 6, h = 5 }, queries = [{ promql = 'node_load5' }] }]\n",
            new System.Net.Http.Headers.MediaTypeHeaderValue("application/toml"))))
        {
            Assert.True(saved.IsSuccessStatusCode);
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener);
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1, Name = "Overview" })).ToBeVisibleAsync();
        var main = console.Page.Locator("main");
        foreach (var (path, asks, shown) in Pages)
        {
            var address = path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + Hosts.HistoryRange;

            // Loading: the answer is held back until the page has said that it waits.
            var waits = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await console.Page.RouteAsync(asks, async route =>
            {
                await waits.Task;
                await route.FallbackAsync();
            });
            await console.Page.GotoAsync(address);
            await Expect(main.GetByRole(AriaRole.Status, new LocatorGetByRoleOptions { Name = "Loading" }).First).ToBeAttachedAsync();
            waits.SetResult();
            await Expect(main.Locator(shown).First).ToBeVisibleAsync();
            await console.Page.UnrouteAllAsync();

            // Failed: what the collector says, and another try.
            await console.Page.RouteAsync(asks, route => route.FulfillAsync(new RouteFulfillOptions
            {
                Status = 503,
                ContentType = "application/json",
                Body = """{"status":"error","errorType":"unavailable","error":"the <b>disk</b> is \u202e full"}""",
            }));
            await console.Page.GotoAsync(address);
            var fault = main.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "the <b>disk</b> is \\u202e full" }).First;
            await Expect(fault).ToBeVisibleAsync();
            await console.Page.RunAndWaitForRequestAsync(() => fault.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Retry" }).ClickAsync(), asks);
            await console.Page.UnrouteAllAsync();
        }

        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("503", StringComparison.Ordinal)); // the browser notes what was made to fail
    }

    [Fact]
    public async Task While_the_collector_is_away_pages_keep_what_they_had_and_are_back_by_themselves()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(Hosts.HistoryEnd + 1000).UtcDateTime);
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1, Name = "Overview" })).ToBeVisibleAsync();
        foreach (var (path, shown) in ((string, string)[])[("hosts/web1?", ".legend td"), ("explore?q=node_load1&", ".legend td"), ("dashboards?", "th a"), ("admin/retention?", "td")])
        {
            await console.Page.GotoAsync(path + "from=now-10m&refresh=1s");
            var first = console.Page.Locator("main " + shown).First;
            await Expect(first).ToBeVisibleAsync();

            await console.Page.RouteAsync("**/api/v1/**", route => route.AbortAsync());
            await Expect(console.Page.Locator(".banner")).ToContainTextAsync("the collector cannot be reached. What you see is from the last answer");
            await Expect(first).ToBeVisibleAsync();

            await console.Page.UnrouteAllAsync();
            await Expect(console.Page.Locator(".banner")).ToBeEmptyAsync();
            await Expect(first).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task A_live_stream_that_is_refused_cut_or_silent_is_taken_up_again()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        var times = 0;
        await console.Page.RouteAsync("**/api/v1/live?*", route => ++times switch
        {
            1 => route.FulfillAsync(new RouteFulfillOptions { Status = 503, Body = "{}" }),
            2 => route.AbortAsync(),
            3 => route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "text/event-stream", Body = ": cut off\n\nevent: ba" }),
            _ => route.ContinueAsync(),
        });
        await console.SignInAsync();

        await Expect(console.Page.Locator("#freshness")).ToContainTextAsync("reconnecting");
        await Expect(console.Page.Locator("#freshness")).ToContainTextAsync("● live");
        Assert.Equal(4, times);
    }

    [Fact]
    public async Task A_collector_that_was_upgraded_under_an_open_tab_asks_for_a_reload()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "dashboards");
        await Expect(console.Page.Locator("main th a").First).ToBeVisibleAsync();
        await console.Page.RouteAsync("**/assets/editor-*", route => route.FulfillAsync(new RouteFulfillOptions { Status = 404, Body = "{}" }));

        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Explore" }).ClickAsync();

        await Expect(console.Page.Locator("body")).ToHaveAttributeAsync("data-updated", "yes");
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Explore", Level = 1 })).ToBeVisibleAsync();
    }
}
