using Lm.Collector.Bucket;
using Lm.Collector.SharedLog;
using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Merging of the blocks in a bucket that collectors share: whatever happens meanwhile, each sample answers.</summary>
public sealed class SharedMergeTests : IAsyncLifetime
{
    private const int Sets = 24;
    private const long TwoDays = 48 * 3_600_000;
    private const string DeletionMark = "deletion-mark.json";

    private static readonly TimeSpan Retention = TimeSpan.FromDays(400);

    private MemoryFileSystem bucket = new();
    private SharedMember one = null!;
    private SharedFilesRig rig = null!;
    private List<(long Time, double Value)> whole = [];

    private UnixMillis Now => UnixMillis.Now(one.Rig.Time);

    /// <summary>Five days of sets of files, one each five hours.</summary>
    public async ValueTask InitializeAsync()
    {
        one = await SharedMember.StartAsync(bucket, "one");
        rig = new SharedFilesRig(bucket, one.Rig.Time);
        for (var sequence = 1UL; sequence <= Sets; sequence++)
        {
            await FileAsync(sequence, Now);
            one.Rig.Time.Advance(TimeSpan.FromHours(5));
        }

        whole = rig.Samples();
        Assert.Equal(Sets, whole.Distinct().Count());
        Assert.Equal(Sets, whole.Count);
    }

    public async ValueTask DisposeAsync()
    {
        rig.Dispose();
        await one.DisposeAsync();
    }

    [Fact]
    public async Task Two_days_become_one_block_when_they_are_over_and_those_that_it_replaces_go_two_days_later()
    {
        var before = BlocksThere();
        Assert.Equal(Sets, before.Length);
        var over = before.GroupBy(StartOf).Where(days => days.Key + TwoDays + TimeSpan.FromHours(6).TotalMilliseconds <= Now.Value).ToDictionary(static days => days.Key, static days => days.ToArray());
        Assert.Contains(over.Values, static days => days.Length > 5);

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        Assert.Equal(over.Keys.Order(), merged.Select(StartOf).Order());
        Assert.All(merged, block => Assert.Equal(over[StartOf(block)].Select(static each => each.Id).Order(), block.Sources));
        Assert.All(merged, static block => Assert.Equal(FileMaker.Labels, block.ExternalLabels));
        Assert.Equal(before.Length + merged.Length, BlocksThere().Length);
        Assert.Equal(over.Values.Sum(static days => days.Length), Marks());
        await AssertWholeAsync();

        one.Rig.Time.Advance(TimeSpan.FromHours(49));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(over.Values.SelectMany(static days => days).Select(static block => block.Id).Intersect(BlocksThere().Select(static block => block.Id)));
        Assert.Subset(BlocksThere().Select(static block => block.Id).ToHashSet(), merged.Select(static block => block.Id).ToHashSet());
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Late_samples_are_merged_in_and_nothing_of_the_days_is_lost()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var first = BlocksThere().Where(static block => block.Level > 1).MinBy(static block => block.MinTime)!;
        await FileAsync(Sets + 1, new UnixMillis(first.MinTime + 1));
        whole = rig.Samples();
        Assert.Equal(Sets + 1, whole.Count);

        one.Rig.Time.Advance(TimeSpan.FromHours(25));
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        Assert.Contains(BlocksThere(), block => block.Replaces(first) && block.Sources.Count == first.Sources.Count + 1);
        await AssertWholeAsync();
    }

    [Theory]
    [InlineData(StoreTrouble.FailsBefore)]
    [InlineData(StoreTrouble.FailsAfter)]
    public async Task After_a_failure_at_any_request_each_sample_answers_once_and_another_one_ends_it(object trouble)
    {
        var begin = bucket;
        for (var (at, calls) = (0, int.MaxValue); at < calls; at++)
        {
            bucket = SharedFilesRig.CopyOf(begin);
            var store = NewStore();
            store.Trouble = (call, _, _) => call > at ? StoreTrouble.FailsBefore : call == at ? (StoreTrouble)trouble : StoreTrouble.None;
            await Record.ExceptionAsync(() => NewTidy(store).RunAsync(TestContext.Current.CancellationToken));
            await AssertWholeAsync(verifies: false);

            store = NewStore();
            await NewTidy(store).RunAsync(TestContext.Current.CancellationToken);
            Assert.Contains(BlocksThere(), static block => block.Level > 1);
            await AssertWholeAsync(verifies: at % 20 == 0);
            calls = store.Calls;
        }
    }

