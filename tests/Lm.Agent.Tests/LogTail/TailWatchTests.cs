using Lm.Agent.LogTail;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Platform.Files;

namespace Lm.Agent.Tests.LogTail;

public sealed class TailWatchTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lm-watch-").FullName;
    private readonly AsyncSignal wake = new();

    public void Dispose()
    {
        wake.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Names_that_come_and_go_and_files_that_grow_wake_the_loop()
    {
        var path = Path.Combine(folder, "a.log");
        using var watch = new TailWatch(wake);
        Assert.True(watch.TakeNewNames());
        watch.WatchDirectories(new HashSet<string> { folder });
        Assert.True(watch.IsComplete);

        using (var made = File.Create(path))
        {
            await WakesForNamesAsync(watch);

            using var tail = new FileTail(new LogInput("in", path, false), path, FollowedFile.TryOpen(path, out _)!, default, new InputCounters("in"));
            watch.Watch(tail);
            watch.Arm();
            made.Write("line\n"u8);
            made.Flush();
            await wake.WaitAsync(TestContext.Current.CancellationToken);

            File.Move(path, path + ".1");
            await WakesForNamesAsync(watch);
            watch.Unwatch(tail, [tail]);
            Assert.Equal(-1, tail.Watch);
        }
    }

    [Fact]
    public void A_folder_that_is_not_there_yet_leaves_nothing_unwatched()
    {
        using var watch = new TailWatch(wake);

        watch.WatchDirectories(new HashSet<string> { folder, Path.Combine(folder, "later") });

        Assert.True(watch.IsComplete);
    }

    // Notices of one change may come in several parts.
    private async Task WakesForNamesAsync(TailWatch watch)
    {
        do
        {
            watch.Arm();
            await wake.WaitAsync(TestContext.Current.CancellationToken);
        }
        while (!watch.TakeNewNames());
    }
}
