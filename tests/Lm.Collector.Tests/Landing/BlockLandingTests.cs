using System.Text;
using Lm.ObjectStore;

namespace Lm.Collector.Tests.Landing;

/// <summary>Blocks in the object store: whole or not there, replaced by marks, older ones gone.</summary>
public sealed class BlockLandingTests
{
    [Fact]
    public async Task A_block_goes_up_chunks_first_and_meta_last_and_is_read_where_it_lies()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(5));

        var puts = rig.Store.Puts.Where(static key => key.Contains("/blocks/", StringComparison.Ordinal)).ToArray();
        var block = puts[0].Split('/')[2];
        Assert.Equal([$"fleet-a/blocks/{block}/chunks/000001", $"fleet-a/blocks/{block}/index", $"fleet-a/blocks/{block}/meta.json"], puts[..3]);
        Assert.Equal(rig.Storage.Series.Blocks.Metas.Count, rig.BlocksThere.Count());
        Assert.Equal(rig.Storage.Series.Blocks.Metas.Sum(static meta => meta.Stats.Samples), rig.InBucket().SampleCount);
        Assert.Equal(0, rig.Lander.Status.BlocksWaiting);
        var meta = Encoding.UTF8.GetString(rig.Bucketed.Peek($"{StoredRig.BlocksFolder}/{block}/meta.json"));
        Assert.Contains("\"resolution\": 0", meta, StringComparison.Ordinal);
        Assert.Contains("\"source\": \"lightmetrics\"", meta, StringComparison.Ordinal);
        Assert.Contains("\"upload_time\": \"20", meta, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreTrouble.FailsBefore)]
    [InlineData(StoreTrouble.FailsAfter)]
    [InlineData(StoreTrouble.Damages)]
    public async Task A_crash_at_any_request_shows_no_half_block_and_the_next_start_lands_the_rest(object trouble)
    {
        for (var at = 0; ; at++)
        {
            var rig = new StoredRig();
            await rig.PassAsync(TimeSpan.FromHours(7), lands: false);
            var here = rig.Storage.Series.Blocks.Metas.Sum(static meta => meta.Stats.Samples);
            Assert.True(here > 0);
            rig.Store.Trouble = (call, _, key) => call > at ? StoreTrouble.FailsBefore
                : call == at && ((StoreTrouble)trouble != StoreTrouble.Damages || key.Contains("/blocks/", StringComparison.Ordinal)) ? (StoreTrouble)trouble : StoreTrouble.None;
            await rig.LandAsync();
            var isDone = rig.Store.Calls <= at;
            if ((StoreTrouble)trouble != StoreTrouble.Damages)
            {
                rig.InBucket(); // what is there is whole
            }

            await using var restarted = await rig.AfterKillAsync(rig.Bucketed.PowerCut(new Random(at)));
            Assert.True(await restarted.LandAsync(), restarted.Lander.Status.Trouble);
            Assert.Equal(here, restarted.InBucket().SampleCount);
            Assert.Equal(restarted.Storage.Series.Blocks.Metas.Select(static meta => meta.Id.ToString()).Order(), restarted.BlocksThere.Order());
            if (isDone)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task A_restart_puts_no_block_again()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(7));
        await using var restarted = await rig.AfterKillAsync();
        Assert.True(await restarted.LandAsync(), restarted.Lander.Status.Trouble);
        Assert.DoesNotContain(restarted.Store.Puts, static key => key.Contains("/blocks/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_merged_block_replaced_is_marked_once_that_is_verified_and_goes_two_days_later_meta_first_mark_last()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(16));
        var marks = rig.Objects.Where(static path => path.EndsWith("deletion-mark.json", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(marks);
        var marked = marks[0].Split('/')[^2];
        Assert.Contains("replaced by", rig.Logger.Of(2613)[0], StringComparison.Ordinal);
        Assert.Contains($"{StoredRig.BlocksFolder}/{marked}/meta.json", rig.Objects); // readers may have it open
        Assert.Contains($"\"id\":\"{marked}\",\"version\":1,", Encoding.UTF8.GetString(rig.Bucketed.Peek(marks[0])), StringComparison.Ordinal);

        await rig.PassAsync(TimeSpan.FromHours(60), TimeSpan.FromHours(2));
        Assert.DoesNotContain(rig.Objects, path => path.Contains(marked, StringComparison.Ordinal));
        var deleted = rig.Store.Deletes.Where(key => key.Contains(marked, StringComparison.Ordinal)).Select(static key => key.Split('/')[^1]).ToArray();
        Assert.Equal("meta.json", deleted[0]);
        Assert.Equal("deletion-mark.json", deleted[^1]);
        Assert.Equal(rig.Storage.Series.Blocks.Metas.Sum(static meta => meta.Stats.Samples), rig.InBucket().SampleCount);
    }

    [Fact]
    public async Task A_deletion_that_was_cut_short_is_finished()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(16));
        rig.Store.Trouble = static (_, request, key) => request == StoreRequest.Delete && key.EndsWith("/index", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await rig.PassAsync(TimeSpan.FromHours(60), TimeSpan.FromHours(2));
        Assert.NotEmpty(rig.Logger.Of(2619));
        var rest = rig.Objects.First(path => path.EndsWith("/index", StringComparison.Ordinal) && !rig.BlocksThere.Contains(path.Split('/')[^2]));
        await using var restarted = await rig.AfterKillAsync();
        await restarted.PassAsync(TimeSpan.FromHours(8));
        Assert.DoesNotContain(rest, restarted.Objects);
    }

    [Fact]
    public async Task With_external_compaction_nothing_is_deleted_or_landed_twice_and_blocks_may_vanish()
    {
        await using var rig = new StoredRig(isExternal: true);
        await rig.PassAsync(TimeSpan.FromHours(16));
        Assert.Contains(rig.Storage.Series.Blocks.Metas, static meta => meta.Level > 1); // merged here, of parts that had landed
        Assert.Equal(rig.BlocksThere.Count(), rig.Store.Puts.Count(static key => key.EndsWith("/meta.json", StringComparison.Ordinal)));
        Assert.All(rig.BlocksThere, id => Assert.Contains("\"level\": 1", Encoding.UTF8.GetString(rig.Bucketed.Peek($"{StoredRig.BlocksFolder}/{id}/meta.json")), StringComparison.Ordinal));
        Assert.DoesNotContain(rig.Objects, static path => path.EndsWith("deletion-mark.json", StringComparison.Ordinal));
        rig.SaveState();

        foreach (var path in rig.Objects.Where(static path => path.Contains("/blocks/", StringComparison.Ordinal)).ToArray())
        {
            rig.Bucketed.Delete(path); // Thanos' compactor made one of them
        }

        await using var restarted = await rig.AfterKillAsync();
        Assert.True(await restarted.LandAsync(), restarted.Lander.Status.Trouble);
        Assert.Empty(restarted.BlocksThere);
        Assert.DoesNotContain(restarted.Store.Deletes, static key => key.Contains("/blocks/", StringComparison.Ordinal));
        await restarted.PassAsync(TimeSpan.FromHours(6));
        Assert.NotEmpty(restarted.BlocksThere);
    }

    [Fact]
    public async Task A_block_that_vanished_from_the_store_lands_again_where_the_collector_compacts_itself()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(5));
        foreach (var path in rig.Objects.Where(static path => path.Contains("/blocks/", StringComparison.Ordinal)).ToArray())
        {
            rig.Bucketed.Delete(path);
        }

        await rig.PassAsync(TimeSpan.FromHours(7));
        Assert.Equal(rig.Storage.Series.Blocks.Metas.Sum(static meta => meta.Stats.Samples), rig.InBucket().SampleCount);
    }

    [Fact]
    public async Task Blocks_stay_here_beyond_their_limits_until_they_are_verified_there()
    {
        await using var rig = new StoredRig();
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;
        await rig.PassAsync(TimeSpan.FromHours(7), lands: false);
        rig.Storage.Settings = rig.Storage.Settings with { LocalSizeMax = 1, LocalRetention = TimeSpan.FromHours(1) };
        rig.Storage.Keep();
        var count = rig.Storage.Series.Blocks.Metas.Count;
        Assert.True(count > 0);
        Assert.False(await rig.LandAsync());
        rig.Storage.Keep();
        Assert.Equal((count, true), (rig.Storage.Series.Blocks.Metas.Count, rig.Storage.Series.Held > 0));

        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await rig.LandAsync(), rig.Lander.Status.Trouble);
        rig.Storage.Keep();
        Assert.Empty(rig.Storage.Series.Blocks.Metas);
        Assert.Equal(0, rig.Storage.Series.Held);
        Assert.Equal(count, rig.BlocksThere.Count());
    }

    [Fact]
    public async Task Raw_objects_do_not_wait_for_a_block_that_takes_long()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(5), lands: false);
        Assert.NotEmpty(rig.Storage.Series.Blocks.Metas);
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        rig.Store.Holding = key => key.EndsWith("/index", StringComparison.Ordinal) && reached.TrySetResult() ? released.Task : Task.CompletedTask;
        var pass = rig.Lander.TryPassAsync(TestContext.Current.CancellationToken);
        await reached.Task;
        rig.Storage.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, await pass);

        await rig.Storage.SendAsync();
        var end = rig.Storage.Spool.End;
        pass = rig.Lander.TryPassAsync(TestContext.Current.CancellationToken);
        while (rig.State.Landed < end)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        Assert.Null(rig.Lander.Status.OldestWaiting);
        Assert.Empty(rig.BlocksThere);
        Assert.False(pass.IsCompleted);
        released.SetResult();
        Assert.Equal(TimeSpan.FromSeconds(60), await pass);
        Assert.Equal(0, rig.Lander.Status.BlocksWaiting);
    }

    [Fact]
    public async Task A_block_that_fails_late_is_in_trouble_until_it_lands_and_is_tried_less_and_less_often()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(5), lands: false);
        var isAway = true;
        TaskCompletionSource reached = new(), failing = new();
        rig.Store.Holding = key => isAway && key.EndsWith("/index", StringComparison.Ordinal) && (reached.TrySetResult() || true) ? failing.Task : Task.CompletedTask;
        var waits = new List<TimeSpan>();
        for (var tries = 0; tries < 10; tries++)
        {
            (reached, failing) = (new TaskCompletionSource(), new TaskCompletionSource());
            var pass = rig.Lander.TryPassAsync(TestContext.Current.CancellationToken);
            await reached.Task;
            rig.Storage.Time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(TimeSpan.Zero, await pass); // raw objects are due
            Assert.Equal(tries > 0, rig.Lander.Status.Trouble is not null);
            failing.SetException(new IOException("the index takes too long"));
            waits.Add((await rig.Lander.TryPassAsync(TestContext.Current.CancellationToken))!.Value);
            Assert.Equal("the index takes too long", rig.Lander.Status.Trouble);
        }

        Assert.True(waits.Max() > TimeSpan.FromSeconds(4), string.Join(", ", waits)); // waits are random: the first is at most two seconds, each at most twice what the one before might be, and none above four is one in ten million
        Assert.Single(rig.Logger.Of(2603));
        isAway = false;
        Assert.Equal(TimeSpan.FromSeconds(60), await rig.Lander.TryPassAsync(TestContext.Current.CancellationToken));
        Assert.Null(rig.Lander.Status.Trouble);
    }

    [Fact]
    public async Task What_is_older_than_retention_days_goes_from_the_store()
    {
        await using var rig = new StoredRig { Retention = TimeSpan.FromDays(3) };
        await rig.PassAsync(TimeSpan.FromDays(2), TimeSpan.FromHours(2));
        var first = rig.BlocksThere.ToHashSet();
        await rig.PassAsync(TimeSpan.FromDays(8), TimeSpan.FromHours(4));
        Assert.DoesNotContain(rig.BlocksThere, first.Contains);
        var oldest = rig.Storage.Now.Add(-TimeSpan.FromDays(3 + 2 + 2 + 1)).Value; // a block of two days, and two that it stays marked
        var found = rig.InBucket();
        Assert.All(Enumerable.Range(0, found.Count), i => Assert.All(found.Samples(i), sample => Assert.True(sample.Time >= oldest)));
        Assert.True(found.SampleCount > 0);
    }

    [Fact]
    public async Task Blocks_of_another_collector_are_left_alone()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(16));
        var marked = rig.Objects.First(static path => path.EndsWith("deletion-mark.json", StringComparison.Ordinal)).Split('/')[^2];
        foreach (var path in rig.Objects.Where(path => path.Contains(marked, StringComparison.Ordinal)).ToArray())
        {
            var text = rig.Bucketed.Peek(path);
            rig.Bucketed.Put(path, path.EndsWith(".json", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text).Replace("c1", "c2", StringComparison.Ordinal)) : text);
        }

        await using var restarted = await rig.AfterKillAsync();
        await restarted.PassAsync(TimeSpan.FromHours(60), TimeSpan.FromHours(4));
        Assert.Contains(marked, restarted.BlocksThere);
    }

    [Theory]
    [InlineData("meta.json", 17 << 20)]
    [InlineData("deletion-mark.json", 70_000)]
    public async Task An_oversize_file_of_somebodys_block_holds_up_none_of_ours(string name, int size)
    {
        await using var rig = new StoredRig();
        var folder = $"{StoredRig.BlocksFolder}/{new Lm.Platform.Ulid(9)}";
        rig.Bucketed.CreateDirectory(folder);
        rig.Bucketed.Put($"{folder}/{name}", new byte[size]);

        await rig.PassAsync(TimeSpan.FromHours(16));

        Assert.Equal(0, rig.Lander.Status.BlocksWaiting);
        Assert.NotEmpty(rig.BlocksThere);
        Assert.Equal(name == "meta.json" ? 1 : 0, rig.Logger.Of(2616).Count);
        Assert.Contains($"{folder}/{name}", rig.Objects);
    }

    [Fact]
    public async Task Promtool_reads_a_block_that_was_downloaded_from_the_bucket()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static path => Path.Combine(path, "promtool")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "no promtool in PATH: install Debian's package prometheus");
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(5));
        var folder = Directory.CreateTempSubdirectory("lm-landing-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "wal"));
            foreach (var path in rig.Objects.Where(static path => path.StartsWith(StoredRig.BlocksFolder, StringComparison.Ordinal)))
            {
                var copy = Path.Combine(folder, Path.GetRelativePath(StoredRig.BlocksFolder, path));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                await using var file = File.Create(copy);
                await file.WriteAsync(rig.Bucketed.Peek(path), TestContext.Current.CancellationToken);
            }

            var dump = await RunAsync(program!, "tsdb", "dump", folder);
            Assert.Equal(rig.InBucket().SampleCount, dump.Split('\n').Count(static line => line.Contains("node_load1", StringComparison.Ordinal)));
            Assert.Contains("Series: ", await RunAsync(program!, "tsdb", "analyze", folder, rig.BlocksThere.First()), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"promtool {string.Join(' ', arguments)}: exit code {process.ExitCode}: {await errors}");
        return await output;
    }
}