    [Fact]
    public async Task One_that_sleeps_for_days_before_its_last_put_doubles_nothing_for_long()
    {
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        var sleepy = NewStore();
        sleepy.Holding = key => key.EndsWith("/meta.json", StringComparison.Ordinal) && reached.TrySetResult() ? released.Task : Task.CompletedTask;
        var sleeper = NewTidy(sleepy).RunAsync(TestContext.Current.CancellationToken);
        await reached.Task;
        await TidyForDaysAsync();
        Assert.All(BlocksThere().GroupBy(StartOf), static days => Assert.Single(days));

        released.SetResult();
        await sleeper;
        Assert.Contains(BlocksThere().GroupBy(StartOf), static days => days.Count() > 1);
        Assert.Equal(whole, (await SamplesAsync()).Distinct());

        await TidyForDaysAsync();
        Assert.All(BlocksThere().GroupBy(StartOf), static days => Assert.Single(days));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task What_a_merge_that_was_cut_short_left_is_deleted_by_its_own_collector_and_by_no_other()
    {
        var store = NewStore();
        store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.EndsWith("/index", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Assert.ThrowsAsync<ObjectStoreException>(() => NewTidy(store).RunAsync(TestContext.Current.CancellationToken));
        string[] rests = [.. Folders().Where(folder => !bucket.Exists($"{folder}/meta.json"))];
        Assert.NotEmpty(rests);

        for (var day = 0; day < 10; day++)
        {
            one.Rig.Time.Advance(TimeSpan.FromDays(1));
            await NewTidy(NewStore(), sizeMax: 100, collector: "two").RunAsync(TestContext.Current.CancellationToken);
        }

        Assert.Subset(Folders().ToHashSet(), rests.ToHashSet());
        await NewTidy(NewStore(), sizeMax: 100).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(rests.Intersect(Folders()));
        await NewTidy(NewStore(), sizeMax: 100).RunAsync(TestContext.Current.CancellationToken); // nothing of it came since
        Assert.DoesNotContain(bucket.AllFiles(LandingRig.Bucket), static path => path.Contains("/shared/merges/", StringComparison.Ordinal));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task One_that_sleeps_for_days_while_nobody_else_can_merge_loses_and_hides_nothing()
    {
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        var sleepy = NewStore();
        sleepy.Holding = key => key.EndsWith("/meta.json", StringComparison.Ordinal) && reached.TrySetResult() ? released.Task : Task.CompletedTask;
        var tidy = NewTidy(sleepy);
        var sleeper = tidy.RunAsync(TestContext.Current.CancellationToken);
        await reached.Task;
        var other = NewTidy(NewStore(), sizeMax: 100, collector: "two");
        await TidyTwiceAsync();
        released.SetResult();
        await sleeper;
        await AssertWholeAsync();

        await TidyTwiceAsync();
        await AssertWholeAsync();
        var hasFailed = false;
        sleepy.Trouble = (_, request, _) => request == StoreRequest.List && !hasFailed && (hasFailed = true) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Record.ExceptionAsync(() => tidy.RunAsync(TestContext.Current.CancellationToken));
        Assert.True(hasFailed);
        await AssertWholeAsync();

        async Task TidyTwiceAsync()
        {
            await other.RunAsync(TestContext.Current.CancellationToken);
            one.Rig.Time.Advance(TimeSpan.FromHours(49));
            await other.RunAsync(TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("index")]
    [InlineData("meta.json")]
    public async Task What_its_own_collector_finds_damaged_of_a_merge_it_does_not_delete(string file)
    {
        var store = NewStore();
        store.Trouble = static (_, request, key) => request == StoreRequest.Delete && key.Contains("/shared/merges/", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Record.ExceptionAsync(() => NewTidy(store).RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains(bucket.AllFiles(LandingRig.Bucket), static path => path.Contains("/shared/merges/", StringComparison.Ordinal));
        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        foreach (var block in merged)
        {
            rig.Damage(PathOf(block.Id, file), 0);
            if (file == "index")
            {
                bucket.Delete(PathOf(block.Id, file));
            }
        }

        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);

        Assert.All(merged, block => Assert.True(bucket.Exists(PathOf(block.Id, "meta.json")) && bucket.Exists(PathOf(block.Id, "chunks/000001"))));
    }

    [Fact]
    public async Task One_that_lacks_its_files_goes_and_its_twin_that_has_them_stays_whatever_happens_to_marks()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var twin = BlocksThere().First(static block => block.Level > 1);
        var hollow = twin with { Id = new Ulid(1) };
        bucket.CreateDirectory(Path.GetDirectoryName(PathOf(hollow.Id, "x"))!);
        bucket.Put(PathOf(hollow.Id, "meta.json"), hollow.ToJson());
        await NewTidy(NewStore(), sizeMax: 1, retention: TimeSpan.FromHours(1)).RunAsync(TestContext.Current.CancellationToken);
        Assert.True(bucket.Exists(PathOf(hollow.Id, DeletionMark)) && bucket.Exists(PathOf(twin.Id, DeletionMark)));
        one.Rig.Time.Advance(TimeSpan.FromHours(49));

        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);
        one.Rig.Time.Advance(TimeSpan.FromHours(49));
        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);

        Assert.True(bucket.Exists(PathOf(twin.Id, "meta.json")));
        Assert.False(bucket.Exists(PathOf(hollow.Id, "meta.json")));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task A_round_that_sleeps_for_days_behind_its_list_deletes_nothing_by_it()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        one.Rig.Time.Advance(TimeSpan.FromHours(1));
        var (before, hasSlept) = (BlocksThere().Select(static block => block.Id).ToArray(), false);
        var store = NewStore();
        store.Trouble = (_, request, key) =>
        {
            if (!hasSlept && request == StoreRequest.Get && key.EndsWith("/" + DeletionMark, StringComparison.Ordinal))
            {
                hasSlept = true;
                one.Rig.Time.Advance(TimeSpan.FromDays(3));
            }

            return hasSlept && request == StoreRequest.List ? StoreTrouble.FailsBefore : StoreTrouble.None; // this round alone
        };

        await Record.ExceptionAsync(() => NewTidy(store, sizeMax: 1).RunAsync(TestContext.Current.CancellationToken));

        Assert.True(hasSlept);
        Assert.Equal(before, BlocksThere().Select(static block => block.Id));
    }

    [Fact]
    public async Task By_a_list_of_days_ago_nothing_is_deleted()
    {
        var store = NewStore();
        var tidy = NewTidy(store);
        await tidy.RunAsync(TestContext.Current.CancellationToken);
        Assert.NotEqual(0, Marks());
        one.Rig.Time.Advance(TimeSpan.FromHours(49));

        // A person takes the merged ones away, and another collector the marks.
        foreach (var path in BlocksThere().Where(static block => block.Level > 1).SelectMany(block => bucket.AllFiles(LandingRig.Bucket).Where(path => path.Contains($"/{block.Id}/", StringComparison.Ordinal))).ToArray())
        {
            bucket.Delete(path);
        }

        await NewTidy(NewStore(), sizeMax: 1, collector: "two").RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, Marks());
        store.Trouble = static (_, request, _) => request == StoreRequest.List ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken));

        Assert.Equal(whole, await SamplesAsync());
    }

