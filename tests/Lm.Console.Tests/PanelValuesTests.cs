using System.Globalization;
using System.Text;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Protocol;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Every kind of panel with nothing, one value, many series, and numbers that are none: what it shows is what the API says.</summary>
public sealed class PanelValuesTests(Chromium chromium)
{
    private static readonly (string Name, string Query)[] States =
    [
        ("empty", "no_such_metric"), ("one", "node_load5"), ("many", "many"), ("odd", "odd"), ("gap", "gap"), ("warning", "node_load5 and on () quantile(1.5, many)"), ("error", "node_load1 + on (instance) {__name__=~\"node_load.*\"}"),
    ];

    private static readonly string[] Kinds = ["timeseries", "stat", "gauge", "table", "status", "heatmap"];

    [Fact]
    public async Task Each_kind_shows_what_the_api_says_of_each_state()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Feed(listener);
        var toml = new StringBuilder("id = \"kinds\"\ntitle = \"Kinds\"\n");
        foreach (var (row, (state, query)) in States.Index())
        {
            foreach (var (column, kind) in Kinds.Index())
            {
                toml.Append(CultureInfo.InvariantCulture, $"[[panels]]\nid = \"{kind}-{state}\"\nkind = \"{kind}\"\ngrid = {{ x = {column * 4}, y = {row * 6}, w = 4, h = 6 }}\nqueries = [{{ promql = '{query}' }}]\n")
                    .Append(kind switch { "gauge" => "min = 0\nmax = 1\n", "heatmap" => "y_bins = 10\n", "timeseries" => "legend = \"table\"\n", _ => "" });
            }
        }

        using (var saved = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/kinds", content: new StringContent(toml.ToString(), new System.Net.Http.Headers.MediaTypeHeaderValue("application/toml"))))
        {
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "d/kinds?" + Hosts.HistoryRange);
        await Expect(Panel(console, "stat-one").Locator("[data-value]")).ToBeVisibleAsync();
        await console.Page.SetViewportSizeAsync(1600, 2100); // all of them near
        foreach (var kind in Kinds)
        {
            await Expect(Panel(console, $"{kind}-empty")).ToContainTextAsync("No sample in this time range.");
            await Expect(Panel(console, $"{kind}-error").GetByRole(AriaRole.Alert)).ToContainTextAsync("execution: ");
            await Expect(Panel(console, $"{kind}-error").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Retry" })).ToBeVisibleAsync();
        }

        foreach (var state in (string[])["one", "many", "odd", "gap", "warning"])
        {
            var query = States.Single(each => each.Name == state).Query;
            var values = await ValuesAsync(listener, query);
            foreach (var (kind, most) in ((string, int)[])[("stat", 12), ("gauge", 12), ("table", 500), ("status", 500)])
            {
                var panel = Panel(console, $"{kind}-{state}");
                await Expect(panel.Locator("[data-value]")).ToHaveCountAsync(Math.Min(most, values.Length));
                var shown = await panel.Locator("[data-value]").EvaluateAllAsync<string[]>("nodes => nodes.map(node => node.dataset.value)");
                Assert.All(shown, value => Assert.Contains(value, values));
                Assert.True(shown.Length < values.Length || shown.Order(StringComparer.Ordinal).SequenceEqual(values.Order(StringComparer.Ordinal)), $"{kind}-{state}");
            }

            await Expect(Panel(console, $"timeseries-{state}").Locator("canvas")).ToBeVisibleAsync();
            await Expect(Panel(console, $"heatmap-{state}").Locator("canvas")).ToBeVisibleAsync();
        }

        foreach (var kind in Kinds)
        {
            await Panel(console, $"{kind}-warning").GetByText("1 warning", new LocatorGetByTextOptions { Exact = true }).ClickAsync();
            await Expect(Panel(console, $"{kind}-warning").Locator(".notes")).ToContainTextAsync("quantile value should be between 0 and 1, got 1.5");
        }

        // 30 of 300 are drawn at first, and it says so; what is no number shows as itself; a hole is one.
        await Expect(Panel(console, "timeseries-many")).ToContainTextAsync("30 of 300 series drawn");
        await Expect(Panel(console, "stat-many")).ToContainTextAsync("12 of 300 shown; CSV has all.");
        await Expect(Panel(console, "stat-odd").Locator("[data-value]")).ToContainTextAsync(["NaN", "+Inf", "-Inf"]);
        await console.ScreenshotAsync("panel-kinds");
        foreach (var kind in (string[])["timeseries", "heatmap"])
        {
            await AssertCsvAsync(console, listener, kind);
        }

        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("422", StringComparison.Ordinal)); // the browser notes the refused query
    }

