using Lm.Collector.Agents;
using Lm.Collector.Settings;
using Lm.Collector.Tests.Query;
using Lm.Collector.Tests.Series;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class OverviewPageTests(Chromium chromium)
{
    [Fact]
    public async Task Signing_in_shows_the_agents_with_their_state_sequences_and_values()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);

        await console.SignInAsync();

        var row = console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "web1" });
        await Expect(row).ToContainTextAsync("up");
        await Expect(row.GetByRole(AriaRole.Cell)).ToContainTextAsync(["up", "ago", "25 %", "75 %", "60 %", "200 B/s / 100 B/s", "0.75", "1,2342 gaps (3 awaited)", "58 dropped"]);
        await Expect(console.Page.GetByText("1 agent: 1 up")).ToBeVisibleAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task The_token_is_sent_once_and_kept_nowhere()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeVisibleAsync();

        var kept = await console.Page.EvaluateAsync<string>(
            "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, document.documentElement.outerHTML, history.length])");
        Assert.DoesNotContain(PrivateListener.Token, kept, StringComparison.Ordinal);
        Assert.DoesNotContain("lm-session", kept, StringComparison.Ordinal); // HttpOnly: scripts do not see it
        var carriers = new List<string>();
        foreach (var request in console.Requests)
        {
            var headers = await request.AllHeadersAsync();
            if (request.Url.Contains(PrivateListener.Token, StringComparison.Ordinal) || headers.Values.Any(value => value.Contains(PrivateListener.Token, StringComparison.Ordinal)))
            {
                carriers.Add(request.Method + " " + new Uri(request.Url).PathAndQuery);
            }
        }

        Assert.Equal(["POST /api/v1/session"], carriers);
        var cookie = Assert.Single(await console.Page.Context.CookiesAsync());
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_wrong_token_says_so_and_lets_one_try_again()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);

        await console.TrySignInAsync("wrong");
        await Expect(console.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Not signed in: this is not the query token.");
        await Expect(console.Page.GetByLabel("Query token")).ToBeFocusedAsync();
        await console.TrySignInAsync("not a token ä");
        await Expect(console.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("A token has no spaces and only plain characters.");
        await console.SignInAsync();

        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Overview", Exact = true })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_new_agent_appears_and_an_ended_session_leads_back_to_sign_in()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeVisibleAsync();

        Hosts.Feed(listener);
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");

        listener.Settings = listener.Settings with { Token = new Secret("another") };
        Hosts.Feed(listener); // the live stream tells of it, and the page asks
        await Expect(console.Page.GetByText("Your session has ended")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_agent_that_never_called_a_wrong_clock_and_the_collectors_notices_are_shown()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Expected.Add("web9");
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?next=%3Frefresh%3D1s");
        await console.SignInAsync();
        var unseen = console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "web9" });
        await Expect(unseen.GetByRole(AriaRole.Cell)).ToContainTextAsync(["never seen", "—", "—"]);
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeVisibleAsync();

        listener.Ready = new Lm.Collector.Listeners.ReadinessReport(true, ["clock_suspect: the clock of 1 agent differs"]);
        listener.Report(new AgentReport { AgentId = "web9", ReceivedAt = new UnixMillis(1_767_323_045_000), SentAt = new UnixMillis(1_767_323_045_000 + 3_720_000) });

        await Expect(unseen.GetByRole(AriaRole.Cell)).ToContainTextAsync(["no data yetclock 1 h 2 min ahead", "ago"]);
        await Expect(console.Page.GetByText("clock_suspect: the clock of 1 agent differs")).ToBeVisibleAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeHiddenAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task A_collector_that_fails_leaves_the_old_values_and_says_so_until_it_is_back()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?next=%3Frefresh%3D1s");
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");

        await console.Page.RouteAsync("**/api/v1/agents", route => route.AbortAsync());
        await Expect(console.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("No new data: the collector cannot be reached. What you see is from the last answer; trying again.");
        await Expect(console.Page.Locator("table.old")).ToBeVisibleAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");

        await console.Page.UnrouteAllAsync();
        await Expect(console.Page.GetByRole(AriaRole.Alert)).ToBeEmptyAsync();
        await Expect(console.Page.Locator("table.old")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Signing_out_ends_the_session()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);
        await console.SignInAsync();
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();

        await Expect(console.Page.GetByLabel("Query token")).ToBeVisibleAsync();
        Assert.Empty(await console.Page.Context.CookiesAsync());
        await console.Page.GotoAsync("");
        await Expect(console.Page.GetByLabel("Query token")).ToBeVisibleAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Names_from_outside_are_text_never_markup()
    {
        await using var listener = await PrivateListener.StartAsync();
        const string name = "<img src=x onerror=alert(1)>";
        listener.Report(new AgentReport { AgentId = name, ReceivedAt = new UnixMillis(0), UserAgent = "lm-agent/<b>1</b>", Accepted = 1 });
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);
        await console.SignInAsync();

        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(name);
        Assert.Equal(0, await console.Page.Locator("tbody img, tbody b").CountAsync());
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task The_page_works_under_a_base_path()
    {
        await using var listener = await PrivateListener.StartAsync(new ManualTime(), settings => settings with { BasePath = "/lm/" });
        Hosts.Feed(listener);
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "lm/");
        await console.SignInAsync();

        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync("web1");
        Assert.Equal("/lm/", Assert.Single(await console.Page.Context.CookiesAsync()).Path);
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Dashboards" }).ClickAsync();
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Fleet" }).ClickAsync();
        await Expect(console.Page).ToHaveURLAsync(new Uri(listener.Address, "lm/d/fleet").ToString());
        await console.Page.ReloadAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "Fleet", Level = 1 })).ToBeVisibleAsync();
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Of_many_hosts_only_those_in_sight_are_in_the_document_and_all_are_found_sorted_and_counted()
    {
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < 1000; i++)
        {
            Hosts.FeedSilent(listener, $"host-{i:000}", i % 3 == 0 ? 45 : 90_000);
        }

        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener);
        await console.SignInAsync();
        await Expect(console.Page.GetByText("1000 agents: 334 late, 666 down")).ToBeVisibleAsync();
        await Expect(console.Page.GetByRole(AriaRole.Table)).ToHaveAttributeAsync("aria-rowcount", "1001");
        Assert.InRange(await console.Page.GetByRole(AriaRole.Rowheader).CountAsync(), 5, 60);
        await console.Page.EvaluateAsync("() => window.scrollTo(0, document.documentElement.scrollHeight)");
        await Expect(console.Page.GetByRole(AriaRole.Rowheader).Last).ToContainTextAsync("host-999");
        Assert.InRange(await console.Page.EvaluateAsync<int>("() => document.querySelectorAll('*').length"), 1, 3000);

        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Host" }).ClickAsync();
        await console.Page.EvaluateAsync("() => window.scrollTo(0, 0)");
        await Expect(console.Page.GetByRole(AriaRole.Rowheader).First).ToContainTextAsync("host-999");
        await console.Page.GetByLabel("Filter hosts").FillAsync("host-04");
        await console.Page.GetByLabel("State", new PageGetByLabelOptions { Exact = true }).And(console.Page.Locator("select")).SelectOptionAsync("late");
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["host-048", "host-045", "host-042"]);
        await console.Page.ReloadAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["host-048", "host-045", "host-042"]);
        var download = await console.Page.RunAndWaitForDownloadAsync(() => console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "CSV" }).ClickAsync());
        var rows = (await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken)).Split("\r\n");
        Assert.Equal(5, rows.Length); // a header, three hosts, the end
        Assert.StartsWith("host-048,late,", rows[1], StringComparison.Ordinal);
        Assert.Empty(console.Faults);
    }

    [Fact]
    public async Task Hosts_are_grouped_by_a_label_of_theirs_under_their_worst_state()
    {
        await using var listener = await PrivateListener.StartAsync();
        foreach (var (host, site, silent) in ((string, string, int)[])[("web1", "lab", 0), ("web2", "lab", 90), ("db1", "hall", 0), ("db2", "hall", 0)])
        {
            var time = 1_767_323_045_000 - (silent * 1000);
            listener.Feed(new BatchMaker(host) { CommonLabels = [new Label("site", site)] }.With("lmagent_up", 1, time).Make(time, isReplay: true));
        }

        Hosts.FeedSilent(listener, "pi1", 0); // it has no label
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login");
        await console.Page.Clock.SetFixedTimeAsync(DateTimeOffset.FromUnixTimeMilliseconds(1_767_323_045_000).UtcDateTime);
        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToHaveCountAsync(5);
        await console.Page.GetByLabel("Group by").SelectOptionAsync("site");

        var groups = console.Page.Locator("section.group");
        await Expect(groups.Locator("h2")).ToHaveTextAsync(["▾ site=lab (2)■ down · 1 down, 1 up", "▾ no site (1)● up", "▾ site=hall (2)● up"]);
        await Expect(groups.Nth(0).GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["web1", "web2"]);
        await groups.Nth(0).GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "site=lab" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["pi1", "db1", "db2"]);
        await console.Page.ReloadAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["pi1", "db1", "db2"]);
        await console.Page.GetByLabel("Filter hosts").FillAsync("site=hall 2");
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["db2"]);
        await Expect(groups).ToHaveCountAsync(1);
        Assert.Empty(console.Faults);
    }
}
