using System.Text.RegularExpressions;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>The console without a mouse, in forced colours, and without motion.</summary>
public sealed class KeyboardTests(Chromium chromium)
{
    // In the order of the document, once around: what has the focus must be seen to have it, and nothing may hold it.
    private const string Stop = """
        async () => {
          const frame = () => new Promise((go) => requestAnimationFrame(go));
          let found = look();
          // An editor marks itself a moment after it has the focus.
          for (let i = 0; i < 30 && found !== null && !(found.isMarked && found.isSeen); i++) { await frame(); found = look(); }
          return found;

          function look() {
          let node = document.activeElement;
          if (node === null || node === document.body) return null;
          while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
          const box = node.getBoundingClientRect();
          const style = getComputedStyle(node);
          const edge = node.closest('.cm-editor') ?? node;
          const isMarked = [node, edge].some((each) => { const own = getComputedStyle(each); return own.outlineStyle !== 'none' && parseFloat(own.outlineWidth) >= 2; });
          const x = Math.min(Math.max(box.left + Math.min(box.width, 20) / 2, 0), innerWidth - 1);
          const y = Math.min(Math.max(box.top + Math.min(box.height, 20) / 2, 0), innerHeight - 1);
          let top = document.elementFromPoint(x, y);
          while (top?.shadowRoot?.elementFromPoint(x, y)) { const inner = top.shadowRoot.elementFromPoint(x, y); if (inner === top) break; top = inner; }
          const isSeen = style.visibility === 'visible' && box.bottom > 0 && box.top < innerHeight && top !== null && (node.contains(top) || top.contains(node) || top.closest('label')?.contains(node) === true);
          return { name: `${node.tagName.toLowerCase()} ${node.id} ${(node.getAttribute('aria-label') ?? node.textContent ?? '').trim().slice(0, 40)}`, isMarked, isSeen };
          }
        }
        """;

    // All that can be reached by Tab, as the document has it.
    private const string Reachable = """
        () => {
          const all = (root) => [...root.querySelectorAll('*')].flatMap((node) => [node, ...(node.shadowRoot ? all(node.shadowRoot) : [])]);
          return all(document).filter((node) => node.tabIndex >= 0 && node.matches('a[href], button:not(:disabled), input:not(:disabled), select, textarea, summary, [tabindex="0"], [contenteditable="true"]') && node.getClientRects().length > 0 && node.checkVisibility()).length;
        }
        """;

    [Fact]
    public async Task Tab_goes_through_every_page_shows_where_it_is_and_is_held_nowhere()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        for (var i = 0; i < 20; i++)
        {
            listener.Logs.Add(Hosts.HistoryEnd - 400_000 + (i * 5000), $"request {i}", "instance=web1,input=events,severity=info", ("event", "agent_start"));
        }

        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?next=" + Uri.EscapeDataString("hosts/web1?refresh=off&" + Hosts.HistoryRange));
        var page = console.Page;

        // Signing in.
        await Expect(page.GetByLabel("Query token")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("wrong");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Not signed in");
        await Expect(page.GetByLabel("Query token")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Control+a");
        await page.Keyboard.TypeAsync(PrivateListener.Token);
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".legend")).ToHaveCountAsync(4);

