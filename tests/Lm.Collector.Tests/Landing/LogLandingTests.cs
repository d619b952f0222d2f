using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.TestKit;

namespace Lm.Collector.Tests.Landing;

public sealed class LogLandingTests
{
    [Fact]
    public async Task Sealed_files_land_oldest_first_under_their_names_each_index_behind_its_file()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        rig.SealedLogs = [Seal(rig.Ingest.Files, 2, 900), Seal(rig.Ingest.Files, 1, 3_000_000)];
        Assert.Equal(2, rig.Lander.Status.LogFilesWaiting);

        Assert.True(await rig.LandAsync());

        var oldest = "fleet-a/logs/date=2026-01-02/hour=04/" + new Ulid(1);
        var newer = "fleet-a/logs/date=2026-01-02/hour=04/" + new Ulid(2);
        Assert.Equal([oldest + ".ndjson.zst", oldest + ".idx", newer + ".ndjson.zst", newer + ".idx"], rig.Store.Puts.Where(key => key.Contains("/logs/", StringComparison.Ordinal)));
        AssertLanded(rig);
        Assert.Equal((2L, 0), (rig.Lander.Status.LogFiles, rig.Lander.Status.LogFilesWaiting));
    }

    [Fact]
    public async Task A_restart_puts_only_what_is_not_there_and_the_last_one_again()
    {
        var bucket = new MemoryFileSystem();
        await using var rig = new LandingRig(bucket: bucket);
        await rig.AcceptAsync(1, 1);
        rig.SealedLogs = [Seal(rig.Ingest.Files, 1, 100), Seal(rig.Ingest.Files, 2, 100), Seal(rig.Ingest.Files, 3, 100)];
        await rig.LandAsync();

        await using var restarted = new LandingRig(rig.Ingest.Files.Kill(), bucket, rig.Ingest.Time);
        restarted.SealedLogs = [.. rig.SealedLogs, Seal(restarted.Ingest.Files, 4, 100)];
        Assert.True(await restarted.LandAsync());

        Assert.Equal(4, restarted.Store.Puts.Count(key => key.Contains("/logs/", StringComparison.Ordinal)));
        Assert.DoesNotContain(restarted.Store.Puts, key => key.Contains(new Ulid(2).ToString(), StringComparison.Ordinal));
        AssertLanded(restarted);
    }

    [Theory]
    [InlineData(StoreTrouble.FailsBefore)]
    [InlineData(StoreTrouble.FailsAfter)]
    [InlineData(StoreTrouble.Damages)]
    public async Task A_crash_at_any_request_leaves_no_index_without_its_whole_file_and_the_next_start_lands_the_rest(object trouble)
    {
        for (var at = 0; ; at++)
        {
            var bucket = new MemoryFileSystem(at);
            await using var rig = new LandingRig(bucket: bucket);
            await rig.AcceptAsync(1, 1);
            rig.SealedLogs = [Seal(rig.Ingest.Files, 1, 400), Seal(rig.Ingest.Files, 2, 2_500_000)];
            rig.Store.Trouble = (call, _, key) => call > at ? StoreTrouble.FailsBefore
                : call == at && ((StoreTrouble)trouble != StoreTrouble.Damages || key.Contains("/logs/", StringComparison.Ordinal)) ? (StoreTrouble)trouble : StoreTrouble.None;
            await rig.LandAsync();

            foreach (var file in rig.SealedLogs.Where(file => bucket.Exists(InBucket(file.IndexPath))))
            {
                Assert.Equal(rig.Ingest.Files.Peek(file.Path), bucket.Peek(InBucket(file.Path)));
            }

            await using var restarted = new LandingRig(rig.Ingest.Files.Kill(), bucket.PowerCut(new Random(at)), rig.Ingest.Time);
            restarted.SealedLogs = rig.SealedLogs;
            Assert.True(await restarted.LandAsync(tries: 2), $"call {at}: {restarted.Lander.Status.Trouble}");
            AssertLanded(restarted);
            if (rig.Store.Calls <= at)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task A_file_that_retention_deletes_first_is_passed_over()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        var (gone, left) = (Seal(rig.Ingest.Files, 1, 100), Seal(rig.Ingest.Files, 2, 100));
        rig.SealedLogs = [gone, left];
        rig.Store.Trouble = (_, request, key) =>
        {
            if (request == StoreRequest.Put && key.Contains(gone.Id + ".ndjson", StringComparison.Ordinal))
            {
                rig.SealedLogs = [left];
                rig.Ingest.Files.Delete(gone.IndexPath);
            }

            return StoreTrouble.None;
        };

        Assert.True(await rig.LandAsync());

        AssertLanded(rig);
    }

    [Theory]
    [InlineData(FileOperationKind.Open)]
    [InlineData(FileOperationKind.Read)]
    public async Task A_file_that_cannot_be_read_here_holds_up_no_other_and_lands_when_it_can_be(FileOperationKind kind)
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        var (bad, good) = (Seal(rig.Ingest.Files, 1, 300_000), Seal(rig.Ingest.Files, 2, 100));
        rig.SealedLogs = [bad, good];
        rig.Ingest.Files.Fault = operation => operation.Kind == kind && operation.Path == bad.Path ? FileFault.InputOutput : null;

        Assert.True(await rig.LandAsync());
        Assert.True(await rig.LandAsync());

        Assert.True(rig.Bucketed.Exists(InBucket(good.IndexPath)));
        Assert.False(rig.Bucketed.Exists(InBucket(bad.IndexPath)));
        Assert.Contains(bad.Path, Assert.Single(rig.Logger.Of(2620)), StringComparison.Ordinal);
        Assert.Equal(1, rig.Lander.Status.LogFilesWaiting);
        Assert.Equal(1, rig.Lander.Collect().Single(static metric => metric.Name == "lm_collector_landing_log_files_unreadable").Value);

        rig.Ingest.Files.Fault = null;
        rig.Ingest.Time.Advance(TimeSpan.FromMinutes(61));
        Assert.True(await rig.LandAsync());

        AssertLanded(rig);
        Assert.Equal(0, rig.Lander.Collect().Single(static metric => metric.Name == "lm_collector_landing_log_files_unreadable").Value);
    }

    [Fact]
    public async Task Landing_that_is_stopped_ends_with_the_file_that_is_on_its_way_and_begins_no_other()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        rig.SealedLogs = [Seal(rig.Ingest.Files, 1, 100), Seal(rig.Ingest.Files, 2, 100)];
        var (reached, released) = HoldFirstFile(rig);
        using var stopping = new CancellationTokenSource();
        var running = rig.Lander.RunAsync(stopping.Token);
        await reached;

        await stopping.CancelAsync();
        Assert.NotSame(running, await Task.WhenAny(running, Task.Delay(100, TestContext.Current.CancellationToken)));
        released.SetResult();
        await running;

        Assert.Single(rig.Store.Puts, IsLogFile);
        Assert.Single(rig.PutKeys);
    }

    [Fact]
    public async Task Landing_that_halts_ends_with_the_file_that_is_on_its_way_and_begins_no_other()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 1);
        rig.SealedLogs = [Seal(rig.Ingest.Files, 1, 100), Seal(rig.Ingest.Files, 2, 100)];
        var (reached, released) = HoldFirstFile(rig);
        var running = rig.Lander.RunAsync(CancellationToken.None);
        await reached;

        // Where the next object goes there is something that is none.
        var next = rig.Ingest.Spool.End;
        rig.Bucketed.Put($"{LandingRig.Bucket}/{LandingRig.Keys.Raw(LandingRig.Collector, rig.Ingest.Spool.Incarnation, next.Segment, next.Offset)}", new byte[100]);
        await rig.AcceptAsync(2, 1);
        while (!rig.Lander.Status.IsHalted)
        {
            rig.Ingest.Time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.NotSame(running, await Task.WhenAny(running, Task.Delay(100, TestContext.Current.CancellationToken)));
        released.SetResult();
        await running;

        Assert.Single(rig.Store.Puts, IsLogFile);
        Assert.Equal(1, rig.Lander.Status.Objects);
    }

    private static (Task Reached, TaskCompletionSource Released) HoldFirstFile(LandingRig rig)
    {
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        rig.Store.Holding = key => IsLogFile(key) && reached.TrySetResult() ? released.Task : Task.CompletedTask;
        return (reached.Task, released);
    }

    private static bool IsLogFile(string key) => key.EndsWith(".ndjson.zst", StringComparison.Ordinal);

    private static StoredLogFile Seal(MemoryFileSystem files, uint number, int size)
    {
        var id = new Ulid(number);
        const string Folder = "/spool/logs/date=2026-01-02/hour=04";
        var (content, index) = (new byte[size], new byte[100 + number]);
        new Random((int)number).NextBytes(content);
        new Random((int)number + 50).NextBytes(index);
        files.CreateDirectory(Folder);
        files.Put($"{Folder}/{id}.ndjson.zst", content);
        files.Put($"{Folder}/{id}.idx", index);
        return new StoredLogFile
        {
            Id = id,
            Window = default,
            Path = $"{Folder}/{id}.ndjson.zst",
            IndexPath = $"{Folder}/{id}.idx",
            FileBytes = size,
            IndexBytes = index.Length,
            Lines = 1,
            BodyBytes = 1,
            MinTime = 0,
            MaxTime = 1,
        };
    }

    private static string InBucket(string path) => path.Replace("/spool/logs/", LandingRig.Bucket + "/fleet-a/logs/", StringComparison.Ordinal);

    private static void AssertLanded(LandingRig rig)
    {
        var paths = rig.SealedLogs.SelectMany(file => (string[])[file.Path, file.IndexPath]).ToArray();
        foreach (var path in paths)
        {
            Assert.Equal(rig.Ingest.Files.Peek(path), rig.Bucketed.Peek(InBucket(path)));
        }
    }
}
