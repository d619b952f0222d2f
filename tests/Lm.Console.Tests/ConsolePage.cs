using Lm.Collector.Tests.Query;
using Microsoft.Playwright;

namespace Lm.Console.Tests;

/// <summary>A page of the console in a fresh browser context that notes everything that may not happen: errors, reports of the content security
/// policy, requests to elsewhere.</summary>
internal sealed class ConsolePage : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly Uri address;

    private ConsolePage(IBrowserContext context, IPage page, Uri address)
    {
        (this.context, this.address) = (context, address);
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                Faults.Add($"console {message.Type}: {message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => Faults.Add("page error: " + error);
        page.Request += (_, request) =>
        {
            Requests.Add(request);
            if (!request.Url.StartsWith(address.ToString(), StringComparison.Ordinal))
            {
                Faults.Add("foreign request: " + request.Url);
            }
        };
    }

    public IPage Page { get; }

    public List<string> Faults { get; } = [];

    public List<IRequest> Requests { get; } = [];

    public static Task<ConsolePage> OpenAsync(IBrowser browser, PrivateListener listener, string path = "") => OpenAsync(browser, listener.Address, path);

    public static async Task<ConsolePage> OpenAsync(IBrowser browser, Uri address, string path, bool hasTouch = false)
    {
        var page = await NewAsync(browser, address, hasTouch);
        await page.Page.GotoAsync(path);
        return page;
    }

    /// <summary>Opens a page as somebody who has signed in before: without the form, which has tests of its own.</summary>
    public static async Task<ConsolePage> OpenSignedInAsync(IBrowser browser, PrivateListener listener, string path = "")
    {
        var page = await NewAsync(browser, listener.Address, hasTouch: false);
        var answer = await page.context.APIRequest.PostAsync("api/v1/session", new APIRequestContextOptions
        {
            Headers = new Dictionary<string, string> { ["Authorization"] = "Bearer " + PrivateListener.Token, ["Content-Type"] = "application/json" },
            Data = "{}",
        });
        Assert.True(answer.Ok, await answer.TextAsync());
        await page.Page.GotoAsync(path);
        return page;
    }

    private static async Task<ConsolePage> NewAsync(IBrowser browser, Uri address, bool hasTouch)
    {
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address.ToString(),
            ColorScheme = ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
            HasTouch = hasTouch,
        });
        context.SetDefaultTimeout(20_000);
        return new ConsolePage(context, await context.NewPageAsync(), address);
    }

    /// <summary>Another tab of the same browser; it goes with this one.</summary>
    public async Task<ConsolePage> OpenTabAsync(string path)
    {
        var page = new ConsolePage(context, await context.NewPageAsync(), address);
        await page.Page.GotoAsync(path);
        return page;
    }

    /// <summary>Signs in, and returns when the page that was asked for has taken the form's place: going elsewhere before would cut that short.</summary>
    public async Task SignInAsync(string token = PrivateListener.Token)
    {
        await TrySignInAsync(token);
        await Assertions.Expect(Page.GetByLabel("Query token")).ToBeHiddenAsync();
    }

    /// <summary>Sends the form with a token that may be refused.</summary>
    public async Task TrySignInAsync(string token)
    {
        await Page.GetByLabel("Query token").FillAsync(token);
        await Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();
    }

    /// <summary>Keeps a picture of the page in the folder that LM_SCREENSHOTS names, where it names one.</summary>
    public async Task ScreenshotAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("LM_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name + ".png"), FullPage = true });
        }
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