    // A chart's file has what the range query says, to the last digit, and holes where it says nothing.
    private static async Task AssertCsvAsync(ConsolePage console, PrivateListener listener, string kind)
    {
        var panel = Panel(console, kind + "-gap");
        await panel.GetByLabel($"Menu of {kind}-gap").ClickAsync();
        var file = await console.Page.RunAndWaitForDownloadAsync(() => panel.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "CSV" }).ClickAsync());
        var rows = (await File.ReadAllTextAsync(await file.PathAsync(), TestContext.Current.CancellationToken)).Split("\r\n")[1..^1].Select(row => row.Split(',')).ToArray();
        var step = (DateTimeOffset.Parse(rows[1][0], CultureInfo.InvariantCulture) - DateTimeOffset.Parse(rows[0][0], CultureInfo.InvariantCulture)).TotalSeconds;
        var (first, last) = (DateTimeOffset.Parse(rows[0][0], CultureInfo.InvariantCulture).ToUnixTimeSeconds(), DateTimeOffset.Parse(rows[^1][0], CultureInfo.InvariantCulture).ToUnixTimeSeconds());
        var answer = await listener.GetJsonAsync(string.Create(CultureInfo.InvariantCulture, $"/api/v1/query_range?query=gap&start={first}&end={last}&step={step}"));
        var said = answer.GetProperty("result")[0].GetProperty("values").EnumerateArray().ToDictionary(sample => sample[0].GetInt64(), sample => sample[1].GetString()!);
        Assert.Contains(rows, row => row[1].Length == 0);
        Assert.All(rows, row => Assert.Equal(said.GetValueOrDefault(DateTimeOffset.Parse(row[0], CultureInfo.InvariantCulture).ToUnixTimeSeconds(), ""), row[1]));
    }

    private static ILocator Panel(ConsolePage console, string id) => console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = id, Exact = true });

    private static async Task<string[]> ValuesAsync(PrivateListener listener, string query)
    {
        var answer = await listener.GetJsonAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}&time={Hosts.HistoryEnd / 1000}");
        return [.. answer.GetProperty("result").EnumerateArray().Select(series => series.GetProperty("value")[1].GetString()!)];
    }

    private static void Feed(PrivateListener listener)
    {
        var maker = new BatchMaker("web1");
        for (var i = 0; i < 300; i++)
        {
            maker.With("many", (i * 0.37) + 0.001, Hosts.HistoryEnd - 1000, new Label("n", i.ToString("000", CultureInfo.InvariantCulture)));
        }

        foreach (var (name, value) in ((string, double)[])[("a", double.NaN), ("b", double.PositiveInfinity), ("c", double.NegativeInfinity), ("d", 1e15 + 0.5)])
        {
            maker.With("odd", value, Hosts.HistoryEnd - 1000, new Label("n", name));
        }

        // Longer than the five minutes that a query looks back.
        maker.With("gap", [(Hosts.HistoryStart, 0.1 + 0.2), (Hosts.HistoryEnd - 30_000, 1.0 / 3)]);
        listener.Feed(maker.Make(Hosts.HistoryEnd));
    }
}