        foreach (var (path, shown) in ((string, string)[])
            [
                ("", ".hosts th a"), ("hosts/web1", ".legend td"), ("dashboards", "th a"), ("d/logs", ".dash figure"),
                ("explore?q=node_load1", ".legend td"), ("logs", ".line"), ("events", ".line"), ("admin/agents", "td"), ("admin/sessions", "td"),
            ])
        {
            await page.GotoAsync(path + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "refresh=off&" + Hosts.HistoryRange);
            await Expect(page.Locator(shown).First).ToBeVisibleAsync();
            await Expect(page.Locator(".skeleton")).ToHaveCountAsync(0);
            if (path.StartsWith("explore", StringComparison.Ordinal))
            {
                await Expect(page.Locator(".cm-content")).ToBeVisibleAsync();
            }

            await AroundAsync(page, path);
        }

        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("401", StringComparison.Ordinal)); // the wrong token
    }

    [Fact]
    public async Task By_keys_alone_one_goes_from_the_hosts_to_a_line_a_query_a_chart_and_a_dashboard_that_is_edited()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 2000, "the first", "instance=web1,severity=error", ("unit", "api")).Add(Hosts.HistoryEnd - 1000, "the second", "instance=web1,severity=info", ("unit", "db"));
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?next=" + Uri.EscapeDataString("?refresh=off&" + Hosts.HistoryRange));
        await console.SignInAsync();
        var page = console.Page;
        var keys = page.Keyboard;

        // Hosts: filter, sort, open one.
        await Expect(page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");
        await keys.PressAsync("/");
        await Expect(page.Locator("#filter")).ToBeFocusedAsync();
        await keys.TypeAsync("web");
        await TabToAsync(page, "CPU");
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Columnheader, new PageGetByRoleOptions { Name = "CPU", Exact = true })).ToHaveAttributeAsync("aria-sort", "ascending");
        await TabToAsync(page, "web1");
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "web1", Level = 1 })).ToBeFocusedAsync();

        // Charts: cursor, zoom, table; Escape closes the time range and gives the focus back.
        await Expect(page.Locator(".legend")).ToHaveCountAsync(4);
        await TabToAsync(page, "Load, 3 series");
        await keys.PressAsync("Shift+ArrowLeft");
        await keys.PressAsync("d");
        await Expect(page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Data of Load" })).ToBeVisibleAsync();
        await keys.PressAsync("t");
        await Expect(page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = "Time range" }).GetByRole(AriaRole.Button).First).ToBeFocusedAsync();
        await keys.PressAsync("Escape");
        await Expect(page.Locator("#time")).ToBeFocusedAsync();

        // Lines: open one, filter for what it has, and back to the list.
        await keys.PressAsync("g");
        await keys.PressAsync("l");
        await Expect(page.Locator(".line")).ToHaveCountAsync(2);
        await TabToAsync(page, "Lines", exact: true);
        await keys.PressAsync("j");
        await keys.PressAsync("j");
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "The line" })).ToHaveTextAsync("the first");
        await TabToAsync(page, "Filter out severity error");
        await keys.PressAsync("Escape");
        await Expect(page.Locator(".details")).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Grid, new PageGetByRoleOptions { Name = "Lines", Exact = true })).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await TabToAsync(page, "Filter for unit api");
        await keys.PressAsync("Enter");
        await Expect(page.Locator(".line .text")).ToHaveTextAsync(["the first"]);

        // A query with completion; Tab leaves the editor.
        await keys.PressAsync("g");
        await keys.PressAsync("e");
        await Expect(page.Locator(".cm-content")).ToBeVisibleAsync();
        await keys.PressAsync("/");
        await keys.TypeAsync("node_load1");
        await Expect(page.Locator(".cm-tooltip-autocomplete")).ToBeVisibleAsync();
        await keys.PressAsync("Escape");
        await keys.PressAsync("Control+Enter");
        await Expect(page.Locator(".legend td").First).ToBeVisibleAsync();
        await TabToAsync(page, "Run");

        // A dashboard: a panel's menu, a copy, a panel moved and its form closed again.
        await keys.PressAsync("Control+k");
        await keys.TypeAsync("Fleet");
        await Expect(page.Locator("#found [role=option]").First).ToContainTextAsync("Fleet");
        await keys.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Fleet", Level = 1 })).ToBeFocusedAsync();
        await Expect(page.Locator(".dash figure").First).ToBeVisibleAsync();
        await TabToAsync(page, "Menu of Hosts up");
        await keys.PressAsync("Enter");
        await Expect(page.Locator("details.menu[open]")).ToHaveCountAsync(1);
        await TabToAsync(page, "Copy link");
        await keys.PressAsync("Escape");
        await Expect(page.Locator("details.menu[open]")).ToHaveCountAsync(0);
        await Expect(page.GetByLabel("Menu of Hosts up")).ToBeFocusedAsync();
        await TabToAsync(page, "Duplicate to edit", back: true);
        await keys.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("edit=1"));
        await TabToAsync(page, "Move Hosts up");
        await keys.PressAsync("ArrowRight");
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Move Hosts up" })).ToBeFocusedAsync();
        await TabToAsync(page, "Edit Hosts up");
        await keys.PressAsync("Enter");
        await TabToAsync(page, "Remove panel");
        await keys.PressAsync("Escape");
        await Expect(page.Locator(".panel-form")).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Edit Hosts up" })).ToBeFocusedAsync();

        // Dialogs give the focus back to where it was.
        await keys.PressAsync("?");
        await Expect(page.GetByRole(AriaRole.Dialog, new PageGetByRoleOptions { Name = "Keys" })).ToBeVisibleAsync();
        await keys.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Edit Hosts up" })).ToBeFocusedAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task In_forced_colours_what_is_chosen_and_what_has_the_focus_are_seen_and_without_motion_nothing_moves()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 2000, "a line", "instance=web1,severity=error").Add(Hosts.HistoryEnd - 1000, "another", "instance=web1,severity=info");
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?next=" + Uri.EscapeDataString("hosts/web1?refresh=off&" + Hosts.HistoryRange));
        var page = console.Page;
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ForcedColors = ForcedColors.Active, ReducedMotion = ReducedMotion.Reduce });
        await console.SignInAsync();
        await Expect(page.Locator(".legend")).ToHaveCountAsync(4);
        await OthersAsync(".rail a[aria-current]", ".rail a:not([aria-current]):not(.brand)");
        await OthersAsync("[role=tab][aria-selected=true]", "[role=tab][aria-selected=false]");
        var load = page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" });
        var series = await load.Locator(".key").EvaluateAllAsync<string[]>("nodes => nodes.map((node) => getComputedStyle(node).backgroundColor)");
        Assert.Equal(3, series.Distinct().Count()); // the key of each line has the line's colour

        await load.Locator(".plot").FocusAsync();
        await page.Keyboard.PressAsync("ArrowLeft");
        Assert.NotEqual("none", await load.Locator(".plot").EvaluateAsync<string>("node => getComputedStyle(node).outlineStyle"));
        await page.Keyboard.PressAsync("Control+k");
        await Expect(page.Locator("#found [role=option]").Nth(1)).ToBeVisibleAsync();
        await OthersAsync("#found [aria-selected=true]", "#found [aria-selected=false]");
        await page.Keyboard.PressAsync("Escape");

        await page.GotoAsync("logs?refresh=off&" + Hosts.HistoryRange);
        await page.Locator(".line").First.ClickAsync();
        await OthersAsync(".line.open", ".line:not(.open)");
        await OthersAsync("button[aria-pressed=true]", "button[aria-pressed=false]");
        var bars = await page.Locator(".volume-legend .key").EvaluateAllAsync<string[]>("nodes => nodes.map((node) => getComputedStyle(node).backgroundColor)");
        Assert.Equal(2, bars.Distinct().Count());

        await page.RouteAsync("**/api/v1/logs?*", route => Task.CompletedTask); // never answered
        await page.GotoAsync("logs?refresh=off&vol=off&" + Hosts.HistoryRange);
        await Expect(page.Locator(".skeleton").First).ToBeVisibleAsync();
        var moving = await page.EvaluateAsync<string[]>("""
            () => [
              ...document.getAnimations().filter((each) => Number(each.effect?.getComputedTiming().duration) > 0).map((each) => each.animationName ?? 'transition'),
              ...[...document.querySelectorAll('*')].filter((node) => parseFloat(getComputedStyle(node).transitionDuration) > 0 || getComputedStyle(node).scrollBehavior === 'smooth').map((node) => node.tagName),
            ]
            """);
        Assert.Empty(moving);
        Assert.Empty(console.Faults);

        // What differs must differ in more than the text's weight: background, border or outline.
        async Task OthersAsync(string chosen, string other)
        {
            const string look = "node => { const style = getComputedStyle(node); return [style.backgroundColor, style.borderTopColor, style.outlineStyle].join(' '); }";
            Assert.NotEqual(await page.Locator(other).First.EvaluateAsync<string>(look), await page.Locator(chosen).First.EvaluateAsync<string>(look));
        }
    }

    private const int StopsMax = 400;

    private static async Task AroundAsync(IPage page, string path)
    {
        await page.EvaluateAsync("() => { document.activeElement?.blur(); window.scrollTo(0, 0); }");
        List<string> stops = [];
        var isAround = false;
        while (!isAround && stops.Count < StopsMax)
        {
            await page.Keyboard.PressAsync("Tab");
            var at = await page.EvaluateAsync<System.Text.Json.JsonElement?>(Stop);
            var name = at is { ValueKind: System.Text.Json.JsonValueKind.Object } found ? found.GetProperty("name").GetString()! : "";
            isAround = name.Length == 0 || (stops.Count > 0 && name == stops[0]); // it has left the page behind the last, or is at the first again
            if (isAround || at is not { } stop)
            {
                break;
            }

            Assert.True(stop.GetProperty("isMarked").GetBoolean(), $"{path}: the focus cannot be seen on {name}");
            Assert.True(stop.GetProperty("isSeen").GetBoolean(), $"{path}: {name} has the focus and is covered or out of sight");
            stops.Add(name);
        }

        Assert.StartsWith("a  Skip to the content", stops[0], StringComparison.Ordinal);
        Assert.True(isAround, $"{path}: the focus goes round and round: {string.Join(", ", stops.TakeLast(10))}");
        var reachable = await page.EvaluateAsync<int>(Reachable); // now: what one comes near to is drawn then
        Assert.True(stops.Count >= reachable - 1, $"{path}: {reachable} can be reached, {stops.Count} were: {string.Join(", ", stops)}");
    }

    /// <summary>Presses Tab until something of this name has the focus.</summary>
    private static async Task TabToAsync(IPage page, string name, bool exact = false, bool back = false)
    {
        const string named = "node => { let at = document.activeElement; return at === null ? '' : (at.getAttribute('aria-label') ?? at.textContent ?? '').trim(); }";
        for (var i = 0; i < 200; i++)
        {
            await page.Keyboard.PressAsync(back ? "Shift+Tab" : "Tab");
            var at = await page.EvaluateAsync<string>(named);
            if (exact ? at == name : at.StartsWith(name, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"Tab does not lead to {name}");
    }
}
