using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.EndToEnd.Tests;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Live streams over HTTP/1.1, where a browser has six connections for all of its tabs, and over networks that stall or hold back.</summary>
public sealed class LiveStreamTests(Chromium chromium)
{
    private readonly BatchMaker maker = new();

    [Fact]
    public async Task Tabs_that_ask_for_the_same_share_a_stream_and_one_goes_on_with_it_when_another_is_closed()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "logs?live=1&vol=off");
        var streams = new StreamCount(console.Page.Context);
        await console.SignInAsync();
        List<ConsolePage> tabs = [console];
        while (tabs.Count < 8)
        {
            tabs.Add(await console.OpenTabAsync("logs?live=1&vol=off"));
        }

        await EachAsync(tabs, tab => Expect(tab.Page.GetByText("● live")).ToBeVisibleAsync());
        Assert.Equal(1, streams.Most);
        Feed(listener, "first");
        await EachAsync(tabs, tab => Expect(tab.Page.Locator(".line .text")).ToHaveTextAsync(["first"]));

        // The one that reads is the one that was there first.
        await tabs[0].Page.CloseAsync();
        tabs.RemoveAt(0);
        Feed(listener, "second");
        await EachAsync(tabs, tab => Expect(tab.Page.Locator(".line .text")).ToHaveTextAsync(["second", "first"]));
        await tabs[^1].Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Dashboards" }).ClickAsync();
        await Expect(tabs[^1].Page.Locator("main th a").First).ToBeVisibleAsync();
        Assert.InRange(streams.Now, 0, 1);
        Assert.Empty(tabs.SelectMany(tab => tab.Faults));
    }

    [Fact]
    public async Task A_tab_that_reads_for_the_others_and_hangs_is_passed_over()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.Clock.InstallAsync();
        await console.Page.GotoAsync("login?next=" + Uri.EscapeDataString("logs?live=1&vol=off"));
        var streams = new StreamCount(console.Page.Context);
        await console.SignInAsync();
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        var other = await console.OpenTabAsync("logs?live=1&vol=off");
        await Expect(other.Page.GetByText("● live")).ToBeVisibleAsync();
        Feed(listener, "first");
        await EachAsync([console, other], tab => Expect(tab.Page.Locator(".line .text")).ToHaveTextAsync(["first"]));
        Assert.Equal(1, streams.Most);

        // The others hear nothing of it any more, and it sets no timer: one that hangs does not take the stream back, however far the clock, which is that of all tabs, has gone in it.
        await console.Page.EvaluateAsync("() => { BroadcastChannel.prototype.postMessage = () => {}; globalThis.setTimeout = () => 0; }");
        Assert.DoesNotContain(other.Requests, request => request.Url.Contains("/api/v1/live", StringComparison.Ordinal));
        await other.Page.RunAndWaitForRequestAsync(() => other.Page.Clock.RunForAsync(60_000), "**/api/v1/live?*");
        await Expect(other.Page.GetByText("● live")).ToBeVisibleAsync();
        Feed(listener, "second");
        await Expect(other.Page.Locator(".line .text")).ToHaveTextAsync(["second", "first"]);
        await Eventually.TrueAsync("one stream is left", () => Task.FromResult(streams.Now == 1));
    }

    [Fact]
    public async Task Tabs_that_ask_for_more_than_a_browser_has_connections_for_say_so_and_ask_again_and_again()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, Path(0));
        var streams = new StreamCount(console.Page.Context);
        await console.SignInAsync();
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        List<ConsolePage> tabs = [console];
        while (tabs.Count < 8)
        {
            tabs.Add(await console.OpenTabAsync(Path(tabs.Count)));
            await Expect(tabs[^1].Page.GetByText(tabs.Count <= 3 ? "● live" : "▲ not live: other tabs have this browser's streams")).ToBeVisibleAsync();
        }

        Assert.Equal(3, streams.Most);
        listener.Logs.Add(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), "stored");
        await Expect(tabs[^1].Page.Locator(".line .text")).ToHaveTextAsync(["stored"]);

        // A tab that goes leaves its stream to one that waits.
        await tabs[1].Page.CloseAsync();
        tabs.RemoveAt(1);
        await Eventually.TrueAsync("a waiting tab has a stream", async () => (await Task.WhenAll(tabs.Select(tab => tab.Page.GetByText("● live").CountAsync()))).Sum() == 3);
        Assert.Equal(3, streams.Most);
        Assert.Empty(tabs.SelectMany(tab => tab.Faults));

        static string Path(int number) => $"logs?live=1&vol=off&q={Uri.EscapeDataString($"{{instance=~\"web1|{number}\"}}")}";
    }

    [Fact]
    public async Task A_stream_that_falls_silent_is_opened_again_and_nothing_that_came_meanwhile_is_missing()
    {
        await using var listener = await PrivateListener.StartAsync(); // its clock stands still: no heartbeat ever comes
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.Clock.InstallAsync();
        await console.Page.GotoAsync("login?next=" + Uri.EscapeDataString("logs?live=1&vol=off"));
        await console.SignInAsync();
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        Feed(listener, "before");
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(["before"]);

        var again = console.Page.WaitForRequestAsync("**/api/v1/live?*");
        await console.Page.Clock.FastForwardAsync(41_000); // 40 s of nothing
        await Expect(console.Page.GetByText("stream lost, reconnecting")).ToBeVisibleAsync();
        Feed(listener, "meanwhile");
        await console.Page.Clock.FastForwardAsync(2000);

        Assert.Contains("last_event_id=", (await again).Url, StringComparison.Ordinal);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        Feed(listener, "after");
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(["after", "meanwhile", "before"]);

        // The lid was shut for ten minutes.
        await console.Page.Clock.FastForwardAsync(600_000);
        Feed(listener, "later");
        await console.Page.Clock.FastForwardAsync(2000);
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(["later", "after", "meanwhile", "before"]);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_proxy_that_gathers_the_stream_is_noticed_and_told_and_lines_come_all_the_same()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var proxy = new HoldingProxy(listener.Address.Port);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, proxy.Address, "login");
        await console.Page.Clock.InstallAsync();
        await console.Page.GotoAsync("login?next=" + Uri.EscapeDataString("logs?live=1&vol=off"));
        await console.Page.RunAndWaitForRequestAsync(() => console.SignInAsync(), "**/api/v1/live?*");
        await console.Page.Clock.FastForwardAsync(11_000); // who is there says so at once

        await Expect(console.Page.GetByText("▲ not live: something on the way holds the stream back")).ToBeVisibleAsync();
        listener.Logs.Add(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), "stored");
        await console.Page.Clock.FastForwardAsync(5000);
        await Expect(console.Page.Locator(".line .text")).ToHaveTextAsync(["stored"]);

        proxy.IsHolding = false;
        await console.Page.Clock.FastForwardAsync(31_000);
        await Expect(console.Page.GetByText("● live")).ToBeVisibleAsync();
    }

    private static Task EachAsync(IEnumerable<ConsolePage> tabs, Func<ConsolePage, Task> check) => Task.WhenAll(tabs.Select(check));

    private void Feed(PrivateListener listener, string text)
    {
        maker.With("x", 1, Hosts.HistoryEnd);
        maker.Logs.Add(new LogRecord(new UnixMillis(Hosts.HistoryEnd), 9, text, []));
        listener.Feed(maker.Make(Hosts.HistoryEnd));
    }
}
