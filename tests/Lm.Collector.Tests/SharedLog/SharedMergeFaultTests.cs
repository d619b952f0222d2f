using Lm.Collector.Tests.Landing;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Whatever goes wrong while blocks of a shared bucket are merged, each sample answers.</summary>
public sealed class SharedMergeFaultTests : SharedMergeFixture
{
    [Theory]
    [InlineData(StoreTrouble.FailsBefore)]
    [InlineData(StoreTrouble.FailsAfter)]
    public async Task After_a_failure_at_any_request_each_sample_answers_once_and_another_one_ends_it(object trouble)
    {
        var begin = Bucket;
        for (var (at, calls) = (0, int.MaxValue); at < calls; at++)
        {
            Bucket = SharedFilesRig.CopyOf(begin);
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
        Assert.Equal(Whole, (await SamplesAsync()).Distinct());

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
        string[] rests = [.. Folders().Where(folder => !Bucket.Exists($"{folder}/meta.json"))];
        Assert.NotEmpty(rests);

        for (var day = 0; day < 10; day++)
        {
            One.Rig.Time.Advance(TimeSpan.FromDays(1));
            await NewTidy(NewStore(), sizeMax: 100, collector: "two").RunAsync(TestContext.Current.CancellationToken);
        }

        Assert.Subset(Folders().ToHashSet(), rests.ToHashSet());
        await NewTidy(NewStore(), sizeMax: 100).RunAsync(TestContext.Current.CancellationToken);
        Assert.Empty(rests.Intersect(Folders()));
        await NewTidy(NewStore(), sizeMax: 100).RunAsync(TestContext.Current.CancellationToken); // nothing of it came since
        Assert.DoesNotContain(Bucket.AllFiles(LandingRig.Bucket), static path => path.Contains("/shared/merges/", StringComparison.Ordinal));
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
            One.Rig.Time.Advance(TimeSpan.FromHours(49));
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
        Assert.Contains(Bucket.AllFiles(LandingRig.Bucket), static path => path.Contains("/shared/merges/", StringComparison.Ordinal));
        var merged = BlocksThere().Where(static block => block.Level > 1).ToArray();
        foreach (var block in merged)
        {
            Rig.Damage(PathOf(block.Id, file), 0);
            if (file == "index")
            {
                Bucket.Delete(PathOf(block.Id, file));
            }
        }

        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);

        Assert.All(merged, block => Assert.True(Bucket.Exists(PathOf(block.Id, "meta.json")) && Bucket.Exists(PathOf(block.Id, "chunks/000001"))));
    }

    [Fact]
    public async Task One_that_lacks_its_files_goes_and_its_twin_that_has_them_stays_whatever_happens_to_marks()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        var twin = BlocksThere().First(static block => block.Level > 1);
        var hollow = twin with { Id = new Ulid(1) };
        Bucket.CreateDirectory(Path.GetDirectoryName(PathOf(hollow.Id, "x"))!);
        Bucket.Put(PathOf(hollow.Id, "meta.json"), hollow.ToJson());
        await NewTidy(NewStore(), sizeMax: 1, retention: TimeSpan.FromHours(1)).RunAsync(TestContext.Current.CancellationToken);
        Assert.True(Bucket.Exists(PathOf(hollow.Id, DeletionMark)) && Bucket.Exists(PathOf(twin.Id, DeletionMark)));
        One.Rig.Time.Advance(TimeSpan.FromHours(49));

        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);
        One.Rig.Time.Advance(TimeSpan.FromHours(49));
        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);

        Assert.True(Bucket.Exists(PathOf(twin.Id, "meta.json")));
        Assert.False(Bucket.Exists(PathOf(hollow.Id, "meta.json")));
        await AssertWholeAsync();
    }

    [Fact]
    public async Task A_round_that_sleeps_for_days_behind_its_list_deletes_nothing_by_it()
    {
        await NewTidy(NewStore()).RunAsync(TestContext.Current.CancellationToken);
        One.Rig.Time.Advance(TimeSpan.FromHours(1));
        var (before, hasSlept) = (BlocksThere().Select(static block => block.Id).ToArray(), false);
        var store = NewStore();
        store.Trouble = (_, request, key) =>
        {
            if (!hasSlept && request == StoreRequest.Get && key.EndsWith("/" + DeletionMark, StringComparison.Ordinal))
            {
                hasSlept = true;
                One.Rig.Time.Advance(TimeSpan.FromDays(3));
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
        One.Rig.Time.Advance(TimeSpan.FromHours(49));

        // A person takes the merged ones away, and another collector the marks.
        foreach (var path in BlocksThere().Where(static block => block.Level > 1).SelectMany(block => Bucket.AllFiles(LandingRig.Bucket).Where(path => path.Contains($"/{block.Id}/", StringComparison.Ordinal))).ToArray())
        {
            Bucket.Delete(path);
        }

        await NewTidy(NewStore(), sizeMax: 1, collector: "two").RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, Marks());
        store.Trouble = static (_, request, _) => request == StoreRequest.List ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken));

        Assert.Equal(Whole, await SamplesAsync());
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
            One.Rig.Time.Advance(TimeSpan.FromHours(49));
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

            One.Rig.Time.Advance(TimeSpan.FromMinutes(6));
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
            Bucket.Put(path, Bucket.Peek(path).AsSpan()[..^1]);
        }
        else
        {
            Bucket.Delete(path);
        }

        // What it was merged of answers again.
        await NewTidy(NewStore(), sizeMax: 1).RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Whole, await SamplesAsync());
        for (var day = 0; day < 12; day++)
        {
            One.Rig.Time.Advance(TimeSpan.FromDays(1));
            await NewTidy(NewStore(), sizeMax: 1, retention: TimeSpan.FromDays(2)).RunAsync(TestContext.Current.CancellationToken);
        }

        Assert.Empty(Folders());
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
            Bucket.Delete(PathOf(merged.Id, "index"));
        }

        Assert.Equal(Whole, await SamplesAsync());
        store.Trouble = static (_, request, key) => request == StoreRequest.Put && key.EndsWith("/index", StringComparison.Ordinal) ? StoreTrouble.FailsBefore : StoreTrouble.None;
        await Assert.ThrowsAsync<ObjectStoreException>(() => tidy.RunAsync(TestContext.Current.CancellationToken)); // it would mark, and merges no others
        Assert.Equal(0, Marks());
        await TidyForDaysAsync();
        Assert.Equal(Whole, await SamplesAsync());
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
            Rig.Damage(path, (int)bad.Files[0].SizeBytes - 6); // within the last chunk
        }
        else
        {
            Bucket.Delete(path);
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
        Assert.False(Bucket.Exists(PathOf(bad.Id, DeletionMark)));
    }
}
