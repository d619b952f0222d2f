using Lm.Collector.Tests.Query;
using Microsoft.Playwright;

namespace Lm.Console.Tests;

/// <summary>A page of the console in a fresh browser context that notes everything that may not happen: errors, reports of the content security
/// policy, requests to elsewhere.</summary>
internal sealed class ConsolePage : IAsyncDisposable
{
    private readonly IBrowserContext context;

    private ConsolePage(IBrowserContext context, IPage page, PrivateListener listener)
    {
        this.context = context;
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
            if (!request.Url.StartsWith(listener.Address.ToString(), StringComparison.Ordinal))
            {
                Faults.Add("foreign request: " + request.Url);
            }
        };
    }

    public IPage Page { get; }

    public List<string> Faults { get; } = [];

    public List<IRequest> Requests { get; } = [];

    public static async Task<ConsolePage> OpenAsync(
        IBrowser browser, PrivateListener listener, string path = "", ColorScheme scheme = ColorScheme.Light, int width = 1280, bool bypassPolicy = false)
    {
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = listener.Address.ToString(),
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
            BypassCSP = bypassPolicy,
        });
        context.SetDefaultTimeout(20_000);
        var page = new ConsolePage(context, await context.NewPageAsync(), listener);
        await page.Page.GotoAsync(path);
        return page;
    }

    public async Task SignInAsync(string token = PrivateListener.Token)
    {
        await Page.GetByLabel("Query token").FillAsync(token);
        await Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign in" }).ClickAsync();
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