    [Fact]
    public async Task Of_two_that_merged_the_same_one_goes()
    {
        var (reached, released) = (new TaskCompletionSource(), new TaskCompletionSource());
        var slow = NewStore();
        slow.Holding = key => key.EndsWith("/meta.json", StringComparison.Ordinal) && reached.TrySetResult() ? released.Task : Task.CompletedTask;
        var running = NewTidy(slow).RunAsync(TestContext.Current.CancellationToken);
        await reached.Task;
        await NewTidy(NewStore(), collector: "two").RunAsync(TestContext.Current.CancellationToken);
        released.SetResult();
        await running;
        var twins = BlocksThere().Where(static block => block.Level > 1).GroupBy(StartOf).First(static days => days.Count() == 2).ToArray();
        Assert.Equal(twins[0].Sources, twins[1].Sources);
        await AssertWholeAsync();

        for (var i = 0; i < 2; i++)
        {
            await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);
            one.Rig.Time.Advance(TimeSpan.FromHours(49));
        }

        Assert.Equal([twins.Min(static block => block.Id)], BlocksThere().Where(block => StartOf(block) == StartOf(twins[0])).Select(static block => block.Id));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Days_whose_blocks_cannot_be_read_hold_up_no_others()
    {
        var first = BlocksThere().MinBy(static block => block.MinTime)!;
        var store = NewStore();
        store.Trouble = (_, request, key) => request == StoreRequest.Get && key.Contains($"/{first.Id}/chunks", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;

        await Assert.ThrowsAsync<ObjectStoreException>(() => NewTidy(store).RunAsync(TestContext.Current.CancellationToken));

        Assert.Contains(BlocksThere(), static block => block.Level > 1);
        Assert.DoesNotContain(BlocksThere(), block => block.Level > 1 && StartOf(block) == StartOf(first));
        Assert.NotEqual(0, Marks());
        await AssertWholeAsync();
    }

    [Fact]
    public async Task Days_whose_blocks_take_a_whole_round_to_fail_come_last_in_the_next()
    {
        var first = BlocksThere().MinBy(static block => block.MinTime)!;
        var store = NewStore();
        store.Trouble = (_, request, key) =>
        {
            if (request != StoreRequest.Get || !key.Contains($"/{first.Id}/chunks", StringComparison.Ordinal))
            {
                return StoreTrouble.None;
            }

            one.Rig.Time.Advance(TimeSpan.FromMinutes(6));
            return StoreTrouble.FailsBefore;
        };
        var tidy = NewTidy(store);
        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken));
        Assert.DoesNotContain(BlocksThere(), static block => block.Level > 1);

        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken));

        Assert.Contains(BlocksThere(), static block => block.Level > 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_merged_block_that_is_not_whole_goes_when_it_is_too_old(bool isCut)
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var merged = BlocksThere().First(static block => block.Level > 1);
        var path = PathOf(merged.Id, "index");
        if (isCut)
        {
            bucket.Put(path, bucket.Peek(path).AsSpan()[..^1]);
        }
        else
        {
            bucket.Delete(path);
        }

        // What it was merged of answers again.
        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(whole, await SamplesAsync());
        for (var day = 0; day < 12; day++)
        {
            one.Rig.Time.Advance(TimeSpan.FromDays(1));
            await NewTidy(NewStore(), sizeMax: 1, retention: TimeSpan.FromDays(2)).RunAsync(TestContext.Current.CancellationToken);
        }

        Assert.Empty(Folders());
    }

    [Fact]
    public async Task What_is_too_old_is_not_merged()
    {
        await NewTidy(NewStore(), retention: TimeSpan.FromHours(1)).RunAsync(TestContext.Current.CancellationToken);

        Assert.DoesNotContain(BlocksThere(), static block => block.Level > 1);
    }

    [Fact]
    public async Task A_merged_block_that_lacks_a_file_takes_nothings_place()
    {
        var store = NewStore();
        store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.EndsWith("/" + DeletionMark, StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        var tidy = NewTidy(store);
        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken));
        store.Trouble = static (_, _, _) => StoreTrouble.None;
        foreach (var merged in BlocksThere().Where(static block => block.Level > 1))
        {
            bucket.Delete(PathOf(merged.Id, "index"));
        }

        Assert.Equal(whole, await SamplesAsync());
        store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.EndsWith("/index", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken)); // it would mark, and merges no others
        Assert.Equal(0, Marks());
        await TidyForDaysAsync();
        Assert.Equal(whole, await SamplesAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_block_that_is_damaged_or_lacks_a_file_is_left_out_and_stays(bool isDamaged)
    {
        var bad = BlocksThere().OrderBy(static block => block.MinTime).ElementAt(12);
        var path = PathOf(bad.Id, bad.Files[0].Path);
        if (isDamaged)
        {
            rig.Damage(path, (int)bad.Files[0].SizeBytes - 6); // within the last chunk
        }
        else
        {
            bucket.Delete(path);
        }

        var logger = new RecordingLogger();
        var tidy = NewTidy(NewStore(), logger);
        await tidy.RunAsync(TestContext.Current.CancellationToken);
        await tidy.RunAsync(TestContext.Current.CancellationToken);

        if (isDamaged)
        {
            Assert.Contains(bad.Id.ToString(), Assert.Single(logger.Of(3017)), StringComparison.Ordinal);
        }

        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        Assert.Contains(merged, block => StartOf(block) == StartOf(bad));
        Assert.DoesNotContain(merged, block => block.Sources.Contains(bad.Id));
        Assert.False(bucket.Exists(PathOf(bad.Id, DeletionMark)));
    }

    [Fact]
    public async Task A_block_that_somebody_else_marked_is_not_merged()
    {
        var marked = BlocksThere().MinBy(static block => block.MinTime)!;
        bucket.Put(PathOf(marked.Id, DeletionMark), new Lm.Collector.Landing.DeletionMark(marked.Id, one.Rig.Time.GetUtcNow(), "by hand").ToJson());

        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);

        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        Assert.Contains(merged, block => StartOf(block) == StartOf(marked));
        Assert.DoesNotContain(merged, block => block.Sources.Contains(marked.Id));
    }

    [Fact]
    public async Task Days_that_are_larger_than_there_is_room_for_stay_as_they_are()
    {
        var before = BlocksThere().Select(static block => block.Id).ToArray();
        var logger = new RecordingLogger();

        await NewTidy(NewStore(), logger, sizeMax: 100).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before, BlocksThere().Select(static block => block.Id));
        Assert.NotEmpty(logger.Of(3017));
    }

    [Fact]
    public async Task Where_others_compact_nothing_is_merged()
    {
        var before = BlocksThere().Select(static block => block.Id).ToArray();

        await NewTidy(NewStore(), isExternal: true).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(before, BlocksThere().Select(static block => block.Id));
    }

    [Fact]
    public async Task Queries_leave_a_merged_block_alone_only_where_all_that_it_was_made_of_is_here()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var merged = BlocksThere().Where(static block => block.Level > 1).MinBy(static block => block.MinTime)!;
        HashSet<Ulid> here = [.. merged.Sources];
        using var reader = new BucketReader(new BucketReaderParts(NewStore(), LandingRig.Keys, new MemoryFileSystem(), "/cache", static () => 1 << 30, one.Rig.Time, NullLogger.Instance)
        {
            IsHere = (block, _) => here.Contains(block),
        });
        await reader.ListAsync(TestContext.Current.CancellationToken);

        Assert.Empty(Taken(reader, merged));
        here.Remove(merged.Sources[^1]);
        Assert.Equal([merged.Id], Taken(reader, merged));
    }

    private static Ulid[] Taken(BucketReader reader, BlockMeta like)
    {
        var taken = reader.Blocks.Take(like.MinTime, like.MaxTime - 1, []);
        Ulid[] ids = [.. taken.Select(static block => block.Meta.Id)];
        foreach (var block in taken)
        {
            block.Release();
        }

        return ids;
    }

    private static long StartOf(BlockMeta block) => block.MinTime - (block.MinTime % TwoDays);

    private static string PathOf(Ulid block, string file) => $"{LandingRig.Bucket}/{LandingRig.Keys.Block(block.ToString(), file)}";

    private async Task FileAsync(ulong sequence, UnixMillis at)
    {
        Assert.Equal(Lm.Protocol.FrameOutcome.Accepted, (await one.Rig.SendFrameAsync(sequence, SharedFilesRig.Frame(sequence, one.Rig.Now, sequence, [at.Value]))).Outcome);
        await rig.FileAllAsync();
    }

    // Three rounds a day, until all days are over and all marks are due.
    private async Task TidyForDaysAsync()
    {
        for (var i = 0; i < 24; i++)
        {
            one.Rig.Time.Advance(TimeSpan.FromHours(8));
            await NewTidy(NewStore(), collector: "two").RunAsync(TestContext.Current.CancellationToken);
        }
    }

    private FaultyStore NewStore() => new(new DirectoryObjectStore(bucket, LandingRig.Bucket, "tidy", new StoreCounters()));

    private SharedTidy NewTidy(IObjectStore store, RecordingLogger? logger = null, long sizeMax = 1 << 30, bool isExternal = false, string collector = "one", TimeSpan? retention = null) =>
        SharedFilesRig.NewTidy(store, one.Rig.Time, () => Now, retention ?? Retention, isExternal, logger, sizeMax, collector);

    private BlockMeta[] BlocksThere() =>
        [.. bucket.AllFiles(LandingRig.Bucket).Where(static path => path.EndsWith("/meta.json", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(path => BlockMeta.Parse(path, bucket.Peek(path)))];

    // Of blocks.
    private string[] Folders() =>
        [.. bucket.AllFiles(LandingRig.Bucket).Where(static path => path.Contains("/fleet-a/blocks/", StringComparison.Ordinal)).Select(static path => string.Join('/', path.Split('/').Take(5))).Distinct()];

    private int Marks() => bucket.AllFiles(LandingRig.Bucket).Count(static path => path.EndsWith("/" + DeletionMark, StringComparison.Ordinal));

    private async Task AssertWholeAsync(bool verifies = true)
    {
        Assert.Equal(whole, await SamplesAsync());
        if (verifies)
        {
            using var verifier = new SharedFilesRig(bucket, one.Rig.Time, "verifier");
            var (faults, text) = await verifier.VerifyAsync();
            Assert.True(faults == 0, text);
        }
    }

    // Those that a reader finds who sees the bucket for the first time.
    private async Task<List<(long Time, double Value)>> SamplesAsync()
    {
        using var reader = new SharedFilesRig(bucket, one.Rig.Time, "reader");
        await reader.Reader.ListAsync(TestContext.Current.CancellationToken);
        return reader.Samples();
    }
}
