using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

/// <summary>Pages as axe sees them: no finding, and nothing wider than the window.</summary>
/// <remarks>Axe is put into each document once and run there. Its own binding opens a blank page and loads it anew for each look, which takes longer than looking.</remarks>
internal static class AxeCheck
{
    private static readonly (ColorScheme Scheme, int Width)[] Looks = [(ColorScheme.Light, 360), (ColorScheme.Dark, 360), (ColorScheme.Dark, 1280), (ColorScheme.Light, 1280)];

    private static readonly string Script = new BundledAxeScriptProvider().GetScript();

    // Dark changes colours and nothing else (light-dark() in style.css), so there the rules about colours are run.
    private const string Run = """
        async (isDark) => (await axe.run(document, { resultTypes: ['violations'], ...(isDark ? { runOnly: ['color-contrast', 'link-in-text-block'] } : {}) }))
          .violations.map((found) => `${found.id}: ${found.help}: ${found.nodes[0].html}`)
        """;

    /// <summary>Goes to each page, waits for what shows that it is drawn, does what is to be done there, and checks every look.</summary>
    public static async Task CheckPagesAsync(ConsolePage console, IEnumerable<(string Name, string Path, string Awaited)> pages, Func<string, Task>? prepare = null)
    {
        foreach (var (name, path, awaited) in pages)
        {
            await console.Page.GotoAsync(path + Hosts.HistoryRange);
            await Expect(console.Page.Locator(awaited).First).ToBeVisibleAsync();
            await (prepare?.Invoke(name) ?? Task.CompletedTask);
            await CheckLooksAsync(console, name);
        }
    }

    /// <summary>Light and dark, on a phone and a desk.</summary>
    public static async Task CheckLooksAsync(ConsolePage console, string name)
    {
        foreach (var (scheme, width) in Looks)
        {
            await console.Page.SetViewportSizeAsync(width, 800);
            await console.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            await CheckAsync(console, name, scheme, width);
        }

        // What one sees at 1,280 pixels enlarged twice and four times, and the narrowest window that is no phone's.
        foreach (var width in (int[])[640, 720, 320])
        {
            await console.Page.SetViewportSizeAsync(width, 800);
            await AssertFitsAsync(console, name);
        }
    }

    private static async Task CheckAsync(ConsolePage console, string name, ColorScheme scheme, int width)
    {
        // Light, dark and phone: the fourth look shows nothing that they do not.
        if (scheme == ColorScheme.Light || width == 1280)
        {
            await console.ScreenshotAsync($"{name}-{(width == 360 ? "phone" : scheme == ColorScheme.Dark ? "dark" : "light")}");
        }

        if (!await console.Page.EvaluateAsync<bool>("() => 'axe' in window"))
        {
            await console.Page.EvaluateAsync(Script + "; null");
        }

        var found = await console.Page.EvaluateAsync<string[]>(Run, scheme == ColorScheme.Dark);
        Assert.True(found.Length == 0, string.Join("\n", found.Select(violation => $"{name}, {scheme}, {width}: {violation}")));
        await AssertFitsAsync(console, name);
    }

    // Tables that are wider scroll in a region of their own.
    private static async Task AssertFitsAsync(ConsolePage console, string name)
    {
        var overflow = await console.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(overflow == 0, $"{name} is {overflow} pixels wider than the window of {console.Page.ViewportSize?.Width}");
    }
}
