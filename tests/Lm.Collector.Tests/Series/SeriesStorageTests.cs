using System.Text;
using Lm.Collector.Spool;
using Lm.TestKit;

namespace Lm.Collector.Tests.Series;

public sealed class SeriesStorageTests
{
    private const int BlockFailed = 2306;
    private const int BlockWritten = 2305;
    private const int ChunksUnreadable = 2307;
    private const int CheckpointFailed = 2308;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whatever_is_killed_cut_or_stopped_answers_hold_what_was_acknowledged_once(bool hasFaults)
    {
        for (var seed = 1; seed <= 12; seed++)
        {
            var random = new Random(seed);
            var rig = new StorageRig();
            for (var step = 0; step < 120; step++)
            {
                rig.Files.Fault = hasFaults && random.Next(3) == 0 ? operation => FaultOf(operation, random) : null;
                await StepAsync(rig, random);
                rig.Files.Fault = null;
                if (random.Next(12) == 0)
                {
                    rig = await (random.Next(3) switch
                    {
                        0 => rig.AfterKillAsync(),
                        1 => rig.AfterPowerCutAsync(seed + step),
                        _ => rig.AfterStopAsync(),
                    });
                    rig.AssertWhole();
                }
            }

            rig.AssertWhole();
            Assert.True(rig.OldestSegment > 0, "nothing was ever trimmed: the test shows less than it says");
            await rig.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("/spool/head/")]
    [InlineData("/spool/state.json")]
    [InlineData("/spool/ledger.snapshot")]
    public async Task A_segment_goes_only_when_head_state_and_ledger_are_durable(string failing)
    {
        await using var rig = new StorageRig();
        var oldest = 0U;
        rig.Files.Fault = operation =>
            operation.Kind is FileOperationKind.Sync && operation.Path.StartsWith(failing, StringComparison.Ordinal) ? FileFault.InputOutput : null;
        await SendManyAsync(rig, 60); // each new segment begins with a checkpoint
        rig.Series.Checkpoint();
        rig.Trim.Run(rig.Settings);
        Assert.Equal(oldest, rig.OldestSegment);

        rig.Files.Fault = null;
        await SendManyAsync(rig, 20);
        rig.Series.Checkpoint();
        rig.Trim.Run(rig.Settings);
        Assert.True(rig.OldestSegment > oldest);
        await using var later = await rig.AfterPowerCutAsync(3);
        later.AssertWhole();
    }

    [Fact]
    public async Task A_segment_with_alert_records_stays_for_local_retention_over_restarts()
    {
        await using var rig = new StorageRig();
        await SendManyAsync(rig, 20);
        await rig.SendAsync(hasAlert: true);
        var withAlert = rig.Spool.Segments[^1].Number;
        await SendManyAsync(rig, 40);
        await using var later = await rig.AfterStopAsync();
        Assert.Equal(withAlert, later.OldestSegment);
        await using var latest = await later.AfterStopAsync();
        Assert.Equal(withAlert, latest.OldestSegment);

        latest.Time.Advance(latest.Settings.LocalRetention + TimeSpan.FromDays(1));
        latest.Trim.Run(latest.Settings);
        Assert.Equal(withAlert, latest.OldestSegment); // a clock that nobody agrees with makes nothing old
        await latest.SendAsync();
        latest.Trim.Run(latest.Settings);
        Assert.True(latest.OldestSegment > withAlert);
    }

    [Fact]
    public async Task A_segment_whose_records_cannot_be_read_stays_for_local_retention_over_restarts_and_holds_nothing_up_afterwards()
    {
        await using var rig = new StorageRig(segmentSizeMax: 600);
        await rig.SendAsync();
        AcceptedUps unreadableByRule = new(default, rig.Now, [.. Enumerable.Range(0, 40).Select(i => new AgentUp($"agent-{i}", 0, true))], IsReplay: false); // no interval
        await rig.Spool.AppendAsync(unreadableByRule);
        await rig.Spool.AppendAsync(unreadableByRule);
        var unreadable = rig.Spool.Segments[^1].Number;
        Assert.True(unreadable > 0);
        await SendManyAsync(rig, 20);
        await using var later = await rig.AfterKillAsync();
        Assert.Equal(2, later.SpoolMetrics.RecordsUnreadable);
        await SendManyAsync(later, 5);
        later.Series.Checkpoint();
        later.Trim.Run(later.Settings);
        await using var latest = await later.AfterStopAsync();
        Assert.InRange(latest.OldestSegment, 1U, unreadable);

        latest.Time.Advance(latest.Settings.LocalRetention + TimeSpan.FromDays(1));
        await latest.SendAsync();
        latest.Series.Checkpoint();
        latest.Trim.Run(latest.Settings);
        Assert.True(latest.OldestSegment > unreadable);
        latest.AssertWhole();
    }

    [Fact]
    public async Task A_range_that_cannot_become_a_block_does_not_hold_up_the_others_and_is_written_without_what_is_damaged_in_the_end()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(TimeSpan.FromDays(20));
        await rig.SendAsync(TimeSpan.FromDays(10));
        await rig.SendAsync();
        await using var later = await rig.AfterStopAsync(files =>
        {
            var path = "/spool/head/" + files.List("/spool/head").First(name => name.EndsWith(".open", StringComparison.Ordinal));
            files.Corrupt(path, 40, 0xff);
        });
        Pass(later, TimeSpan.FromHours(4));
        Assert.Single(later.Log.Of(BlockFailed)); // once, however often it is tried
        Assert.Equal(2, later.Log.Of(BlockWritten).Count);
        for (var i = 0; i < 60; i++)
        {
            later.Keep();
        }

        Assert.Single(later.Log.Of(ChunksUnreadable));
        Assert.Equal(2, later.Series.HeadFilesDamaged);
        Assert.Equal(0, later.Series.Statistics().Windows);
        Assert.Equal(2, later.All().SampleCount);
    }

