using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Lm.Collector.Settings;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class DashboardPageTests(Chromium chromium)
{
    private const string Hostile = "<img src=x onerror=alert(1)> \u202e\u001b[31m";

    [Fact]
    public async Task A_built_in_dashboard_shows_the_apis_values_and_its_panels_give_csv_png_a_link_and_the_whole_page()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 300_000, "started", "instance=web1,input=events,severity=info", ("event", "agent_start"));
        listener.Logs.Add(Hosts.HistoryEnd - 5000, "disk <b>failed</b>", "instance=web1,input=syslog,severity=error");
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "dashboards?" + Hosts.HistoryRange);
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToHaveTextAsync(["Collector", "Fleet", "Host", "Logs"]);
        await console.Page.GetByLabel("Find dashboards").FillAsync("what it is busy with");
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Host", Exact = true }).ClickAsync();

        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Host", Level = 1 })).ToBeVisibleAsync();
        await Expect(console.Page.GetByLabel("Host", new PageGetByLabelOptions { Exact = true })).ToHaveCountAsync(1);
        await Expect(Panel(console, "Memory").First).ToContainTextAsync("There is no Host to choose from in this time range.");
        Assert.DoesNotContain(console.Requests, request => request.Url.Contains("instance%3D%22%22", StringComparison.Ordinal));
        await console.Page.GotoAsync("d/host?var-host=web1&" + Hosts.HistoryRange);
        var load = await InstantAsync(listener, "max(node_load1{instance=\"web1\"})");
        await Expect(Panel(console, "Load, 1 min").Locator("[data-value]")).ToHaveAttributeAsync("data-value", load);
        var cpu = await InstantAsync(listener, "100 * (1 - sum(rate(lightmetrics_host_cpu_seconds_total{instance=\"web1\", mode=~\"idle|iowait\"}[60s])) / sum(rate(lightmetrics_host_cpu_seconds_total{instance=\"web1\"}[60s])))");
        await Expect(Panel(console, "CPU").First.Locator("[data-value]")).ToHaveAttributeAsync("data-value", cpu);
        await Expect(Panel(console, "CPU by mode").Locator("canvas")).ToBeVisibleAsync();
        await Expect(Panel(console, "CPU by mode").GetByText("1 event", new LocatorGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await Expect(Panel(console, "CPU by mode").Locator(".notes li")).ToContainTextAsync("web1: agent_start");
        await Expect(Panel(console, "Network").Locator("tbody th")).ToHaveTextAsync(["eth0 in", "eth0 out"]);
        await Expect(Panel(console, "Agent", exact: true)).ToContainTextAsync("No sample in this time range.");
        await Panel(console, "Errors").ScrollIntoViewIfNeededAsync();
        await Expect(Panel(console, "Errors")).ToContainTextAsync("disk <b>failed</b>");
        await console.ScreenshotAsync("dashboard-host");

        var memory = Panel(console, "Memory").Last;
        await memory.GetByLabel("Menu of Memory").ClickAsync();
        var csv = await console.Page.RunAndWaitForDownloadAsync(() => memory.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "CSV" }).ClickAsync());
        var rows = (await File.ReadAllTextAsync(await csv.PathAsync(), TestContext.Current.CancellationToken)).Split("\r\n");
        Assert.Equal(("Memory.csv", "time,used,available"), (csv.SuggestedFilename, rows[0]));
        Assert.EndsWith($",{await InstantAsync(listener, "node_memory_MemAvailable_bytes{instance=\"web1\"}")}", rows[^2], StringComparison.Ordinal);
        await memory.GetByLabel("Menu of Memory").ClickAsync();
        var png = await console.Page.RunAndWaitForDownloadAsync(() => memory.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "PNG" }).ClickAsync());
        var picture = await File.ReadAllBytesAsync(await png.PathAsync(), TestContext.Current.CancellationToken);
        Assert.Equal([0x89, 0x50, 0x4e, 0x47], picture[..4]);
        await memory.GetByLabel("Menu of Memory").ClickAsync();
        await memory.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Full screen" }).ClickAsync();
        await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("panel=memory"));
        await Expect(console.Page.GetByRole(AriaRole.Figure)).ToHaveCountAsync(1);
        await console.Page.ReloadAsync();
        await Expect(Panel(console, "Memory").Locator("tbody th")).ToHaveTextAsync(["used", "available"]);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Every_kind_of_panel_shows_values_faults_and_hostile_texts_as_text_and_variables_cannot_change_queries()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await SaveAsync(listener, "kinds", Kinds);
        var other = Uri.EscapeDataString("web1\"} or node_load15{a=\"");
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "d/kinds?" + Hosts.HistoryRange);

        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "<img src=x onerror=alert(1)> \\u202e", Level = 1 })).ToBeVisibleAsync();
        await Expect(Panel(console, "stat").Locator("[data-value]")).ToHaveAttributeAsync("data-value", await InstantAsync(listener, "node_load5"));
        await Expect(Panel(console, "stat")).ToContainTextAsync("nothing 1d ago");
        await Expect(Panel(console, "gauge").Locator("[data-value]")).ToContainTextAsync("critical");
        await Expect(Panel(console, "table").GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "web1" })).ToHaveAttributeAsync("href", new System.Text.RegularExpressions.Regex("/hosts/web1\\?"));
        await Expect(Panel(console, "status").Locator("[data-value]")).ToContainTextAsync("fine");
        await Expect(Panel(console, "status").Locator(".history")).ToHaveAttributeAsync("aria-label", "Over the time range: ok 100 %");
        await Expect(Panel(console, "heatmap").Locator("canvas")).ToBeVisibleAsync();
        await Expect(Panel(console, "nothing")).ToContainTextAsync("No sample in this time range.");
        await Expect(Panel(console, "broken")).ToContainTextAsync("execution: ");
        await Expect(Panel(console, "lines")).ToContainTextAsync("No line matches");
        await Expect(Panel(console, "text").GetByRole(AriaRole.Link)).ToHaveAttributeAsync("href", "https://example.org/a");
        await Expect(Panel(console, "text")).ToContainTextAsync("<script>alert(1)</script> \\u202e");
        Assert.Equal(0, await console.Page.Locator("main img, main script").CountAsync());
        await console.ScreenshotAsync("dashboard-kinds");

        await console.Page.GotoAsync($"d/kinds?var-host={other}&" + Hosts.HistoryRange);
        await Expect(Panel(console, "stat")).ToContainTextAsync("No sample in this time range.");
        await console.Page.GotoAsync("d/kinds?var-every=" + Uri.EscapeDataString("1m]) or (up") + "&" + Hosts.HistoryRange);
        await Expect(Panel(console, "rate")).ToContainTextAsync("$every is no duration");
        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("422", StringComparison.Ordinal)); // the browser notes the refused query
    }

    [Fact]
    public async Task One_is_made_from_a_copy_moved_by_keys_saved_and_told_when_another_browser_was_first()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "d/fleet?" + Hosts.HistoryRange);
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Duplicate to edit" }).ClickAsync();
        await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/d/fleet-copy-2\\?.*edit=1"));

        await console.Page.GetByLabel("Title", new PageGetByLabelOptions { Exact = true }).FillAsync("Mine");
        var move = console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Move Hosts down" });
        await move.FocusAsync(); // which leaves the title: it is taken then, and the page drawn anew
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Mine", Level = 1 })).ToBeVisibleAsync();
        await move.PressAsync("Shift+ArrowDown");
        await Expect(console.Page.Locator(".cell").Filter(new LocatorFilterOptions { Has = move })).ToHaveAttributeAsync("style", new System.Text.RegularExpressions.Regex("span 5"));
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Edit Hosts up" }).ClickAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Remove panel" }).ClickAsync();
        await console.Page.ReloadAsync(); // a draft stays
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Edit Hosts down" }).ClickAsync();
        await console.Page.GetByLabel("Unit").SelectOptionAsync("percent");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Save" }).ClickAsync();
        await Expect(console.Page.GetByText("saved here")).ToBeVisibleAsync();

        var saved = await listener.GetJsonAsync("/api/v1/dashboards/fleet-copy-2");
        var panels = saved.GetProperty("definition").GetProperty("panels");
        Assert.Equal(("Mine", 8, "down", 5, "percent"), (saved.GetProperty("title").GetString(), panels.GetArrayLength(), panels[0].GetProperty("id").GetString(),
            panels[0].GetProperty("grid").GetProperty("h").GetInt32(), panels[0].GetProperty("unit").GetString()));
        var export = await console.Page.RunAndWaitForDownloadAsync(() => console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Export TOML" }).ClickAsync());
        Assert.Equal(saved.GetProperty("toml").GetString(), await File.ReadAllTextAsync(await export.PathAsync(), TestContext.Current.CancellationToken));

        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Edit", Exact = true }).ClickAsync();
        await console.Page.GetByText("TOML", new PageGetByTextOptions { Exact = true }).ClickAsync();
        await console.Page.Locator("#toml").FillAsync("id = \"fleet-copy-2\"\ntitle = \"Mine\"\ncolour = 1\n");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Apply" }).ClickAsync();
        await Expect(console.Page.Locator("#toml-fault")).ToContainTextAsync("dashboard:3:1: unknown key \"colour\"");
        await console.Page.Locator("#toml").FillAsync("id = \"fleet-copy-2\"\ntitle = \"Of this browser\"\n");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Apply" }).ClickAsync();
        await Expect(console.Page.GetByText("No panel yet")).ToBeVisibleAsync();
        await SaveAsync(listener, "fleet-copy-2", "id = \"fleet-copy-2\"\ntitle = \"Of another\"\n", saved.GetProperty("etag").GetString());
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Save" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "Not saved" })).ToContainTextAsync("was changed by somebody else since it was read");
        await Expect(console.Page.GetByLabel("Title", new PageGetByLabelOptions { Exact = true })).ToHaveValueAsync("Of this browser");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Discard changes" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Of another", Level = 1 })).ToBeVisibleAsync();
        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("400", StringComparison.Ordinal) && !fault.Contains("412", StringComparison.Ordinal)); // what was refused on purpose
    }

    [Fact]
    public async Task Each_copy_gets_an_id_of_its_own_and_a_draft_outlives_its_dashboard()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "d/fleet?" + Hosts.HistoryRange);
        var save = console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Save" });
        foreach (var id in (string[])["fleet-copy-2", "fleet-copy-3"])
        {
            await console.Page.GotoAsync("d/fleet?" + Hosts.HistoryRange);
            await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Duplicate to edit" }).ClickAsync();
            await Expect(console.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex($"/d/{id}\\?"));
            await save.ClickAsync();
            await Expect(console.Page.GetByText("saved here")).ToBeVisibleAsync();
        }

        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Edit", Exact = true }).ClickAsync();
        await console.Page.GetByLabel("Title", new PageGetByLabelOptions { Exact = true }).FillAsync("Kept");
        await console.Page.Keyboard.PressAsync("Tab");
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Kept", Level = 1 })).ToBeVisibleAsync();
        var etag = (await listener.GetJsonAsync("/api/v1/dashboards/fleet-copy-3")).GetProperty("etag").GetString()!;
        using (var deleted = await listener.SendAsync(HttpMethod.Delete, "/api/v1/dashboards/fleet-copy-3", headers: ("If-Match", etag)))
        {
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        }

        await save.ClickAsync();
        await Expect(console.Page.GetByText("deleted by somebody else meanwhile")).ToBeVisibleAsync();
        await console.Page.GotoAsync("dashboards");
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Kept" }).ClickAsync();
        await save.ClickAsync();
        await Expect(console.Page.GetByText("saved here")).ToBeVisibleAsync();
        Assert.Equal("Kept", (await listener.GetJsonAsync("/api/v1/dashboards/fleet-copy-3")).GetProperty("title").GetString());
        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("412", StringComparison.Ordinal) && !fault.Contains("404", StringComparison.Ordinal)); // what was refused on purpose
    }

    [Fact]
    public async Task A_session_that_ends_while_one_edits_loses_no_edit()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await SaveAsync(listener, "mine", """
            id = "mine"
            title = "Mine"
            panels = [{ id = "load", title = "Load", kind = "stat", grid = { x = 0, y = 0, w = 6, h = 5 }, queries = [{ promql = 'node_load5' }] }]
            """);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "d/mine?edit=1&selected=load&refresh=off&" + Hosts.HistoryRange);
        var page = console.Page;
        var title = page.GetByRole(AriaRole.Form, new PageGetByRoleOptions { Name = "Dashboard" }).GetByLabel("Title");
        var description = page.GetByRole(AriaRole.Form, new PageGetByRoleOptions { Name = "Dashboard" }).GetByLabel("Description");
        await title.FillAsync("Taken");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1, Name = "Taken" })).ToBeVisibleAsync();
        await page.RunAndWaitForResponseAsync(() => page.GetByLabel("Unit").SelectOptionAsync("percent"), "**/api/v1/query?*");

        // In the midst of a word, when something else on the page finds that the session has ended.
        await description.PressSequentiallyAsync("half a sent");
        listener.Settings = listener.Settings with { Token = new Secret("another") };
        await page.EvaluateAsync("() => document.querySelector('#refresh, .picker button')?.dispatchEvent(new MouseEvent('click', { bubbles: true }))");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Your session has ended");
        await console.SignInAsync("another");

        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        await Expect(description).ToBeFocusedAsync();
        await Expect(description).ToHaveValueAsync("half a sent");
        await description.FillAsync("half a sentence");
        await Expect(title).ToHaveValueAsync("Taken");

        // It ends again, and the save itself finds out; then the page is loaded anew, too.
        listener.Settings = listener.Settings with { Token = new Secret("third") };
        var save = page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Save" });
        await save.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("Your session has ended");
        await page.ReloadAsync();
        await console.SignInAsync("third");
        await Expect(description).ToHaveValueAsync("half a sentence");

        // The page says what it is about to save as well: only the answer tells that it was.
        await page.RunAndWaitForResponseAsync(() => save.ClickAsync(), response => response.Request.Method == "PUT" && response.Ok);
        await Expect(page.GetByText("saved here · half a sentence")).ToBeVisibleAsync();

        using var answer = await listener.SendAsync(HttpMethod.Get, "/api/v1/dashboards/mine", "third");
        var saved = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"title\":\"Taken\"", saved, StringComparison.Ordinal);
        Assert.Contains("\"unit\":\"percent\"", saved, StringComparison.Ordinal);
        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("401", StringComparison.Ordinal)); // the browser notes what was refused
    }

    [Fact]
    public async Task All_of_a_variable_is_what_there_is_by_now_and_nothing_is_asked_for_what_is_not_chosen()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await SaveAsync(listener, "all", """
            id = "all"
            title = "All"
            variables = [{ name = "host", label = "Host", kind = "label_values", of = "instance", match = "node_load5", multi = true, all = true }, { name = "none", kind = "label_values", of = "no_such_label" }]
            panels = [
              { id = "loads", kind = "table", grid = { x = 0, y = 0, w = 12, h = 6 }, columns = [{ label = "instance" }], queries = [{ promql = 'last_over_time(node_load5{instance=~"$host"}[10m])' }] },
              { id = "waits", kind = "table", grid = { x = 12, y = 0, w = 12, h = 6 }, queries = [{ promql = 'node_load5{x="$none"}' }] },
            ]
            """);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(Hosts.HistoryEnd + 1000).UtcDateTime);
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1 })).ToBeVisibleAsync();
        await console.Page.GotoAsync("d/all?from=now-10m&refresh=1s");
        await Expect(Panel(console, "loads").Locator("tbody td")).ToHaveTextAsync(["web1"]);
        await Expect(Panel(console, "waits")).ToContainTextAsync("There is no none to choose from");

        Hosts.FeedHistory(listener, "web2");

        await Expect(Panel(console, "loads").Locator("tbody td")).ToHaveTextAsync(["web1", "web2"]);
        Assert.Empty(console.Faults);
    }

    private static string Kinds => $$"""
        id = "kinds"
        title = "{{Hostile.Replace("\u001b", "\\u001b", StringComparison.Ordinal)}}"
        variables = [{ name = "host", kind = "label_values", of = "instance" }, { name = "every", kind = "interval", values = ["1m", "5m"] }]
        panels = [
          { id = "stat", kind = "stat", grid = { x = 0, y = 0, w = 6, h = 5 }, compare = "1d", queries = [{ promql = 'node_load5{instance="$host"}' }] },
          { id = "gauge", kind = "gauge", grid = { x = 6, y = 0, w = 6, h = 5 }, min = 0, max = 1, thresholds = [{ level = "crit", above = 0.01 }], queries = [{ promql = "node_load15" }] },
          { id = "table", kind = "table", grid = { x = 12, y = 0, w = 6, h = 5 }, link = "hosts/{{"{{instance}}"}}", columns = [{ label = "instance" }, { query = 0, title = "Load", bar = true }], queries = [{ promql = "node_load5" }] },
          { id = "status", kind = "status", grid = { x = 18, y = 0, w = 6, h = 5 }, history = true, map = [{ from = 0, to = 100, state = "ok", text = "fine" }], queries = [{ promql = "node_load1" }] },
          { id = "heatmap", kind = "heatmap", grid = { x = 0, y = 5, w = 12, h = 6 }, y_bins = 10, queries = [{ promql = "node_load1" }] },
          { id = "rate", kind = "timeseries", grid = { x = 12, y = 5, w = 12, h = 6 }, style = "bars", stack = "percent", thresholds = [{ level = "warn", above = 50 }], queries = [{ promql = 'rate(lightmetrics_host_cpu_seconds_total[$every])', legend = "{{"{{mode}}"}}" }] },
          { id = "nothing", kind = "timeseries", grid = { x = 0, y = 11, w = 6, h = 5 }, queries = [{ promql = "no_such_metric" }] },
          { id = "broken", kind = "stat", grid = { x = 6, y = 11, w = 6, h = 5 }, queries = [{ promql = 'node_load1 + on (instance) {__name__=~"node_load.*"}' }] },
          { id = "lines", kind = "logs", grid = { x = 12, y = 11, w = 6, h = 5 }, queries = [{ logql = '{instance="none"}' }] },
          { id = "text", kind = "text", grid = { x = 18, y = 11, w = 6, h = 5 }, body = "See https://example.org/a. <script>alert(1)</script> \u202e" },
        ]
        """;

    private static ILocator Panel(ConsolePage console, string title, bool exact = true) => console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = title, Exact = exact });

    private static async Task<string> InstantAsync(PrivateListener listener, string query)
    {
        var answer = await listener.GetJsonAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}&time={(Hosts.HistoryEnd / 1000).ToString(CultureInfo.InvariantCulture)}");
        return answer.GetProperty("result")[0].GetProperty("value")[1].GetString()!;
    }

    private static async Task SaveAsync(PrivateListener listener, string id, string toml, string? etag = null)
    {
        using var answer = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/" + id, PrivateListener.Token, new StringContent(toml, new MediaTypeHeaderValue("application/toml")),
            etag is null ? ("If-None-Match", "*") : ("If-Match", etag));
        Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
