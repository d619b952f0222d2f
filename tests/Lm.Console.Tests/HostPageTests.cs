using System.Globalization;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class HostPageTests(Chromium chromium)
{
    [Fact]
    public async Task The_overview_leads_to_a_host_and_its_cards_have_the_apis_values()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener);

        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "web1" }).ClickAsync();

        await Expect(console.Page).ToHaveURLAsync(new Uri(listener.Address, "hosts/web1").ToString());
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "web1", Level = 1 })).ToBeVisibleAsync();
        await Expect(console.Page.Locator(".stat dd")).ToContainTextAsync(["25 %", "75 %", "60 %", "200 B/s / 100 B/s", "0.75", "5", "8", "2"]);

        // Over a threshold: another icon, word and colour.
        var cpu = console.Page.Locator(".stat dd").First;
        var colour = await ColourAsync();
        Hosts.FeedCpu(listener, after: 15_000, busy: 181, idle: 123); // 80 % of it
        await console.Page.Keyboard.PressAsync("r");
        await Expect(cpu).ToHaveTextAsync("80 % ! warning");
        var high = await ColourAsync();
        Hosts.FeedCpu(listener, after: 30_000, busy: 376, idle: 128);
        await console.Page.Keyboard.PressAsync("r");
        await Expect(cpu).ToHaveTextAsync("98 % ‼ critical");
        Assert.Equal(3, new[] { colour, high, await ColourAsync() }.Distinct().Count());
        await console.Page.GoBackAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");
        Assert.Empty(console.Faults);

        Task<string> ColourAsync() => cpu.EvaluateAsync<string>("node => getComputedStyle(node.querySelector('.warn, .crit') ?? node).color");
    }

    [Fact]
    public async Task Charts_end_with_the_values_that_range_queries_give()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);

        foreach (var (title, series, expression) in ((string, string, string)[])
            [
                ("Load", "load 5 min", "node_load5{instance=\"web1\"}"),
                ("Memory", "used", "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes"),
                ("Network", "eth0 ↓", "rate(node_network_receive_bytes_total[60s])"),
                ("CPU by mode", "user", "100 * sum by (mode) (rate(lightmetrics_host_cpu_seconds_total{mode!=\"idle\"}[60s])) / scalar(sum(rate(lightmetrics_host_cpu_seconds_total[60s])))"),
            ])
        {
            var answer = await listener.GetJsonAsync($"/api/v1/query_range?query={Uri.EscapeDataString(expression)}&start={Hosts.HistoryStart / 1000}&end={Hosts.HistoryEnd / 1000}&step=15");
            var values = answer.GetProperty("result")[0].GetProperty("values");
            var last = double.Parse(values[values.GetArrayLength() - 1][1].GetString()!, CultureInfo.InvariantCulture);
            var cell = console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = title }).GetByRole(AriaRole.Row)
                .Filter(new LocatorFilterOptions { HasText = series }).Locator("[data-last]");
            await Expect(cell).ToHaveAttributeAsync("data-last", last.ToString("R", CultureInfo.InvariantCulture));
        }

        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Dragging_over_a_chart_zooms_and_going_back_zooms_out()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);

        var (from, to) = await DragOverLoadAsync(console);

        Assert.InRange(to - from, (Hosts.HistoryEnd - Hosts.HistoryStart) * 0.45, (Hosts.HistoryEnd - Hosts.HistoryStart) * 0.55);
        await Expect(console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Back to live" })).ToBeVisibleAsync();
        await console.Page.GoBackAsync();
        await Expect(console.Page).ToHaveURLAsync(new Uri(listener.Address, "hosts/web1?" + Hosts.HistoryRange).ToString());
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Dragging_with_shift_moves_the_range_and_keeps_its_length()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);

        var (from, to) = await DragOverLoadAsync(console, "Shift");

        Assert.InRange(to - from, Hosts.HistoryEnd - Hosts.HistoryStart - 2, Hosts.HistoryEnd - Hosts.HistoryStart + 2);
        Assert.InRange(Hosts.HistoryStart - from, (to - from) * 0.48, (to - from) * 0.52);
        Assert.Empty(console.Faults);
    }

    // From a quarter of the chart to three quarters: the range that the address then has.
    private static async Task<(long From, long To)> DragOverLoadAsync(ConsolePage console, string? key = null)
    {
        var chart = console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" }).Locator(".u-over");
        await Expect(console.Page.Locator(".legend")).ToHaveCountAsync(4); // nothing that loads moves the chart any more
        await chart.ScrollIntoViewIfNeededAsync();
        var before = console.Page.Url;
        var box = (await chart.BoundingBoxAsync())!;
        if (key is not null)
        {
            await console.Page.Keyboard.DownAsync(key);
        }

        await console.Page.Mouse.MoveAsync(box.X + (box.Width * 0.25f), box.Y + 50);
        await console.Page.Mouse.DownAsync();
        await console.Page.Mouse.MoveAsync(box.X + (box.Width * 0.75f), box.Y + 60, new MouseMoveOptions { Steps = 5 });
        await console.Page.Mouse.UpAsync();
        if (key is not null)
        {
            await console.Page.Keyboard.UpAsync(key);
        }

        await Expect(console.Page).Not.ToHaveURLAsync(before);
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(console.Page.Url).Query);
        return (long.Parse(query["from"]!, CultureInfo.InvariantCulture), long.Parse(query["to"]!, CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_chart_works_by_keyboard_and_has_its_data_as_a_table()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);
        var figure = console.Page.GetByRole(AriaRole.Figure, new PageGetByRoleOptions { Name = "Load" });
        await Expect(figure.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);

        await figure.Locator(".plot").FocusAsync();
        await console.Page.Keyboard.PressAsync("ArrowLeft");
        await Expect(figure.Locator("[aria-live]")).ToContainTextAsync("load");
        await console.Page.Keyboard.PressAsync("d");

        await Expect(figure.GetByRole(AriaRole.Region, new LocatorGetByRoleOptions { Name = "Data of Load" }).GetByRole(AriaRole.Row)).ToHaveCountAsync(42);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task The_hosts_lines_and_processes_have_a_tab_each()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 5000, "a line of web1", "instance=web1,severity=warn").Add(Hosts.HistoryEnd - 4000, "a line of web2", "instance=web2");
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?tab=logs&" + Hosts.HistoryRange);

        await Expect(console.Page.Locator(".line")).ToHaveCountAsync(1);
        await Expect(console.Page.Locator(".line")).ToContainTextAsync("a line of web1");
        await console.Page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "Processes" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "postgres" })).ToContainTextAsync("100 MiB");
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Charts_mark_when_the_agent_started_and_when_nothing_came_from_it()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.FeedGap(listener);
        listener.Logs.Add(Hosts.HistoryEnd - 200_000, "started", "instance=web1,input=events,severity=info", ("event", "agent_start"))
            .Add(Hosts.HistoryEnd - 100_000, "started", "instance=web2,input=events,severity=info", ("event", "agent_start"));
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "hosts/web1?" + Hosts.HistoryRange);

        var marks = console.Page.Locator("main .notes");
        await Expect(marks.Locator("summary")).ToHaveTextAsync(["1 event, 1 gap"]);
        await Expect(marks.Locator("li")).ToContainTextAsync(["web1: agent_start", "web1: no batches"]);
        Assert.Empty(console.Faults);
    }
}
