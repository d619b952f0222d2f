using Lm.Collector.Landing;
using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Label = Lm.Tsdb.Label;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>What retention takes out of a bucket that collectors share, and what it leaves.</summary>
public sealed class SharedTidyTests : IAsyncLifetime
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(10);
    private static readonly string[] OldFolders = ["/blocks/", "/logs/", "/shared/files/"];

    private MemoryFileSystem bucket = new();
    private SharedMember one = null!;
    private SharedFilesRig rig = null!;
    private string[] old = []; // what is older than retention_days: blocks, log files, and what tells of them
    private UnixMillis proven;

    private DateTimeOffset Now => one.Rig.Time.GetUtcNow();

    /// <summary>Two sets of files, one of them too old; and one that waits, as another collector builds it now.</summary>
    public async ValueTask InitializeAsync()
    {
        one = await SharedMember.StartAsync(bucket, "one");
        rig = new SharedFilesRig(bucket, one.Rig.Time);
        await SendAsync(1, TimeSpan.FromDays(11.5));
        await rig.FileAllAsync();
        old = [.. Paths.Where(static path => OldFolders.Any(path.StartsWith))];
        await SendAsync(2, TimeSpan.FromDays(12), TimeSpan.FromHours(1));
        await rig.FileAllAsync();
        old = [.. old, .. Paths.Where(path => path.StartsWith("/logs/", StringComparison.Ordinal) && path.Contains(DateOf(TimeSpan.FromDays(12)), StringComparison.Ordinal))];
        await SendAsync(3, TimeSpan.FromMinutes(1));
        await rig.Member.FollowAsync(TestContext.Current.CancellationToken);
        await rig.Builder.RunAsync(TestContext.Current.CancellationToken);
        Assert.True(await rig.Member.CommitAsync(await rig.Files.MakeAsync(rig.Files.PlanFiles()!, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken));
        proven = UnixMillis.Now(one.Rig.Time);
        var blocks = BlocksThere();
        old = [.. old.Where(static path => !path.StartsWith("/blocks/", StringComparison.Ordinal)).Distinct(), .. Paths.Where(path => blocks.Any(block => IsOld(block) && IsOf(path, block.Id)))];
        Assert.Equal(2, blocks.Count(IsOld));
        Assert.Contains(blocks, block => !IsOld(block));
    }

    public async ValueTask DisposeAsync()
    {
        rig.Dispose();
        await one.DisposeAsync();
    }

    [Fact]
    public async Task What_is_too_old_goes_logs_at_once_blocks_two_days_after_their_mark_and_then_what_tells_of_them_and_nothing_else_ever()
    {
        var before = Paths;
        var store = NewStore();
        await NewTidy(store).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(old.Where(static path => path.StartsWith("/logs/", StringComparison.Ordinal)).Order(), before.Except(Paths).Order());
        AssertInOrder(store.Deletes, static key => key.EndsWith(".idx", StringComparison.Ordinal), static key => key.EndsWith(".zst", StringComparison.Ordinal));
        var marks = Paths.Except(before).ToArray();
        Assert.Equal(2, marks.Length);
        Assert.All(marks, path => Assert.True(path.EndsWith("/deletion-mark.json", StringComparison.Ordinal) && old.Any(each => each.StartsWith(path[..path.LastIndexOf('/')], StringComparison.Ordinal)), path));

        Pass(TimeSpan.FromHours(47));
        store = NewStore();
        await NewTidy(store).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(store.Deletes); // whoever reads them may finish

        Pass(TimeSpan.FromHours(2));
        store = NewStore();
        await NewTidy(store).RunAsync(TestContext.Current.CancellationToken); // another one ends what was begun
        Assert.Equal(before.Except(old).Order(), Paths.Order());
        foreach (var folder in marks.Select(static path => path[..(path.LastIndexOf('/') + 1)]))
        {
            string[] deleted = [.. store.Deletes.Where(key => ("/" + key).Contains(folder, StringComparison.Ordinal)).Select(static key => key.Split('/')[^1]).Distinct()];
            Assert.Equal(("meta.json", "deletion-mark.json"), (deleted[0], deleted[^1]));
        }

        var (faults, text) = await rig.VerifyAsync(proven.Add(TimeSpan.FromDays(36) - Retention)); // as --verify asks, with the usual backfill_days
        Assert.True(faults == 0, text);
    }

    [Theory]
    [InlineData(StoreTrouble.FailsBefore)]
    [InlineData(StoreTrouble.FailsAfter)]
    public async Task After_a_failure_at_any_request_nothing_is_half_there_and_another_one_ends_it(object trouble)
    {
        var (begin, whole) = (bucket, Paths);
        foreach (var isMarked in (bool[])[false, true])
        {
            if (isMarked)
            {
                await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
                Pass(TimeSpan.FromHours(49));
                begin = bucket;
            }

            for (var (at, hasFailed) = (0, true); hasFailed; at++)
            {
                bucket = SharedFilesRig.CopyOf(begin);
                var store = NewStore();
                store.Trouble = (call, _, _) => call > at ? StoreTrouble.FailsBefore : call == at ? (StoreTrouble)trouble : StoreTrouble.None;
                hasFailed = await Record.ExceptionAsync(() => NewTidy(store).RunAsync(TestContext.Current.CancellationToken)) is ObjectStoreException;
                AssertNothingIsHalfThere();
                Assert.Empty(whole.Except(old).Except(Paths));

                var rest = NewTidy(NewStore());
                await rest.RunAsync(TestContext.Current.CancellationToken);
                proven = UnixMillis.Now(one.Rig.Time).Add(TimeSpan.FromHours(49));
                await rest.RunAsync(TestContext.Current.CancellationToken);
                Assert.Equal(whole.Except(old).Order(), Paths.Order());
                proven = UnixMillis.Now(one.Rig.Time);
            }
        }
    }

    [Fact]
    public async Task Where_blocks_cannot_be_asked_for_log_files_go_all_the_same_and_what_tells_of_blocks_stays()
    {
        Pass(TimeSpan.FromDays(3));
        var store = NewStore();
        store.Trouble = static (_, _, key) => key.Contains("/blocks/", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        var before = Paths;

        await Assert.ThrowsAsync<ObjectStoreException>(() => NewTidy(store).RunAsync(TestContext.Current.CancellationToken));

        Assert.Equal(old.Where(static path => path.StartsWith("/logs/", StringComparison.Ordinal)).Order(), before.Except(Paths).Order());
    }

    [Fact]
    public async Task A_clock_that_leaps_ahead_deletes_nothing()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var before = Paths;
        one.Rig.Time.JumpWallClock(TimeSpan.FromDays(400)); // what is proven stays

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before, Paths);
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(400)]
    public async Task Blocks_that_were_marked_by_a_wrong_clock_go_two_days_after_it_is_right(int daysOff)
    {
        one.Rig.Time.JumpWallClock(TimeSpan.FromDays(daysOff));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.Contains(Paths, static path => path.EndsWith("deletion-mark.json", StringComparison.Ordinal));
        one.Rig.Time.JumpWallClock(TimeSpan.FromDays(-daysOff));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var marked = old.Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal)).ToArray();

        Pass(TimeSpan.FromHours(47));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(marked.Except(Paths));

        Pass(TimeSpan.FromHours(2));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(marked.Intersect(Paths));
    }

    [Fact]
    public async Task A_longer_retention_takes_marks_away_again()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Pass(TimeSpan.FromHours(49));

        await NewTidy(NewStore(), retention: TimeSpan.FromDays(400)).RunAsync(TestContext.Current.CancellationToken);

        // What is kept is worth merging.
        Assert.All(Paths.Where(static path => path.EndsWith("deletion-mark.json", StringComparison.Ordinal)), path => Assert.Contains("replaced by", System.Text.Encoding.UTF8.GetString(bucket.Peek(Full(path))), StringComparison.Ordinal));
        Assert.Equal(old.Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal)).Order(), Paths.Where(old.Contains).Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task Blocks_of_others_and_marks_of_others_and_what_is_being_published_are_left_alone()
    {
        var blocks = BlocksThere().Where(IsOld).ToArray();
        // One is a collector's own, one has Thanos' mark; and a block that another collector is putting has no meta.json yet.
        Put(blocks[0] with { ExternalLabels = [new Label("lightmetrics_stream", "one")] });
        bucket.Put(PathOf(blocks[1].Id, DeletionMark.FileName), new DeletionMark(blocks[1].Id, Now.AddDays(-30), "outdated").ToJson());
        var being = BlocksThere().First(block => !IsOld(block));
        bucket.Delete(PathOf(being.Id, BlockMeta.FileName));
        var before = Paths;

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Pass(TimeSpan.FromHours(49));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before.Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal)), Paths.Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Where_others_compact_blocks_are_theirs_alone()
    {
        var before = Paths;
        await NewTidy(NewStore(), isExternal: true).RunAsync(TestContext.Current.CancellationToken);
        Pass(TimeSpan.FromHours(49));
        await NewTidy(NewStore(), isExternal: true).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(old.Where(static path => !path.StartsWith("/blocks/", StringComparison.Ordinal)).Order(), before.Except(Paths).Order());
        Assert.Empty(Paths.Except(before));
    }

    [Fact]
    public async Task What_tells_of_sets_goes_from_the_first_upwards_so_that_no_gap_looks_like_a_loss()
    {
        // The first set to be as new as the second, which is then too old alone: a backlog.
        var first = Paths.Where(static path => path.StartsWith("/shared/files/", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, first.Length);
        var (younger, older) = (LandingRig.Keys.SharedFiles(1, 1, proven.Value), LandingRig.Keys.SharedFiles(2, 2, proven.Add(-TimeSpan.FromDays(20)).Value));
        foreach (var (path, key) in first.Zip([younger, older]))
        {
            bucket.Put($"{LandingRig.Bucket}/{key}", bucket.Peek(Full(path)));
            bucket.Delete(Full(path));
        }

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal([younger, older], Paths.Where(static path => path.StartsWith("/shared/files/", StringComparison.Ordinal)).Select(static path => "fleet-a" + path));

        Pass(Retention + TimeSpan.FromDays(3));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken); // marks the blocks
        Pass(TimeSpan.FromHours(49));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(Paths, static path => path.StartsWith("/shared/files/", StringComparison.Ordinal));
    }

    // Below the prefix.
    private string[] Paths => [.. bucket.AllFiles(LandingRig.Bucket).Where(static path => path.Contains("/fleet-a/", StringComparison.Ordinal)).Select(static path => path[(LandingRig.Bucket + "/fleet-a").Length..]).Order(StringComparer.Ordinal)];

    private static string Full(string path) => LandingRig.Bucket + "/fleet-a" + path;

    private static string PathOf(Ulid block, string file) => $"{LandingRig.Bucket}/{LandingRig.Keys.Block(block.ToString(), file)}";

    private static bool IsOf(string path, Ulid block) => path.StartsWith($"/blocks/{block}/", StringComparison.Ordinal);

    private static void AssertInOrder(IEnumerable<string> keys, Func<string, bool> first, Func<string, bool> then)
    {
        foreach (var folder in keys.Where(key => first(key) || then(key)).GroupBy(static key => key.Split("/hour=")[0]))
        {
            Assert.True(folder.Any(first) && folder.Any(then));
            Assert.DoesNotContain(folder.SkipWhile(first), each => first(each));
        }
    }

    private bool IsOld(BlockMeta block) => block.MaxTime <= proven.Add(-Retention).Value;

    private string DateOf(TimeSpan ago) => (Now - ago).ToString("'date='yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private void Put(BlockMeta meta) => bucket.Put(PathOf(meta.Id, BlockMeta.FileName), meta.ToJson());

    private async Task SendAsync(ulong sequence, params TimeSpan[] ago)
    {
        var encoder = new BatchEncoder();
        encoder.Begin(one.Rig.Now, 15_000, []);
        encoder.AddSamples(new MetricDescriptor("m", MetricType.Gauge, "", ""), [], [.. ago.Select(each => one.Rig.Now.Add(-each))], [.. ago.Select(_ => (double)sequence)]);
        foreach (var each in ago)
        {
            encoder.AddLog(new LogRecord(one.Rig.Now.Add(-each), 9, "line", [new Lm.Protocol.Label("input", "app")]));
        }

        var frame = encoder.EncodeFrame(new BatchKey("a1", new QueueId(7), new SequenceRange(sequence, sequence))).ToArray();
        Assert.Equal(FrameOutcome.Accepted, (await one.Rig.SendFrameAsync(sequence, frame)).Outcome);
    }

    private void Pass(TimeSpan by)
    {
        one.Rig.Time.Advance(by);
        proven = UnixMillis.Now(one.Rig.Time);
    }

    private FaultyStore NewStore() => new(new DirectoryObjectStore(bucket, LandingRig.Bucket, "tidy", new StoreCounters()));

    private SharedTidy NewTidy(IObjectStore store, bool isExternal = false, TimeSpan? retention = null) =>
        SharedFilesRig.NewTidy(store, one.Rig.Time, () => proven, retention ?? Retention, isExternal);

    private BlockMeta[] BlocksThere() =>
        [.. Paths.Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal) && path.EndsWith("/meta.json", StringComparison.Ordinal)).Select(path => BlockMeta.Parse(path, bucket.Peek(Full(path))))];

    // A block whose meta.json is there is whole, and so is a log file whose index is.
    private void AssertNothingIsHalfThere()
    {
        foreach (var path in Paths.Where(static path => path.StartsWith("/blocks/", StringComparison.Ordinal) && path.EndsWith("/meta.json", StringComparison.Ordinal)))
        {
            var meta = BlockMeta.Parse(path, bucket.Peek(Full(path)));
            Assert.All(meta.Files, file => Assert.True(bucket.Exists(PathOf(meta.Id, file.Path)), $"{path} is there, and not {file.Path}"));
        }

        Assert.All(Paths.Where(static path => path.StartsWith("/logs/", StringComparison.Ordinal) && path.EndsWith(".idx", StringComparison.Ordinal)),
            path => Assert.Contains(path.Replace(".idx", ".ndjson.zst", StringComparison.Ordinal), Paths));
    }
}