    [Fact]
    public async Task D2_what_was_acknowledged_is_replayed_and_taken_whatever_backfill_days_says_by_then()
    {
        await using var rig = new StorageRig(settings: StorageRig.Usual with { Backfill = TimeSpan.FromDays(1) });
        await rig.SendAsync(TimeSpan.FromDays(20)); // admission has another setting already: a reload
        rig.AssertWhole();
        await using var later = await rig.AfterKillAsync(StorageRig.Usual with { Backfill = TimeSpan.FromDays(2) });
        later.AssertWhole();
    }

    [Fact]
    public async Task Samples_20_days_old_are_there_at_once_and_stay_when_they_become_blocks_and_blocks_are_merged()
    {
        await using var rig = new StorageRig();
        for (var i = 0; i < 12; i++)
        {
            await rig.SendAsync(TimeSpan.FromDays(20) + TimeSpan.FromHours(i));
            rig.AssertWhole();
        }

        Pass(rig, TimeSpan.FromHours(3));
        Assert.Equal(0, rig.Series.Statistics().Windows);
        rig.AssertWhole();
        var merged = 0;
        for (var day = 0; day < 4; day++)
        {
            await rig.SendAsync(TimeSpan.FromDays(20 + day));
            Pass(rig, TimeSpan.FromDays(1));
            merged += rig.Log.Of(2309).Count;
            rig.AssertWhole();
        }

        Assert.True(merged > 0);
        await using var later = await rig.AfterPowerCutAsync(5);
        later.AssertWhole();
    }

    [Theory]
    [InlineData("/spool/blocks", false)]
    [InlineData("/spool/blocks", true)]
    [InlineData("/spool/head", false)]
    [InlineData("/spool/head", true)]
    public async Task A_full_or_failing_disk_is_logged_loses_nothing_and_goes_on_when_it_is_well(string folder, bool isFull)
    {
        await using var rig = new StorageRig();
        await SendManyAsync(rig, 10);
        rig.Time.Advance(TimeSpan.FromHours(4));
        rig.Files.Fault = operation => operation.Kind is FileOperationKind.Write or FileOperationKind.Sync && operation.Path.StartsWith(folder, StringComparison.Ordinal)
            ? isFull ? FileFault.NoSpace : FileFault.InputOutput
            : null;
        rig.Keep();
        rig.Keep();
        Assert.NotEmpty(rig.Log.Of(folder.EndsWith("blocks", StringComparison.Ordinal) ? BlockFailed : CheckpointFailed));
        rig.AssertWhole();
        await SendManyAsync(rig, 10);
        rig.AssertWhole();

        rig.Files.Fault = null;
        Pass(rig, TimeSpan.FromHours(4));
        Assert.Equal(0, rig.Series.Statistics().Windows);
        rig.AssertWhole();
        await using var later = await rig.AfterPowerCutAsync(7);
        later.AssertWhole();
    }

