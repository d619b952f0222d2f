using Lm.Collector.Tests.Query;
using Microsoft.Playwright;

namespace Lm.Console.Tests;

// Apart from the other pages: classes run beside each other, and these take long.
public sealed class DashboardAccessibilityTests(Chromium chromium)
{
    [Fact]
    public async Task Dashboards_and_administration_have_no_finding_of_axe_and_fit_the_width_in_every_look()
    {
        await using var listener = await PrivateListener.StartAsync();
        Hosts.FeedHistory(listener);
        Hosts.Feed(listener);
        var mine = (await listener.GetJsonAsync("/api/v1/dashboards/fleet")).GetProperty("toml").GetString()!.Replace("id = \"fleet\"", "id = \"mine\"", StringComparison.Ordinal);
        using (var saved = await listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/mine", content: new StringContent(mine, new System.Net.Http.Headers.MediaTypeHeaderValue("application/toml"))))
        {
            Assert.True(saved.IsSuccessStatusCode);
        }

        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "dashboards");
        await Assertions.Expect(console.Page.Locator("main th a").First).ToBeVisibleAsync();
        await AxeCheck.CheckPagesAsync(
            console,
            [
                ("dashboards", "dashboards?", "main th a"),
                ("dashboard", "d/host?var-host=web1&", "[data-value]"),
                ("dashboard-logs", "d/logs?", ".choose"),
                ("dashboard-edit", "d/mine?edit=1&selected=down&", ".panel-form"),
                ("dashboard-none", "d/none?", "main .fault"),
                ("admin-agents", "admin/agents?", "main td"),
                ("admin-landing", "admin/landing?", "main .empty"),
                ("admin-retention", "admin/retention?", "main td"),
                ("admin-config", "admin/config?", "main thead"),
                ("admin-sessions", "admin/sessions?", "main td"),
            ]);
    }
}
