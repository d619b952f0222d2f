using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Pages as axe sees them: no finding, and nothing wider than the window.</summary>
internal static class AxeCheck
{
    // What passes is not listed: that takes as long as finding what does not.
    private static readonly AxeRunOptions Violations = new() { ResultTypes = [ResultType.Violations] };

    /// <summary>Goes to each page, waits for what shows that it is drawn, does what is to be done there, and checks every look.</summary>
    public static async Task CheckPagesAsync(ConsolePage console, IEnumerable<(string Name, string Path, string Awaited)> pages, Func<string, Task> prepare)
    {
        foreach (var (name, path, awaited) in pages)
        {
            await console.Page.GotoAsync(path + Hosts.HistoryRange);
            await Expect(console.Page.Locator(awaited).First).ToBeVisibleAsync();
            await prepare(name);
            await CheckLooksAsync(console, name);
        }
    }

    /// <summary>Light and dark, on a phone and a desk.</summary>
    public static async Task CheckLooksAsync(ConsolePage console, string name)
    {
        foreach (var (scheme, width) in ((ColorScheme, int)[])[(ColorScheme.Light, 360), (ColorScheme.Dark, 360), (ColorScheme.Dark, 1280), (ColorScheme.Light, 1280)])
        {
            await console.Page.SetViewportSizeAsync(width, 800);
            await console.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            await CheckAsync(console, $"{name}-{scheme}-{width}");
        }
    }

    /// <summary>One look.</summary>
    public static async Task CheckAsync(ConsolePage console, string name)
    {
        if (Environment.GetEnvironmentVariable("LM_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await console.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }

        var found = await console.Page.RunAxe(Violations);
        Assert.True(found.Violations.Length == 0, string.Join("\n", found.Violations.Select(violation => $"{name}: {violation.Id}: {violation.Help}: {violation.Nodes[0].Html}")));
        var overflow = await console.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.Equal(0, overflow);
    }
}
