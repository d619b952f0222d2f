using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class ExplorePageTests(Chromium chromium)
{
    [Fact]
    public async Task A_query_typed_with_completion_gives_the_apis_numbers_and_an_address_that_gives_them_again()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "explore?tab=table&" + Hosts.HistoryRange);
        await console.SignInAsync();
        var editor = console.Page.GetByRole(AriaRole.Textbox, new PageGetByRoleOptions { Name = "Query A" });
        await Expect(console.Page.Locator(".cm-content")).ToBeVisibleAsync();

        await editor.ClickAsync();
        await console.Page.Keyboard.TypeAsync("node_loa");
        await Expect(console.Page.Locator(".cm-tooltip-autocomplete")).ToContainTextAsync("node_load15");
        await console.Page.Keyboard.TypeAsync("d15");
        await console.Page.Keyboard.PressAsync("Escape");
        await console.Page.Keyboard.PressAsync("Control+Enter");

        var answer = await listener.GetJsonAsync($"/api/v1/query?query=node_load15&time={Hosts.HistoryEnd / 1000}");
        var value = answer.GetProperty("result")[0].GetProperty("value")[1].GetString()!;
        var row = console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "node_load15" });
        await Expect(row.GetByRole(AriaRole.Cell).Last).ToHaveTextAsync(value);
        Assert.Empty(console.Faults);

        await using var other = await ConsolePage.OpenAsync(chromium.Browser, listener, new Uri(console.Page.Url).PathAndQuery[1..]);
        await other.SignInAsync();
        await Expect(other.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "node_load15" }).GetByRole(AriaRole.Cell).Last).ToHaveTextAsync(value);
        Assert.Empty(other.Faults);
    }

    [Fact]
    public async Task Several_queries_are_drawn_together_and_a_bad_one_says_where_it_is_wrong_and_leaves_the_others()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "explore?q=node_load1&q=node_load5&q=sum(&" + Hosts.HistoryRange);
        await console.SignInAsync();

        await Expect(console.Page.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "parse error" })).ToContainTextAsync("C: bad_data");
        var legend = console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Legend" });
        await Expect(legend.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["A: node_load1", "B: node_load5"]);
        await Expect(console.Page.Locator(".u-wrap canvas")).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Query B shown" }).ClickAsync();
        await Expect(legend.GetByRole(AriaRole.Rowheader)).ToHaveCountAsync(1);
        await console.Page.GetByRole(AriaRole.Tab, new PageGetByRoleOptions { Name = "JSON" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "JSON" })).ToContainTextAsync("\"resultType\": \"matrix\"");
        Assert.DoesNotContain(console.Faults, fault => !fault.Contains("400", StringComparison.Ordinal)); // the browser notes the refused query
    }

    [Fact]
    public async Task The_editor_is_loaded_only_where_a_query_is_edited()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");
        Assert.DoesNotContain(console.Requests, request => request.Url.Contains("editor", StringComparison.Ordinal));

        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Explore" }).ClickAsync();

        await Expect(console.Page.Locator(".cm-content")).ToBeVisibleAsync();
        Assert.Contains(console.Requests, request => request.Url.Contains("editor", StringComparison.Ordinal));
        Assert.Empty(console.Faults);
    }
}
