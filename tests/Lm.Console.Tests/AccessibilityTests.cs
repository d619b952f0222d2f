using Deque.AxeCore.Playwright;
using Lm.Collector.Tests.Query;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class AccessibilityTests(Chromium chromium) : IClassFixture<Chromium>
{
    public static TheoryData<ColorScheme, int> Looks => new()
    {
        { ColorScheme.Light, 360 }, { ColorScheme.Light, 1280 }, { ColorScheme.Dark, 360 }, { ColorScheme.Dark, 1280 },
    };

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task Sign_in_and_agents_have_no_finding_of_axe_and_fit_the_width(ColorScheme scheme, int width)
    {
        await using var listener = await PrivateListener.StartAsync();

        // Axe puts its script into the page, which the policy rightly stops; every other test runs under the policy.
        await using var console = await ConsolePage.OpenAsync(chromium.Browser, listener, "login?ended=1", scheme, width, bypassPolicy: true);
        await Expect(console.Page.GetByText("Your session has ended")).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Button).ClickAsync(); // empty: shows the fault line, too
        await CheckAsync(console, $"sign-in-{scheme}-{width}");

        await console.SignInAsync();
        await Expect(console.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = "No agent has sent anything yet" })).ToBeVisibleAsync();
        await CheckAsync(console, $"empty-{scheme}-{width}");

        Hosts.Feed(listener);
        listener.Expected.Add("db3");
        listener.Ready = new Lm.Collector.Listeners.ReadinessReport(true, ["clock_suspect: the clock of 1 agent differs from the collector's by more than max_future_seconds"]);
        listener.Report(new Lm.Collector.Agents.AgentReport
        {
            AgentId = "web1",
            ReceivedAt = new Lm.Platform.UnixMillis(1_767_323_045_000),
            SentAt = new Lm.Platform.UnixMillis(1_767_319_445_000),
        });
        Hosts.FeedSilent(listener, "db1", 45);
        Hosts.FeedSilent(listener, "db2", 90_000);
        await console.Page.ReloadAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToHaveCountAsync(4);
        await CheckAsync(console, $"agents-{scheme}-{width}");
    }

    private static async Task CheckAsync(ConsolePage console, string name)
    {
        if (Environment.GetEnvironmentVariable("LM_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await console.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }

        var found = await console.Page.RunAxe();
        Assert.True(found.Violations.Length == 0, string.Join("\n", found.Violations.Select(violation => $"{name}: {violation.Id}: {violation.Help}: {violation.Nodes[0].Html}")));
        var overflow = await console.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.Equal(0, overflow);
    }
}
