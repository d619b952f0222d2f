using Lm.Collector.Landing;
using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Query;
using Lm.Journal;
using Lm.Platform;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Lm.Console.Tests;

public sealed class AdminPageTests(Chromium chromium)
{
    [Fact]
    public async Task Landing_retention_configuration_and_sessions_show_what_the_api_says_as_text()
    {
        await using var listener = await PrivateListener.StartAsync();
        await using var console = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "admin/landing?refresh=1s");
        await Expect(console.Page.GetByText("There is no [object_store]")).ToBeVisibleAsync();
        listener.Landing = new LandingStatus
        {
            Store = "bucket <b>b</b>",
            Trouble = "<img src=x> 503",
            IsHalted = false,
            LastLanded = null,
            LogFiles = 0,
            LogFilesWaiting = 0,
            PendingBytes = 2048,
            OldestWaiting = new UnixMillis(1_767_323_045_000 - 60_000),
            Landed = new JournalPosition(1, 2),
            Objects = 7,
            ObjectBytes = 1024,
            Blocks = 3,
            BlockBytes = 4096,
            BlocksWaiting = 0,
            Covered = new JournalPosition(1, 0),
            ObjectsCovered = 5,
        };
        await Expect(console.Page.Locator("main")).ToContainTextAsync("failing, tried again by itself · bucket <b>b</b>");
        await Expect(console.Page.Locator("main")).ToContainTextAsync("<img src=x> 503");
        await Expect(console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "Waits to land" })).ToContainTextAsync("2.00 KiB");
        await Expect(console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "Oldest that waits" })).ToContainTextAsync("1 min 0 s ago");

        await Expect(console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "Blocks since the start" })).ToContainTextAsync("3, 4.00 KiB; 0 wait");

        // A log that collectors share: how far each step of it is.
        listener.Landing = null;
        listener.SharedLog = new SharedLogStatus
        {
            Store = "bucket shared",
            Trouble = "nobody <b>commits</b>",
            Last = 1234,
            LastAt = new UnixMillis(1_767_323_045_000 - 2000),
            Applied = 1234,
            Covered = 1200,
            Filed = 1100,
            Published = 1000,
            OpenBytes = 4096,
            Parts = 3,
            Builder = "<i>east</i>",
            Missing = [(7, 7), (9, 12)],
        };
        await Expect(console.Page.Locator("main")).ToContainTextAsync("nobody <b>commits</b>");
        await Expect(Row(console, "Last commit")).ToContainTextAsync("1,234, 2 s ago");
        await Expect(Row(console, "Collector that built last")).ToContainTextAsync("<i>east</i>");
        await Expect(Row(console, "Not on this disk")).ToContainTextAsync("commit 7, commits 9 to 12: queries find them in the store");
        foreach (var (step, cells) in ((string, string[])[])[("Copied", ["1,234", "0"]), ("Gathered", ["1,200", "34", "in 3 objects of many commits; 4.00 KiB are not yet"]), ("Filed", ["1,100", "134"]), ("Published", ["1,000", "234"])])
        {
            await Expect(Row(console, step).GetByRole(AriaRole.Cell)).ToContainTextAsync(cells);
        }

        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Retention" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToContainTextAsync(["spool", "head", "blocks", "log files", "changes"]);
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Configuration" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Region, new PageGetByRoleOptions { Name = "Settings" })).ToBeVisibleAsync();

        await using var other = await ConsolePage.OpenSignedInAsync(chromium.Browser, listener, "?refresh=1s");
        await Expect(other.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Level = 1 })).ToBeVisibleAsync();
        await console.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Sessions" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { HasText = "this browser" })).ToContainTextAsync("127.0.0.1");
        await console.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "End session 2" }).ClickAsync();
        await Expect(console.Page.GetByRole(AriaRole.Rowheader)).ToHaveTextAsync(["1"]);
        await Expect(other.Page.GetByText("Your session has ended")).ToBeVisibleAsync();
        Assert.Equal(0, await console.Page.Locator("main img, main b, main i").CountAsync());
        Assert.Empty(console.Faults);
    }

    private static ILocator Row(ConsolePage console, string name) => console.Page.GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { Has = console.Page.GetByRole(AriaRole.Rowheader, new PageGetByRoleOptions { Name = name, Exact = true }) });
}