    [Fact]
    public async Task A_sample_for_a_window_that_cannot_be_read_now_is_taken_all_the_same()
    {
        await using var rig = new StorageRig();
        for (var i = 0; i < 5; i++)
        {
            await rig.SendAsync(TimeSpan.FromHours(3 * i));
        }

        await using var later = await rig.AfterStopAsync();
        later.Files.Fault = operation => operation.Kind == FileOperationKind.Read && operation.Path.EndsWith(".open", StringComparison.Ordinal) ? FileFault.InputOutput : null;
        await later.SendAsync(TimeSpan.FromHours(12));
        later.Files.Fault = null;
        Assert.Equal(0, later.SpoolMetrics.ConsumerFailures);
        later.AssertWhole();
        Pass(later, TimeSpan.FromHours(5));
        later.AssertWhole();
        await using var latest = await later.AfterPowerCutAsync(1);
        latest.AssertWhole();
    }

    [Fact]
    public async Task After_its_series_were_removed_every_feed_finds_or_makes_them_afresh()
    {
        await using var rig = new StorageRig();
        for (var round = 0; round < 3; round++)
        {
            await rig.SendAsync();
            await rig.SendAsync(agent: "a2");
            await rig.WriteAsync("written", round);
            await rig.Ups.WriteDueAsync();
            await rig.AppliedAsync();
            Pass(rig, TimeSpan.FromHours(4));
            rig.Keep();
            Assert.Equal(0, rig.Series.Statistics().Series);
            rig.AssertWhole();
            Assert.Equal(round + 1, rig.All("written").SampleCount);
            Assert.Equal(2 * (round + 1), rig.All("up").SampleCount);
        }

        Assert.Equal(1, rig.All("written").Count);
    }

    [Fact]
    public async Task V23_a_silent_agents_up_goes_on_as_0_after_a_restart_that_reads_none_of_its_records()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(agent: "silent");
        await rig.Ups.WriteDueAsync();
        await SendManyAsync(rig, 60);
        await using var later = await rig.AfterStopAsync();
        await using var latest = await later.AfterStopAsync();
        for (var i = 0; i < 6; i++)
        {
            latest.Time.Advance(TimeSpan.FromSeconds(15));
            await latest.Ups.WriteDueAsync();
        }

