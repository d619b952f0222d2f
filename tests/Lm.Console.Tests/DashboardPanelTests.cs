using System.Net;
using System.Net.Http.Headers;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class DashboardPanelTests(Chromium chromium)
{
    [Fact]
    public async Task A_list_that_is_live_hears_of_its_lines_and_asks_for_them_no_more_and_wraps_them_beside_their_fields()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        var wide = string.Join(' ', Enumerable.Repeat("<b>wide</b>", 60));
        listener.Logs.Add(Hosts.HistoryEnd - 5000, wide, "instance=web1", ("unit", "api"));
        await SaveAsync(listener, """
            id = "live"
            title = "Live"
            panels = [
              { id = "lines", title = "Lines", kind = "logs", grid = { x = 0, y = 0, w = 16, h = 10 }, live = true, wrap = true, fields = ["unit"], limit = 2, queries = [{ logql = '{instance="web1"}' }] },
              { id = "load", title = "Load", kind = "stat", grid = { x = 16, y = 0, w = 8, h = 4 }, sparkline = false, queries = [{ promql = 'last_over_time(node_load5[10m])' }] },
            ]
            """);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?next=" + Uri.EscapeDataString("d/live?from=now-10m&refresh=1s"));
        await console.Page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(Hosts.HistoryEnd + 1000).UtcDateTime);
        await console.SignInAsync();
        var list = console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Lines" });
        await Expect(list.GetByText("● live")).ToBeVisibleAsync();
        await Expect(list.Locator(".line .field")).ToHaveTextAsync(["api"]);
        Assert.InRange((await list.Locator(".line").First.BoundingBoxAsync())!.Height, 48, 1000);

        var maker = new BatchMaker();
        foreach (var line in (string[])["first", "second"])
        {
            maker.With("x", 1, Hosts.HistoryEnd);
            maker.Logs.Add(new LogRecord(new UnixMillis(Hosts.HistoryEnd), 9, $"{line} {wide}", []));
            listener.Feed(maker.Make(Hosts.HistoryEnd));
            await Expect(list.Locator(".line .text").Filter(new LocatorFilterOptions { HasText = line })).ToBeVisibleAsync();
        }

        await Expect(list.Locator(".line")).ToHaveCountAsync(2); // as many as it may have, the newest
        await list.Locator(".line").First.ClickAsync();
        await Expect(list.GetByRole(AriaRole.Region, new LocatorGetByRoleOptions { Name = "The line" })).ToHaveTextAsync("second " + wide);
        var refreshes = Count(console, "/api/v1/query?");
        await console.Page.RunAndWaitForRequestAsync(() => Task.CompletedTask, request => Count(console, "/api/v1/query?") > refreshes + 2);
        Assert.InRange(Count(console, "/api/v1/logs?"), 1, 2); // once more when the stream was open, for what came before
        Assert.Equal(1, Count(console, "/api/v1/live?"));
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_stretch_without_batches_is_marked_until_its_backlog_comes()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.FeedGap(listener);
        await SaveAsync(listener, """
            id = "gaps"
            title = "Gaps"
            panels = [{ id = "load", title = "Load", kind = "timeseries", grid = { x = 0, y = 0, w = 24, h = 10 }, annotations = ["gaps", "alerts"], queries = [{ promql = 'node_load5{instance="web1"}' }] }]
            """);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, $"d/gaps?tz=utc&{Hosts.HistoryRange}");
        var load = console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" });

        await Expect(load.GetByText("1 gap", new LocatorGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await Expect(load.Locator(".notes li")).ToHaveTextAsync(["2026-01-02 02:55:45 to 2026-01-02 02:57:45 web1: no batches"]);

        for (var time = Hosts.GapStart; time < Hosts.GapEnd; time += 15_000)
        {
            listener.Feed(new BatchMaker("web1").With("lmagent_up", 1, time).Make(time, isReplay: true));
        }

        await console.Page.ReloadAsync();
        await Expect(load.Locator(".legend td").First).ToBeVisibleAsync();
        await Expect(load.GetByText("1 gap", new LocatorGetByTextOptions { Exact = true })).ToHaveCountAsync(0);
        Assert.Empty(console.Faults);
    }

    private static int Count(ConsolePage console, string part) => console.Requests.ToArray().Count(request => request.Url.Contains(part, StringComparison.Ordinal));

    private static async Task SaveAsync(PrivateListener listener, string toml)
    {
        var id = toml.Split('"')[1];
        using var answer = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/" + id, PrivateListener.Token, new StringContent(toml, new MediaTypeHeaderValue("application/toml")), ("If-None-Match", "*"));
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
