using Lm.Collector.Landing;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Landing;

/// <summary>What goes from the store, and what may not.</summary>
public sealed class StoreTidyTests
{
    [Fact]
    public async Task Raw_objects_go_a_day_after_blocks_and_log_files_that_hold_the_same_were_verified()
    {
        await using var rig = new StoredRig();
        await rig.Storage.SendAsync(logs: [Line(rig, "first")]);
        await rig.PassAsync(TimeSpan.FromHours(5));
        var first = rig.RawObjects.First();
        Assert.NotEqual(default, rig.State.Covered);
        var covered = rig.State.Covered;

        await rig.PassAsync(TimeSpan.FromHours(22));
        Assert.Contains(first, rig.RawObjects); // covered, and not for a day yet
        await rig.PassAsync(TimeSpan.FromHours(10));
        Assert.DoesNotContain(first, rig.RawObjects);
        Assert.True(rig.Lander.Status.ObjectsCovered > 0);
        Assert.True(rig.State.Covered > covered);
        await AssertNothingIsMissingAsync(rig);
        Assert.Contains(rig.Objects, static path => path.EndsWith(".ledger", StringComparison.Ordinal));
        Assert.Contains(rig.Objects, static path => path.EndsWith(".state", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("the disk takes no block", false)]
    [InlineData("the disk takes no sealed log file", false)]
    [InlineData("the store takes no block", true)]
    [InlineData("the store takes no log file", true)]
    public async Task Raw_objects_stay_while_what_they_hold_is_nowhere_else_there(string trouble, bool isStore)
    {
        await using var rig = new StoredRig();
        await rig.Storage.SendAsync(logs: [Line(rig, "first")]);
        var folder = trouble.EndsWith("block", StringComparison.Ordinal) ? "/blocks/" : "/logs/";
        if (isStore)
        {
            rig.Store.Trouble = (_, request, key) => request == StoreRequest.Put && key.Contains(folder, StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        }
        else
        {
            rig.Storage.Files.Fault = operation => operation.Kind == FileOperationKind.Create && operation.Path.Contains(folder, StringComparison.Ordinal)
                && (folder == "/blocks/" || operation.Path.Contains("/date=", StringComparison.Ordinal)) ? FileFault.InputOutput : null;
        }

        await rig.PassAsync(TimeSpan.FromHours(48), TimeSpan.FromHours(2), fails: isStore);
        Assert.True(rig.RawObjects.Count() >= 20);
        Assert.Equal(0, rig.Lander.Status.ObjectsCovered);
        Assert.Equal(default, rig.State.Covered);
        Assert.Equal(folder == "/logs/", rig.BlocksThere.Any()); // one does not hold up the other

        (rig.Storage.Files.Fault, rig.Store.Trouble) = (null, static (_, _, _) => StoreTrouble.None);
        await rig.PassAsync(TimeSpan.FromHours(48), TimeSpan.FromHours(2));
        Assert.True(rig.Lander.Status.ObjectsCovered > 20);
        await AssertNothingIsMissingAsync(rig);
    }

    [Fact]
    public async Task Objects_that_remain_of_a_day_are_few()
    {
        await using var rig = new StoredRig();
        for (var hour = 0; hour < 8 * 24; hour++)
        {
            await rig.Storage.SendAsync(logs: [Line(rig, $"line {hour}")]);
            await rig.PassAsync(TimeSpan.FromHours(1));
        }

        Assert.InRange(rig.Objects.Count(static path => path.Contains("/blocks/", StringComparison.Ordinal)), 1, 200);
        Assert.InRange(rig.RawObjects.Count(), 1, 24 * 8 * 2 / 3); // of a day and some hours
        var blocksOfOldDays = rig.Storage.Series.Blocks.Metas.Count(meta => meta.MaxTime < rig.Storage.Now.Add(-TimeSpan.FromDays(5)).Value);
        Assert.InRange(blocksOfOldDays, 1, 3);
        await AssertNothingIsMissingAsync(rig);
    }

    [Fact]
    public async Task A_day_takes_no_more_than_two_puts_a_minute_for_any_number_of_agents()
    {
        await using var rig = new StoredRig(objectSizeMax: LanderParts.UsualObjectSizeMax);
        const int Minutes = 24 * 60;
        for (var minute = 0; minute < Minutes; minute++)
        {
            for (var agent = 0; agent < 5; agent++)
            {
                await rig.Storage.SendAsync(agent: $"a{(minute * 5) + agent}", logs: [Line(rig, $"line {minute} {agent}")]);
            }

            await rig.PassAsync(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        }

        var puts = rig.Store.Puts;
        Assert.True(puts.Count is >= Minutes and <= 2 * Minutes, $"{puts.Count}: {string.Join(", ", puts.CountBy(static key => key.Split('/')[1]))}");
    }

    [Fact]
    public async Task A_raw_object_with_alerts_stays_as_long_as_they_do_here()
    {
        await using var rig = new StoredRig();
        await rig.Storage.SendAsync(hasAlert: true);
        Assert.True(await rig.LandAsync());
        var alerts = rig.RawObjects.First();
        await rig.PassAsync(TimeSpan.FromHours(60), TimeSpan.FromHours(2));
        Assert.Contains(alerts, rig.RawObjects);
        Assert.True(rig.Lander.Status.ObjectsCovered > 0);
    }

    [Fact]
    public async Task Raw_objects_of_what_was_damaged_here_stay_until_retention_days()
    {
        await using var rig = new StoredRig { Retention = TimeSpan.FromDays(5) };
        await rig.PassAsync(TimeSpan.FromHours(1));
        var first = rig.RawObjects.First();
        var covered = rig.State.Covered;
        rig.State.Keep(new KeptRange(covered, rig.Storage.Spool.End, IsHole: false));
        await rig.PassAsync(TimeSpan.FromHours(60), TimeSpan.FromHours(2));
        Assert.Contains(first, rig.RawObjects);
        Assert.True(rig.Lander.Status.ObjectsCovered > 0);
        await rig.PassAsync(TimeSpan.FromDays(4), TimeSpan.FromHours(4));
        Assert.DoesNotContain(first, rig.RawObjects);
    }

    [Fact]
    public async Task Damage_that_is_found_keeps_raw_objects_of_what_did_not_count_as_covered()
    {
        await using var rig = new StoredRig();
        await rig.PassAsync(TimeSpan.FromHours(7));
        rig.SaveState();
        foreach (var path in rig.Storage.Files.AllFiles("/spool/head").Where(static path => !path.EndsWith("manifest", StringComparison.Ordinal)))
        {
            rig.Storage.Files.Corrupt(path, 20, 0xff, 0xff, 0xff, 0xff);
        }

        await using var restarted = await rig.AfterKillAsync();
        Assert.True(restarted.Storage.Series.HeadFilesDamaged > 0);
        Assert.True(await restarted.LandAsync(), restarted.Lander.Status.Trouble);
        var kept = Assert.Single(restarted.State.Kept);
        Assert.Equal((restarted.State.Covered, restarted.Storage.Spool.End, false), (kept.From, kept.To, kept.IsHole));
    }

    [Fact]
    public async Task The_store_that_takes_no_deletions_holds_up_no_landing()
    {
        await using var rig = new StoredRig();
        rig.Store.Trouble = static (_, request, key) => request == StoreRequest.Delete && !key.Contains("/probe/", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await rig.PassAsync(TimeSpan.FromHours(40), TimeSpan.FromHours(1));
        Assert.Single(rig.Logger.Of(2619));
        Assert.Equal(0, rig.Lander.Status.PendingBytes);
        Assert.Equal(0, rig.Lander.Status.BlocksWaiting);
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        await rig.PassAsync(TimeSpan.FromHours(2));
        Assert.True(rig.Lander.Status.ObjectsCovered > 0);
    }

    [Fact]
    public async Task A_damaged_raw_object_stays_and_those_behind_it_go_by_retention_days()
    {
        await using var rig = new StoredRig { Retention = TimeSpan.FromDays(5) };
        await rig.PassAsync(TimeSpan.FromHours(4));
        var raw = rig.RawObjects.ToArray();
        Assert.True(raw.Length > 2);
        rig.State.Keep(new KeptRange(default, rig.Storage.Spool.End, IsHole: false)); // they go by their age alone
        rig.Bucketed.Corrupt(raw[0], rig.Bucketed.Peek(raw[0]).Length - 20, 0xff, 0xff, 0xff, 0xff);

        await rig.PassAsync(TimeSpan.FromDays(7), TimeSpan.FromHours(4));

        Assert.Contains(raw[0], rig.Objects);
        Assert.DoesNotContain(rig.Objects, raw[1..].Contains);
        Assert.Single(rig.Logger.Of(2621));
    }

    [Theory]
    [InlineData("/blocks/")]
    [InlineData("/raw/")]
    [InlineData("/logs/")]
    public async Task What_a_stores_client_throws_that_is_no_failure_of_a_store_holds_up_no_landing_and_nothing_else_of_tidying(string broken)
    {
        await using var rig = new StoredRig { Retention = TimeSpan.FromDays(2) };
        await rig.Storage.SendAsync(logs: [Line(rig, "first")]);
        await rig.PassAsync(TimeSpan.FromHours(5));
        string[] folders = ["/blocks/", "/raw/", "/logs/"];
        var first = folders.ToDictionary(static folder => folder, folder => rig.Objects.First(path => path.Contains(folder, StringComparison.Ordinal)));
        rig.Store.Trouble = (_, request, key) => request == StoreRequest.Delete && key.Contains(broken, StringComparison.Ordinal)
            ? throw new InvalidOperationException("what nobody thought of") : StoreTrouble.None;

        await rig.PassAsync(TimeSpan.FromDays(6), TimeSpan.FromHours(4));

        Assert.NotEmpty(rig.Logger.Of(2622));
        Assert.Equal(0, rig.Lander.Status.PendingBytes);
        Assert.Equal(0, rig.Lander.Status.BlocksWaiting);
        Assert.Equal([broken], folders.Where(folder => rig.Objects.Contains(first[folder])));

        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        await rig.PassAsync(TimeSpan.FromHours(8), TimeSpan.FromHours(4));
        Assert.DoesNotContain(first[broken], rig.Objects);
    }

    [Fact]
    public async Task Days_of_log_files_go_by_retention_days_index_first_and_do_not_come_again()
    {
        await using var rig = new StoredRig { Retention = TimeSpan.FromDays(2) };
        await rig.Storage.SendAsync(logs: [Line(rig, "old")]);
        await rig.PassAsync(TimeSpan.FromHours(4));
        var file = rig.Objects.Single(static path => path.EndsWith(".ndjson.zst", StringComparison.Ordinal));
        await rig.PassAsync(TimeSpan.FromDays(4), TimeSpan.FromHours(4));
        Assert.DoesNotContain(rig.Objects, static path => path.Contains("/logs/", StringComparison.Ordinal));
        Assert.Equal([".idx", ".zst"], rig.Store.Deletes.Where(static key => key.Contains("/logs/", StringComparison.Ordinal)).Select(Path.GetExtension));
        Assert.Single(rig.Storage.Logs.SealedFiles); // local_retention_days is longer here
        await using var restarted = await rig.AfterKillAsync();
        await restarted.PassAsync(TimeSpan.FromHours(2));
        Assert.DoesNotContain(file, restarted.Objects);
    }

    [Fact]
    public async Task Log_files_stay_here_until_they_are_verified_there()
    {
        await using var rig = new StoredRig();
        await rig.Storage.SendAsync(logs: [Line(rig, "kept")]);
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;
        await rig.PassAsync(TimeSpan.FromHours(4), lands: false);
        rig.Storage.Settings = rig.Storage.Settings with { LocalSizeMax = 1, LocalRetention = TimeSpan.FromHours(1) };
        Assert.False(await rig.LandAsync());
        rig.Storage.Keep();
        Assert.Single(rig.Storage.Logs.SealedFiles);
        Assert.Equal(1, rig.Storage.Logs.Held);
        rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.True(await rig.LandAsync(), rig.Lander.Status.Trouble);
        rig.Storage.Keep();
        Assert.Empty(rig.Storage.Logs.SealedFiles);
        Assert.Equal(0, rig.Storage.Logs.Held);
    }

    [Fact]
    public void The_room_that_files_take_which_may_not_go_is_made_by_others_and_told()
    {
        var space = new LocalSpace();
        space.SetBlocks([new LocalFile(10, 100, MayGo: false), new LocalFile(20, 100)]);
        space.SetLogs([new LocalFile(5, 50, MayGo: false), new LocalFile(30, 50)]);
        Assert.Equal(20, space.ExcessUntil(200));
        Assert.Equal(30, space.ExcessUntil(150));
        Assert.Equal(30, space.ExcessUntil(1));
        Assert.Equal(0, space.HeldBytes(300));
        Assert.Equal(149, space.HeldBytes(151)); // until the others have gone, which takes a moment
        Assert.Equal(150, space.HeldBytes(1));
    }

    [Fact]
    public async Task Readiness_says_that_local_files_wait_for_the_store()
    {
        await using var rig = new StoredRig();
        var held = default(HeldFiles);
        var readiness = new Readiness(rig.Storage.Spool, rig.Storage.Clock, static () => 0, static () => 0, static () => 0, static () => false, rig.Storage.Bound) { Held = () => held };
        readiness.ReplayDone();
        Assert.Empty(readiness.Report().Lines);
        held = new HeldFiles(2, 77);
        var report = readiness.Report();
        Assert.True(report.IsReady); // batches are taken as before
        Assert.StartsWith("local_held: 2 blocks and log files older than local_retention_days, and 77 bytes", Assert.Single(report.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_fails_or_is_killed_every_acknowledged_sample_is_in_blocks_or_raw_objects_there()
    {
        var deleted = 0;
        for (var seed = 1; seed <= 6; seed++)
        {
            var random = new Random(seed);
            var rig = new StoredRig();
            for (var step = 0; step < 90; step++)
            {
                TimeSpan[] ages = [TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromHours(3), TimeSpan.FromHours(random.Next(400))];
                await rig.Storage.SendAsync(ages[random.Next(ages.Length)], agent: $"a{random.Next(3)}");
                rig.Storage.Time.Advance(TimeSpan.FromMinutes(random.Next(180)));
                var (first, count, trouble) = (rig.Store.Calls, random.Next(25), (StoreTrouble)random.Next(3));
                rig.Store.Trouble = (call, _, _) => call - first == count ? trouble : StoreTrouble.None;
                rig.Storage.Series.Checkpoint();
                rig.Storage.Logs.Checkpoint();
                rig.Storage.Keep();
                await rig.LandAsync();
                if (random.Next(4) == 0)
                {
                    rig.SaveState();
                    rig.Storage.Trim.Run(rig.Storage.Settings);
                }

                if (random.Next(9) == 0)
                {
                    var old = rig;
                    deleted += Deleted(old);
                    rig = await rig.AfterKillAsync();
                    await old.DisposeAsync();
                }
            }

            rig.Store.Trouble = static (_, _, _) => StoreTrouble.None;
            Assert.True(await rig.LandAsync() || await rig.LandAsync(), $"seed {seed}: {rig.Lander.Status.Trouble}");
            await AssertNothingIsMissingAsync(rig);
            deleted += Deleted(rig);
            await rig.DisposeAsync();
        }

        Assert.True(deleted > 20, $"{deleted} raw objects were deleted: the test shows less than it says");

        static int Deleted(StoredRig rig) => rig.Store.Deletes.Count(static key => key.EndsWith(".lmf", StringComparison.Ordinal));
    }

    // By what is in the store alone.
    private static async Task AssertNothingIsMissingAsync(StoredRig rig)
    {
        var found = rig.InBucket();
        var there = Enumerable.Range(0, found.Count).SelectMany(i => found.Samples(i).Select(sample => $"{found.Names()[i]} {sample.Time} {sample.Value}")).ToHashSet();
        Assert.Equal(there.Count, found.SampleCount);
        var raw = new HashSet<(string Agent, ulong Sequence)>();
        var store = new DirectoryObjectStore(rig.Bucketed, LandingRig.Bucket, "reader", new StoreCounters());
        var ends = new Dictionary<Guid, JournalPosition>();
        foreach (var path in rig.RawObjects)
        {
            var read = await RawObjectReader.ReadAsync(store, Path.GetRelativePath(LandingRig.Bucket, path), TestContext.Current.CancellationToken);
            Assert.NotNull(read?.Manifest);
            Assert.True(ends.GetValueOrDefault(read.Manifest.Incarnation) <= read.Manifest.From, "objects overlap");
            ends[read.Manifest.Incarnation] = read.Manifest.End;
            foreach (var queue in read.Manifest.Queues)
            {
                raw.UnionWith(queue.Sequences.SelectMany(range => Enumerable.Range((int)range.Start, (int)(range.End - range.Start + 1)).Select(sequence => (queue.AgentId, (ulong)sequence))));
            }
        }

        // A sample's value is its sequence.
        var missing = rig.Storage.Truth.Samples.Where(sample => !there.Contains(sample) && !raw.Contains((sample.Split("instance=\"")[1].Split('"')[0], ulong.Parse(sample.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture))));
        Assert.Empty(missing);
        Assert.Empty(there.Except(rig.Storage.Truth.Samples));
    }

    private static LogRecord Line(StoredRig rig, string body) => new(rig.Storage.Now, 9, body, []);
}