        await latest.AppliedAsync();
        var ups = latest.All("up");
        var silent = Assert.Single(Enumerable.Range(0, ups.Count), i => ups.Names()[i].Contains("silent", StringComparison.Ordinal));
        Assert.Equal([1, 0, 0], ups.Values(silent));
    }

    [Fact]
    public async Task No_up_is_written_for_a_time_that_has_one_from_before_the_restart()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync();
        await rig.Ups.WriteDueAsync();
        await rig.AppliedAsync();
        await using var later = await rig.AfterStopAsync();
        var records = later.Spool.SizeBytes;
        await later.SendAsync();
        var before = later.Spool.SizeBytes;
        Assert.True(before > records);
        await later.Ups.WriteDueAsync();
        Assert.Equal(before, later.Spool.SizeBytes);
        Assert.Equal(1, later.All("up").SampleCount);
    }

    [Fact]
    public async Task C26_a_clock_set_back_while_stopped_is_suspect_though_no_batch_is_read_back()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync();
        await rig.Ups.WriteDueAsync();
        await rig.AppliedAsync();
        await using var later = await rig.AfterStopAsync(_ => rig.Time.JumpWallClock(TimeSpan.FromDays(-1)));
        Assert.True(later.Clock.IsSuspect(out _));
    }

    [Fact]
    public async Task Agents_and_metrics_are_known_after_a_restart_whose_spool_no_longer_tells_of_them()
    {
        await using var rig = new StorageRig();
        await SendManyAsync(rig, 60);
        await rig.WriteAsync("written", 1);
        await SendManyAsync(rig, 60, "a2");
        await using var later = await rig.AfterStopAsync();
        await using var latest = await later.AfterPowerCutAsync(2);
        Assert.True(latest.OldestSegment > 0);
        Assert.Equal("Load.", Assert.Single(latest.Series.Catalog.Snapshot()).Value.Help);
        latest.AssertWhole();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(-3)]
    public async Task A_damaged_state_file_is_logged_and_all_else_works(int at)
    {
        await using var rig = new StorageRig();
        await SendManyAsync(rig, 60);
        await using var later = await rig.AfterStopAsync(files =>
        {
            var bytes = files.Peek("/spool/state.json");
            var offset = at < 0 ? bytes.Length + at : at;
            files.Corrupt("/spool/state.json", offset, (byte)(bytes[offset] ^ 1));
        });
        Assert.Contains("checksum", Assert.Single(later.Log.Of(2213)), StringComparison.Ordinal);
        Assert.Equal(60, later.All().SampleCount);
        await SendManyAsync(later, 30);
        Assert.Equal(90, later.All().SampleCount);
        var oldest = later.OldestSegment;
        later.Series.Checkpoint();
        later.Trim.Run(later.Settings);
        Assert.True(later.OldestSegment > oldest);
    }

    [Fact]
    public async Task A_state_file_of_which_a_part_cannot_be_read_gives_no_position()
    {
        await using var rig = new StorageRig();
        await SendManyAsync(rig, 5);
        await using var later = await rig.AfterStopAsync(files =>
        {
            var text = Encoding.UTF8.GetString(files.Peek("/spool/state.json"));
            var json = text[..^10].Replace("\"accepted\":5", "\"accepted\":\"five\"", StringComparison.Ordinal);
            var checksum = Platform.Crc32C.Compute(Encoding.UTF8.GetBytes(json));
            files.Put("/spool/state.json", Encoding.UTF8.GetBytes($"{json}\n{checksum:x8}\n"));
        });
        Assert.Single(later.Log.Of(2213));
        later.AssertWhole(); // counted once, from the records that are left
    }

    [Fact]
    public async Task A_spool_that_lost_its_end_takes_new_records_as_new()
    {
        await using var rig = new StorageRig(segmentSizeMax: 1 << 20);
        await SendManyAsync(rig, 20);
        await using var later = await rig.AfterStopAsync(files =>
        {
            var path = "/spool/journal/0000000000.seg";
            var whole = files.Peek(path);
            files.Put(path, whole.AsSpan(0, whole.Length / 2));
        });
        Assert.Single(later.Log.Of(2314));
        later.AssertWhole();
        await SendManyAsync(later, 3);
        later.AssertWhole();
        await using var latest = await later.AfterKillAsync();
        latest.AssertWhole();
    }

    [Fact]
    public async Task Blocks_go_by_age_and_by_bytes()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(TimeSpan.FromDays(30));
        await rig.SendAsync(agent: "a2");
        Pass(rig, TimeSpan.FromHours(4));
        rig.AssertWhole();
        Pass(rig, TimeSpan.FromDays(61));
        rig.AssertWhole(); // a clock that nobody agrees with makes nothing old
        await rig.SendAsync(agent: "a2");
        rig.Keep();
        Assert.Equal(2, rig.All().SampleCount);
        rig.Settings = rig.Settings with { LocalSizeMax = 1 };
        rig.Keep();
        Assert.Equal(1, rig.All().SampleCount);
        Assert.Equal(2, rig.Log.Of(2311).Count);
    }

    private static async Task SendManyAsync(StorageRig rig, int count, string agent = "a1")
    {
        for (var i = 0; i < count; i++)
        {
            await rig.SendAsync(agent: agent);
            rig.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static void Pass(StorageRig rig, TimeSpan time)
    {
        rig.Time.Advance(time);
        rig.Keep(); // late ranges and windows one after another
        rig.Keep();
        rig.Keep();
    }

    private static async Task StepAsync(StorageRig rig, Random random)
    {
        TimeSpan[] ages = [TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromHours(3), TimeSpan.FromDays(20), TimeSpan.FromHours(random.Next(800))];
        switch (random.Next(8))
        {
            case 0:
                rig.Keep();
                break;
            case 1:
                rig.Series.Checkpoint();
                rig.Trim.Run(rig.Settings);
                break;
            case 2:
                rig.Time.Advance(TimeSpan.FromMinutes(random.Next(90)));
                await rig.Ups.WriteDueAsync();
                await rig.AppliedAsync();
                break;
            default:
                await rig.SendAsync(ages[random.Next(ages.Length)], $"a{random.Next(3)}");
                rig.Time.Advance(TimeSpan.FromSeconds(15));
                break;
        }
    }

    // Not of the journal: whoever is refused there is not acknowledged.
    private static FileFault? FaultOf(FileOperation operation, Random random)
    {
        var mayFail = !operation.Path.StartsWith("/spool/journal", StringComparison.Ordinal) && operation.Path != "/spool";
        return mayFail && random.Next(10) == 0 ? new FileFault(random.Next(2) == 0 ? 5 : 28, TakesEffect: random.Next(3) == 0) : null;
    }
}
