using System.Globalization;
using Lm.EndToEnd.Tests;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Nothing but the collector can be reached: browser, collector and agent in a network namespace that has loopback alone.</summary>
public sealed class OfflineTests(Chromium chromium)
{
    [Fact]
    public async Task Without_any_network_but_loopback_every_page_works()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "a network namespace needs root");
        _ = chromium.Browser; // skips where there is none
        await using var fleet = new Fleet();
        var network = fleet.Start("/usr/bin/unshare", "--net", "/bin/sh", "-c", $"ip link set lo up && exec {Programs.Collector} {fleet.ServerToml}");
        var inside = $"nsenter --net=/proc/{network.Id}/ns/net";
        await Eventually.TrueAsync(
            "the collector answers in its namespace",
            async () => (await RunningProgram.RunAsync("/bin/sh", "-c", string.Create(CultureInfo.InvariantCulture, $"{inside} /bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/{fleet.QueryPort}'"))).ExitCode == 0,
            () => network.HasEnded ? $"it ended: {network.Output}" : null);
        var (code, said) = await RunningProgram.RunAsync("/bin/sh", "-c", $"{inside} ip -o route; {inside} ip -o link");
        Assert.True(code == 0 && said.Split('\n', StringSplitOptions.RemoveEmptyEntries).All(line => line.Contains(" lo:", StringComparison.Ordinal)), said);
        _ = fleet.Start("/bin/sh", "-c", $"exec {inside} {Programs.Agent} --daemon {fleet.AgentToml}");

        // A browser of its own, in there: Playwright talks to it over pipes.
        fleet.Write("chromium", $"#!/bin/sh\nexec {inside} /usr/bin/chromium \"$@\"\n");
        File.SetUnixFileMode(fleet.In("chromium"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var browser = await chromium.LaunchAsync(fleet.In("chromium"));
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{fleet.QueryPort}/"));
        await using var console = await ConsolePage.OpenAsync(browser, address, "login");
        await console.SignInAsync(fleet.QueryToken);
        await Expect(console.Page.GetByText("1 agent: 1 up")).ToBeVisibleAsync();
        foreach (var (path, shown) in ((string, string)[])
            [
                ("hosts/" + Fleet.AgentId, ".legend td"), ("dashboards", "th a"), ("d/fleet", ".dash figure"), ("explore?q=lmagent_up", ".legend td"), ("explore", ".cm-content"),
                ("logs", "main .empty, .line"), ("events", "main .empty, .line"), ("admin/agents", "td"), ("admin/about", "p"),
            ])
        {
            await console.Page.GotoAsync(path);
            await Expect(console.Page.Locator(shown).First).ToBeVisibleAsync();
        }

        Assert.Empty(console.Faults);
    }
}
