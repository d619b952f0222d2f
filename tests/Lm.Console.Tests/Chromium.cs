using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Lm.Console.Tests.Chromium))]

namespace Lm.Console.Tests;

/// <summary>Debian's Chromium, started once for all tests; never a downloaded one.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";

    private IPlaywright? playwright;

    /// <summary>The browser; a test that asks for it is skipped where there is none.</summary>
    public IBrowser Browser
    {
        get
        {
            Assert.SkipWhen(browser is null, $"{Program} is missing: apt-get install chromium (scripts/test.sh does)");
            return browser;
        }
    }

    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program))
        {
            return;
        }

        // The page asks every five seconds, and the machine may be busy.
        Assertions.SetDefaultExpectTimeout(30_000);
        playwright = await Playwright.CreateAsync();
        browser = await LaunchAsync(Program);
    }

    /// <summary>Starts another one.</summary>
    /// <param name="program">Chromium, or a script that starts it.</param>
    public Task<IBrowser> LaunchAsync(string program) => playwright!.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
    {
        ExecutablePath = program,
        Headless = true,
        Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
    });

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
    }
}
