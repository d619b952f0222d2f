using System.Globalization;
using System.Text.RegularExpressions;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Values of a chart that stay shown, and charts under fingers.</summary>
public sealed class ChartPointerTests(Chromium chromium)
{
    [Fact]
    public async Task A_click_or_Enter_keeps_the_values_of_a_moment_shown()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);
        var page = console.Page;
        await Expect(page.Locator(".legend")).ToHaveCountAsync(4);
        var load = page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" });
        var tip = load.Locator(".tip");
        var over = load.Locator(".u-over");

        await over.HoverAsync();
        await Expect(tip).ToContainTextAsync("load 5 min: ");
        await page.Locator("h1").HoverAsync();
        await Expect(tip).ToBeHiddenAsync();
        await over.ClickAsync();
        var kept = await tip.TextContentAsync();
        await page.Locator("h1").HoverAsync();
        await over.HoverAsync(new LocatorHoverOptions { Position = new Position { X = 30, Y = 150 } });
        await Expect(tip).ToHaveTextAsync(kept!);

        // Elsewhere it moves there; there again, or Escape, lets it go.
        await over.ClickAsync(new LocatorClickOptions { Position = new Position { X = 30, Y = 150 } });
        await Expect(tip).Not.ToHaveTextAsync(kept!);
        await over.ClickAsync(new LocatorClickOptions { Position = new Position { X = 30, Y = 150 } });
        await page.Locator("h1").HoverAsync();
        await Expect(tip).ToBeHiddenAsync();

        await load.Locator(".plot").FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        await page.Keyboard.PressAsync("Enter");
        await Expect(tip).ToBeVisibleAsync();
        await Expect(tip).ToContainTextAsync("load 1 min: ");
        await page.Keyboard.PressAsync("Escape");
        await Expect(tip).ToBeHiddenAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_tap_shows_values_and_two_fingers_zoom()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener.Address, "hosts/web1?" + Hosts.HistoryRange, hasTouch: true);
        await console.SignInAsync();
        var page = console.Page;
        await Expect(page.Locator(".legend")).ToHaveCountAsync(4);
        var load = page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" });
        await load.Locator(".u-over").TapAsync();
        await Expect(load.Locator(".tip")).ToContainTextAsync("load 5 min: ");
        await page.Locator("h1").TapAsync();
        await Expect(load.Locator(".tip")).ToBeVisibleAsync(); // a finger does not hover

        await load.Locator(".u-over").ScrollIntoViewIfNeededAsync();
        var box = (await load.Locator(".u-over").BoundingBoxAsync())!;
        await using var session = await page.Context.NewCDPSessionAsync(page);
        await TouchAsync(session, "touchStart", box, 0.4f, 0.6f);
        foreach (var spread in (float[])[0.12f, 0.15f, 0.2f])
        {
            await TouchAsync(session, "touchMove", box, 0.5f - spread, 0.5f + spread);
        }

        await TouchAsync(session, "touchEnd", box);
        await Expect(page).Not.ToHaveURLAsync(new Regex(Hosts.HistoryRange));
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(page.Url).Query);
        var (from, to) = (long.Parse(query["from"]!, CultureInfo.InvariantCulture), long.Parse(query["to"]!, CultureInfo.InvariantCulture));
        Assert.InRange(to - from, (Hosts.HistoryEnd - Hosts.HistoryStart) * 0.45, (Hosts.HistoryEnd - Hosts.HistoryStart) * 0.55);
        Assert.InRange((from + to) / 2, Hosts.HistoryEnd - 315_000, Hosts.HistoryEnd - 285_000);
        Assert.Empty(console.Faults);
    }

    private static Task<System.Text.Json.JsonElement?> TouchAsync(ICDPSession session, string type, LocatorBoundingBoxResult box, params float[] shares) => session.SendAsync("Input.dispatchTouchEvent", new Dictionary<string, object>
    {
        ["type"] = type,
        ["touchPoints"] = shares.Select((share, id) => new Dictionary<string, object> { ["x"] = box.X + (share * box.Width), ["y"] = box.Y + (box.Height / 2), ["id"] = id }).ToArray(),
    });
}
