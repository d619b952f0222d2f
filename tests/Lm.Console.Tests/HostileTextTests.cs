using Lm.Collector.Agents;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Names, labels, lines and definitions from anywhere, on every page: text that does nothing, and that hides and turns nothing.</summary>
public sealed class HostileTextTests(Chromium chromium)
{
    private const string Hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp.exe\u001b[31m\u001b]0;title\u0007 \"'{{";

    [Fact]
    public async Task On_every_page_texts_from_outside_are_text_and_nothing_of_them_hides_or_turns()
    {
        await using var listener = await PrivateListener.StartAsync();
        const string host = "web<b>1</b>\u202e";
        Hosts.FeedHistory(listener, host);
        listener.Feed(new BatchMaker(host)
            .With("node_network_receive_bytes_total", [(Hosts.HistoryEnd - 15_000, 1), (Hosts.HistoryEnd, 2)], new Label("device", Hostile))
            .With("node_filesystem_avail_bytes", 1, Hosts.HistoryEnd, new Label("mountpoint", Hostile)).With("node_filesystem_size_bytes", 2, Hosts.HistoryEnd, new Label("mountpoint", Hostile))
            .With("lightmetrics_host_process_resident_memory_bytes", 1 << 20, Hosts.HistoryEnd, new Label("pid", "78"), new Label("comm", Hostile), new Label("start_time", "2")).Make(Hosts.HistoryEnd));
        listener.Report(new AgentReport { AgentId = host, ReceivedAt = new UnixMillis(Hosts.HistoryEnd), UserAgent = "lm-agent/" + Hostile[..60], Accepted = 1 });
        listener.Logs.Add(Hosts.HistoryEnd - 5000, Hostile, $"instance={host},input=events,severity={Hostile.Replace(',', ' ').Replace('=', ' ')}", ("event", Hostile), ("n", Hostile));
        using (var saved = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/hostile", content: new StringContent($$"""
            id = "hostile"
            title = {{Toml}}
            description = {{Toml}}
            tags = [{{Toml[..40] + "\""}}]
            variables = [{ name = "host", label = {{Toml}}, kind = "label_values", of = "instance", multi = true, all = true }, { name = "list", kind = "list", values = [{{Toml}}] }]
            [[panels]]
            id = "table"
            title = {{Toml}}
            description = {{Toml}}
            kind = "table"
            grid = { x = 0, y = 0, w = 12, h = 6 }
            columns = [{ label = "mountpoint", title = {{Toml}} }, { query = 0, title = "v" }]
            queries = [{ promql = 'node_filesystem_avail_bytes' }]
            links = [{ title = {{Toml}}, url = "https://example.org" }]
            [[panels]]
            id = "chart"
            kind = "timeseries"
            grid = { x = 12, y = 0, w = 12, h = 6 }
            annotations = ["events"]
            queries = [{ promql = 'node_network_receive_bytes_total', legend = '{{"{{device}}"}}' }]
            [[panels]]
            id = "text"
            kind = "text"
            grid = { x = 0, y = 6, w = 12, h = 4 }
            body = {{Toml}}
            [[panels]]
            id = "lines"
            kind = "logs"
            grid = { x = 12, y = 6, w = 12, h = 4 }
            fields = ["n"]
            queries = [{ logql = '{input="events"}' }]
            [[panels]]
            id = "status"
            kind = "status"
            grid = { x = 0, y = 10, w = 12, h = 4 }
            map = [{ from = 0, to = 9, state = "ok", text = {{Toml}} }]
            queries = [{ promql = 'node_filesystem_size_bytes', legend = '{{"{{mountpoint}}"}}' }]
            """, new System.Net.Http.Headers.MediaTypeHeaderValue("application/toml"))))
        {
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        console.Page.Dialog += (_, dialog) => console.Faults.Add("dialog: " + dialog.Message);
        await console.SignInAsync();
        var main = console.Page.Locator("main");
        await Expect(main.Locator("th a")).ToHaveTextAsync(["web<b>1</b>\\u202e"]);
        var at = "hosts/" + Uri.EscapeDataString(host);
        foreach (var (path, shown) in ((string, string)[])
            [
                ("?", "tbody"), (at + "?", ".legend td"), (at + "?tab=processes&", "td"), (at + "?tab=logs&", ".line"), (at + "?tab=events&fields=1&", ".line"),
                ("dashboards?", "th a"), ("d/hostile?", ".states li"), ("d/hostile?edit=1&selected=table&", ".panel-form"), ("d/host?var-host=" + Uri.EscapeDataString(host) + "&", ".legend td"),
                ("explore?q=node_network_receive_bytes_total&", ".legend td"), ("explore?tab=table&q=node_filesystem_avail_bytes&", "td"), ("explore?tab=json&q=node_filesystem_avail_bytes&", "pre"),
                ("logs?fields=1&wrap=1&", ".line"), ("events?", ".line"), ("admin/agents?", "td"), ("admin/about?", "td"),
                ("explore?q=" + Uri.EscapeDataString("sum(" + Hostile) + "&", ".fault"), ("logs?q=" + Uri.EscapeDataString(Hostile) + "&", ".fault"), ("d/" + Uri.EscapeDataString(Hostile) + "?", ".fault"),
            ])
        {
            await console.Page.GotoAsync(path + Hosts.HistoryRange);
            await Expect(main.Locator(shown).First).ToBeVisibleAsync();
            if (shown == ".line" && !path.StartsWith("d/", StringComparison.Ordinal))
            {
                await main.Locator(".line").First.ClickAsync();
                await Expect(main.Locator(".details")).ToBeVisibleAsync();
            }

            Assert.Equal("", await console.Page.EvaluateAsync<string>(Search));
        }

        await console.Page.GotoAsync("");
        await console.Page.Keyboard.PressAsync("Control+k");
        await console.Page.Keyboard.TypeAsync("web");
        await Expect(console.Page.Locator("#found [role=option]").First).ToContainTextAsync("web<b>1</b>\\u202e");
        Assert.Equal("", await console.Page.EvaluateAsync<string>(Search));
        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("(Failed to load", StringComparison.Ordinal) && !fault.Contains("status of 40", StringComparison.Ordinal));
    }

    // What of the document came from such a text: elements, or characters that a person does not see. Fields that one edits hold what is edited.
    private const string Search = """
        () => [
          ...document.querySelectorAll('main img, main script, dialog img, dialog script, td b, th b, h1 b, .line b, p.text b'),
          ...[...document.querySelectorAll('body *, title')].flatMap((node) => [...node.childNodes]).filter((node) => node.nodeType === 3 && !node.parentElement.closest('textarea, .cm-editor') && /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(node.data)),
          ...[...document.querySelectorAll('*')].flatMap((node) => [...node.attributes]).filter(({ name, value }) => (name === 'title' || name === 'aria-label') && /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/.test(value)),
        ].map((found) => found.outerHTML ?? found.data ?? `${found.ownerElement.outerHTML.slice(0, 80)} ${found.name}`).join('\n')
        """;

    private static string Toml => "\"" + string.Concat(Hostile.Select(static letter => letter is < ' ' or '"' or '\\' or '\u202e' ? $"\\u{(int)letter:x4}" : letter.ToString())) + "\"";
}
