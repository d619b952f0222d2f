using System.Diagnostics;
using System.Globalization;
using Lm.Agent.Events;
using Lm.Agent.Settings;
using Lm.Agent.Tests.LogTail;
using Lm.Platform.Files;

namespace Lm.Agent.Tests.Events;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class FileWatchTests : IAsyncDisposable
{
    private readonly EventBench bench = new();

    public ValueTask DisposeAsync() => bench.DisposeAsync();

    [Fact]
    public async Task Changes_of_a_directory_are_events_with_watch_and_path()
    {
        await StartAsync(new WatchSettings("w", bench.Folder));
        bench.Tails.Write("a", "1");
        File.SetUnixFileMode(bench.Tails.At("a"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        bench.Tails.Rename("a", "b");
        File.Delete(bench.Tails.At("b"));

        var events = await bench.UntilAsync("file_deleted");

        Assert.Equal(["file_created a", "file_modified a", "file_attributes a", "file_moved b", "file_deleted b"], events.Select(Show));
        Assert.Equal($"{bench.Tails.At("b")} was moved here from {bench.Tails.At("a")}", events[3].Body);
        Assert.Equal(
            new Dictionary<string, string> { ["input"] = "events", ["event"] = "file_created", ["watch"] = "w", ["path"] = bench.Tails.At("a") }, events[0].Attributes);
    }

    [Fact]
    public async Task Directories_that_come_move_and_go_are_followed_with_what_is_in_them()
    {
        Directory.CreateDirectory(bench.Tails.At("old/deep"));
        await StartAsync(new WatchSettings("w", bench.Folder), directories: 3);
        Directory.CreateDirectory(bench.Tails.At("new/within"));
        bench.Tails.Write("new/within/f", "1");
        var events = await bench.UntilAsync("file_created", 3);
        Assert.Equal(["file_created new", "file_created new/within", "file_created new/within/f"], events.Where(IsCreated).Select(Show).Distinct());

        Directory.Move(bench.Tails.At("old"), bench.Tails.At("renamed"));
        await bench.UntilAsync("file_moved");
        bench.Tails.Write("renamed/deep/g", "1");
        Assert.Contains("file_created renamed/deep/g", (await bench.UntilAsync("file_created")).Select(Show));

        var elsewhere = Directory.CreateTempSubdirectory("lm-elsewhere-");
        Directory.Move(bench.Tails.At("renamed"), Path.Combine(elsewhere.FullName, "gone"));
        events = await bench.UntilAsync("file_moved");
        Assert.EndsWith("renamed was moved out of what is watched", events.Single(line => line.Attributes["event"] == "file_moved").Body, StringComparison.Ordinal);
        elsewhere.Delete(recursive: true);
        bench.Tails.Write("last", "1");
        Assert.Equal(["file_created last", "file_modified last"], (await bench.UntilAsync("file_modified")).Select(Show));
        Assert.Equal(3, bench.Source.Watches!.DirectoryCount); // the directory itself, new, new/within
    }

    [Fact]
    public async Task Without_recursion_a_directory_is_an_entry_like_any_other()
    {
        Directory.CreateDirectory(bench.Tails.At("sub"));
        await StartAsync(new WatchSettings("w", bench.Folder) { IsRecursive = false });
        bench.Tails.Write("sub/within", "1");
        bench.Tails.Write("here", "");

        Assert.Equal(["file_created here"], (await bench.UntilAsync("file_created")).Where(IsCreated).Select(Show));
        Assert.Equal(1, bench.Source.Watches!.DirectoryCount);
    }

    [Fact]
    public async Task Kinds_and_patterns_choose_what_is_told_and_what_is_looked_into()
    {
        Directory.CreateDirectory(bench.Tails.At("cache/deep"));
        Directory.CreateDirectory(bench.Tails.At("conf"));
        await StartAsync(
            new WatchSettings("w", bench.Folder)
            {
                Kinds = FileChangeKinds.Modified | FileChangeKinds.Deleted,
                Include = [new PathPattern("*.conf"), new PathPattern("end")],
                Exclude = [new PathPattern("cache"), new PathPattern("conf/no.*")],
            }, directories: 2);
        foreach (var name in new[] { "cache/a.conf", "conf/a.conf", "conf/no.conf", "conf/a.txt", "end" })
        {
            bench.Tails.Write(name, "1");
        }

        File.Delete(bench.Tails.At("end"));

        Assert.Equal(["file_modified conf/a.conf", "file_modified end", "file_deleted end"], (await bench.UntilAsync("file_deleted")).Select(Show));
    }

    [Fact]
    public async Task Symbolic_links_are_told_and_not_followed()
    {
        var elsewhere = Directory.CreateTempSubdirectory("lm-elsewhere-");
        await StartAsync(new WatchSettings("w", bench.Folder));
        Directory.CreateSymbolicLink(bench.Tails.At("link"), elsewhere.FullName);
        var events = await bench.UntilAsync("file_created");
        await bench.EventsAsync();

        Assert.Equal(["file_created link"], events.Select(Show));
        Assert.Equal(1, bench.Source.Watches!.DirectoryCount);
        elsewhere.Delete();
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_told_and_watched_when_it_comes_and_when_it_comes_back()
    {
        var path = bench.Tails.At("later");
        await bench.Tails.StartAsync();
        Apply(new WatchSettings("w", path));
        await bench.UntilAsync("watch_failed");
        for (var i = 0; i < 2; i++)
        {
            Directory.CreateDirectory(path);
            await bench.UntilAsync("watch_resumed", seconds: 11);
            bench.Tails.Write("later/x", "1");
            Assert.Contains("file_created later/x", (await bench.UntilAsync("file_created", seconds: 11)).Select(Show));
            Directory.Delete(path, recursive: true);
            await bench.UntilAsync("watch_failed", seconds: 11);
        }
    }

    [Fact]
    public void The_queue_of_the_agent_is_not_looked_into_by_whatever_path()
    {
        Directory.CreateDirectory(bench.Tails.At("var/queue"));
        Directory.CreateSymbolicLink(bench.Tails.At("link"), bench.Tails.At("var"));
        using var inotify = Inotify.TryCreate()!;
        var context = new WatchContext(inotify, FileNotices.Created, bench.Tails.At("link/queue"));
        var tree = new WatchedTree(new WatchSettings("w", bench.Folder), context, bench.Tails.Time, new RecordingLogger());
        context.Trees = [tree];

        tree.TryBegin(out _);

        Assert.Equal(2, tree.Count);
    }

    [Fact]
    public void Changes_of_one_path_are_told_at_once_and_then_together()
    {
        var time = new Lm.TestKit.ManualTime();
        var changes = new PendingChanges(new WatchSettings("w", "/w"), time);
        var told = new List<AgentEvent>();
        for (var i = 0; i < 50; i++)
        {
            changes.Add(FileChangeKinds.Modified, "/w/f", "");
            changes.TakeDue(told);
            time.Advance(TimeSpan.FromMilliseconds(500));
        }

        time.Advance(PendingChanges.Quiet);
        changes.TakeDue(told);

        Assert.Equal(["/w/f was modified", "/w/f was modified, 20 times", "/w/f was modified, 20 times", "/w/f was modified, 9 times"], told.Select(what => what.Body));
        time.Advance(PendingChanges.Quiet);
        changes.TakeDue(told);
        changes.Add(FileChangeKinds.Modified, "/w/f", "");
        changes.TakeDue(told);
        Assert.Equal((5, "/w/f was modified"), (told.Count, told[^1].Body));
    }

    [Fact]
    public void A_flood_of_changes_is_bounded_and_its_rest_is_a_number()
    {
        var time = new Lm.TestKit.ManualTime();
        var changes = new PendingChanges(new WatchSettings("w", "/w") { EventsPerMinuteMax = 5 }, time);
        var told = new List<AgentEvent>();
        for (var i = 0; i < PendingChanges.PathsMax + 1000; i++)
        {
            changes.Add(FileChangeKinds.Created, $"/w/{i}", "");
        }

        changes.TakeDue(told);
        Assert.Equal(["/w/0", "/w/1", "/w/2", "/w/3", "/w/4"], told.Select(what => what.About[1].Value));
        time.Advance(TimeSpan.FromMinutes(1));
        changes.TakeDue(told);

        Assert.Equal(6, told.Count);
        Assert.Equal(("watch_summary", "2995"), (told[5].Name, told[5].About[1].Value));
        changes.Add(FileChangeKinds.Created, "/w/next", "");
        changes.TakeDue(told);
        Assert.Equal("/w/next was created", told[6].Body);
    }

    [Fact]
    public async Task Notices_that_the_kernel_lost_are_told_and_looked_for()
    {
        await bench.Tails.StartAsync();
        var max = int.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_queued_events"), CultureInfo.InvariantCulture);
        bench.Tails.Write("a", "");
        bench.Tails.Write("b", "");
        using var isHeld = new SemaphoreSlim(0);
        using var goOn = new ManualResetEventSlim(initialState: true);
        using var watcher = FileWatcher.TryStart(
            [new WatchSettings("w", bench.Folder)], "/nowhere",
            () =>
            {
                isHeld.Release();
                goOn.Wait();
            },
            TimeProvider.System, new RecordingLogger())!;
        await isHeld.WaitAsync(TestContext.Current.CancellationToken); // it watches
        goOn.Reset();
        bench.Tails.Write("first", "1");
        await isHeld.WaitAsync(TestContext.Current.CancellationToken); // it took that, and waits for us
        for (var i = 0; i < max; i++)
        {
            File.SetUnixFileMode(bench.Tails.At(i % 2 == 0 ? "a" : "b"), UnixFileMode.UserRead | UnixFileMode.UserWrite); // two that differ are not merged
        }

        bench.Tails.Write("lost", "1");
        Directory.CreateDirectory(bench.Tails.At("dir/deep"));
        bench.Tails.Write("dir/deep/lost", "1");
        goOn.Set();

        var told = new List<ArrivedLine>();
        var since = Stopwatch.GetTimestamp();
        while (!told.Exists(line => line.Attributes["event"] == "watch_overflow"))
        {
            watcher.Flush(bench.Source);
            told.AddRange(await bench.EventsAsync());
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(30), "no overflow is told");
        }

        watcher.Flush(bench.Source);
        told.AddRange(await bench.EventsAsync());
        Assert.Contains("file_created lost", told.Select(Show));
        Assert.Contains("file_created dir/deep/lost", told.Select(Show));
        Assert.Equal(3, watcher.DirectoryCount);
    }

    private static bool IsCreated(ArrivedLine line) => line.Attributes["event"] == "file_created";

    private string Show(ArrivedLine line)
    {
        var path = line.Attributes.GetValueOrDefault("path", bench.Folder);
        return $"{line.Attributes["event"]} {(path == bench.Folder ? "" : Path.GetRelativePath(bench.Folder, path))}";
    }

    private async Task StartAsync(WatchSettings watch, int directories = 1)
    {
        await bench.Tails.StartAsync();
        Apply(watch);
        var since = Stopwatch.GetTimestamp();
        while (bench.Source.Watches!.DirectoryCount < directories)
        {
            await bench.EventsAsync();
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(30), "the directories are not watched");
        }
    }

    private void Apply(WatchSettings watch) => bench.Tails.Tailer.Replace(bench.Tails.Settings() with { Watches = [watch] });
}
