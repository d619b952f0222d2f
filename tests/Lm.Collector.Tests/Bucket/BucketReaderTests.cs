using Lm.Collector.Bucket;
using Lm.Collector.Tests.Landing;
using Lm.Collector.Tests.LogRecords;
using Lm.Collector.Tests.Recovery;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Tests.Bucket;

/// <summary>Queries over blocks and log files that lie in the object store alone.</summary>
public sealed class BucketReaderTests
{
    [Fact]
    public async Task Blocks_and_log_files_answer_after_the_disk_and_the_raw_objects_are_gone()
    {
        await using var before = await AgedAsync();
        var lines = before.Storage.Logs.Lines();
        var blocks = before.Storage.Series.Blocks.Metas;
        Assert.True(blocks.Count > 0 && before.Storage.Logs.SealedFiles.Count > 0);
        await using var after = await before.AfterLossAsync();
        await after.DeleteRawAsync();
        Assert.True(await after.RecoverAsync());

        var found = after.Storage.All();
        Assert.Equal(blocks.Sum(static block => block.Stats.Samples), found.SampleCount);
        Assert.Equal(0, after.Storage.Series.Statistics().Samples);
        var there = after.Storage.Logs.Lines();
        Assert.NotEmpty(there);
        Assert.Subset(lines.ToHashSet(), there.ToHashSet());
        Assert.Equal(there.Count, there.Distinct().Count());
    }

    [Fact]
    public async Task What_blocks_and_log_files_have_is_not_stored_again_and_all_of_it_answers_once()
    {
        await using var before = await AgedAsync();
        var lines = before.Storage.Logs.Lines();
        await using var after = await before.AfterLossAsync();

        Assert.True(await after.RecoverAsync());

        after.Storage.AssertWhole();
        Assert.Equal(lines, after.Storage.Logs.Lines());
        var restored = after.Storage.Series.Statistics().Samples;
        Assert.InRange(restored, 1, after.Storage.Truth.Samples.Count() / 2);
        var sealedLines = after.Bucket.Catalog.Logs.Count;
        Assert.True(sealedLines > 0);
        after.Storage.Time.Advance(TimeSpan.FromHours(40));
        for (var i = 0; i < 4; i++)
        {
            after.Storage.Logs.Checkpoint();
            after.Storage.Keep();
        }

        // A foreign reader of the bucket sees each line once.
        await after.LandAsync();
        Assert.True(await after.Bucket.TryPassAsync(CancellationToken.None));
        Assert.Equal(lines.Count, await after.LinesInBucketAsync());
        Assert.Equal(lines, after.Storage.Logs.Lines());
        after.Storage.AssertWhole();
    }

    [Fact]
    public async Task A_small_cache_gives_up_what_was_used_least_and_answers_all_the_same()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        after.CacheSizeMax = 1000;
        Assert.True(await after.RecoverAsync());
        for (var i = 0; i < 3; i++)
        {
            after.Storage.AssertWhole();
            Assert.NotEmpty(after.Storage.Logs.Lines());
        }

        var metrics = after.Bucket.Collect().ToDictionary(static metric => metric.Name, static metric => metric.Value);
        Assert.True(metrics["lm_collector_cache_evicted_bytes_total"] > 0);
        Assert.InRange(metrics["lm_collector_cache_bytes"], 0, 200_000); // one block's objects, which are open
    }

    [Fact]
    public async Task The_files_of_the_cache_may_be_deleted_at_any_time()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        after.Storage.AssertWhole();
        var lines = after.Storage.Logs.Lines();

        foreach (var path in after.Storage.Files.AllFiles("/cache"))
        {
            after.Storage.Files.Delete(path);
        }

        after.Storage.AssertWhole();
        Assert.Equal(lines, after.Storage.Logs.Lines());
    }

    [Fact]
    public async Task Without_the_store_a_query_fails_and_says_so_and_works_again_with_it()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        after.Store.Trouble = static (_, _, _) => StoreTrouble.FailsBefore;

        Assert.ThrowsAny<IOException>(() => after.Storage.All());

        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        after.Storage.AssertWhole();
    }

    [Fact]
    public async Task Damaged_and_downsampled_blocks_are_left_out_told_and_counted_and_all_others_answer()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        after.Storage.AssertWhole();
        var whole = after.Storage.All().SampleCount;
        var block = after.Bucket.Catalog.Blocks.OrderBy(static each => each.MinTime).First();
        await CopyAsync(after, block, block with { Id = new Ulid(77), Level = 9, Sources = [.. after.Bucket.Catalog.Blocks.SelectMany(static each => each.Sources)], Resolution = 300_000 });
        await CopyAsync(after, block, block with { Id = new Ulid(78), Sources = [new Ulid(78)] }, static bytes => bytes[^1] ^= 1);
        Assert.True(await after.Bucket.TryPassAsync(CancellationToken.None));
        Assert.True(await after.Bucket.TryPassAsync(CancellationToken.None));

        Assert.Equal(whole, after.Storage.All().SampleCount);
        after.Storage.AssertWhole();

        var metrics = after.Bucket.Collect().ToDictionary(static metric => metric.Name, static metric => metric.Value);
        Assert.Equal((1, 1), (metrics["lm_collector_bucket_blocks_damaged"], metrics["lm_collector_bucket_blocks_downsampled"]));
        Assert.Contains(new Ulid(78).ToString(), Assert.Single(after.Log.Of(2695)), StringComparison.Ordinal);
        Assert.Single(after.Log.Of(2696));
    }

    [Fact]
    public async Task A_block_that_is_changed_on_its_way_here_is_fetched_again_at_once()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        var changes = 1;
        after.Store.Trouble = (_, request, key) => IsRead(request, key, "/index") && Interlocked.Decrement(ref changes) >= 0 ? StoreTrouble.Garbles : StoreTrouble.None;

        after.Storage.AssertWhole();

        Assert.True(changes <= 0);
        Assert.Equal(0, DamagedBlocks(after));
        Assert.Empty(after.Log.Of(2695));
    }

    [Fact]
    public async Task A_block_that_stays_damaged_is_fetched_every_few_minutes_and_answers_once_it_is_whole()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        var block = after.Bucket.Catalog.Blocks.OrderBy(static each => each.MinTime).First();
        Assert.True(after.Bucket.Finds(block));
        var reads = 0;
        after.Store.Trouble = (_, request, key) =>
            IsRead(request, key, $"/{block.Id}/index") && Interlocked.Increment(ref reads) > 0 ? StoreTrouble.Garbles : StoreTrouble.None;

        var partial = after.Storage.All().SampleCount;
        after.Storage.All();
        Assert.Equal((2, 1), (reads, DamagedBlocks(after)));
        after.Storage.Time.Advance(StoreBlocks.FetchAgainInterval);
        Assert.Equal(partial, after.Storage.All().SampleCount);
        Assert.Equal((4, 1), (reads, DamagedBlocks(after)));
        Assert.Single(after.Log.Of(2695));
        Assert.False(after.Bucket.Finds(block));

        after.Store.Trouble = static (_, _, _) => StoreTrouble.None;
        after.Storage.Time.Advance(StoreBlocks.FetchAgainInterval);
        Assert.True(after.Storage.All().SampleCount > partial);
        after.Storage.AssertWhole();
        Assert.Equal(0, DamagedBlocks(after));
        Assert.Single(after.Log.Of(2697));
    }

    [Fact]
    public async Task A_chunk_that_is_changed_on_its_way_here_fails_one_query_and_is_fetched_again_for_the_next()
    {
        await using var before = await AgedAsync();
        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());
        var changes = 1;
        after.Store.Trouble = (_, request, key) => IsRead(request, key, "/chunks/000001") && Interlocked.Decrement(ref changes) >= 0 ? StoreTrouble.Garbles : StoreTrouble.None;

        Assert.Throws<BlockDamageException>(() => after.Storage.All());

        after.Storage.AssertWhole();
    }

    [Fact]
    public async Task What_is_here_is_not_read_from_the_store()
    {
        await using var rig = await AgedAsync();
        Assert.True(await rig.Bucket.TryPassAsync(CancellationToken.None));
        Assert.True(rig.Bucket.Catalog.Blocks.Count > 0);

        rig.Storage.AssertWhole();
        Assert.NotEmpty(rig.Storage.Logs.Lines());

        Assert.Equal(0, rig.Bucket.Collect().Single(static metric => metric.Name == "lm_collector_cache_reads_total").Value);
    }

    private static bool IsRead(StoreRequest request, string key, string ending) =>
        request == StoreRequest.Get && key.Contains("/blocks/", StringComparison.Ordinal) && key.EndsWith(ending, StringComparison.Ordinal);

    private static double DamagedBlocks(RecoveryRig rig) => rig.Bucket.Collect().Single(static metric => metric.Name == "lm_collector_bucket_blocks_damaged").Value;

    private static async Task CopyAsync(RecoveryRig rig, BlockMeta block, BlockMeta copy, Action<byte[]>? changeIndex = null)
    {
        foreach (var path in rig.AllObjects.Where(path => path.Contains($"/blocks/{block.Id}/", StringComparison.Ordinal)).ToArray())
        {
            var bytes = path.EndsWith("meta.json", StringComparison.Ordinal) ? copy.ToJson() : rig.Peek(path).ToArray();
            if (path.EndsWith("/index", StringComparison.Ordinal))
            {
                changeIndex?.Invoke(bytes);
            }

            var key = path[(LandingRig.Bucket.Length + 1)..].Replace(block.Id.ToString(), copy.Id.ToString(), StringComparison.Ordinal);
            await rig.Store.PutAsync(key, ObjectContent.Of(bytes), PutCondition.None, CancellationToken.None);
        }
    }

    internal static async Task<RecoveryRig> AgedAsync(RemoteStore? remote = null)
    {
        var rig = new RecoveryRig(segmentSizeMax: 1 << 20, remote: remote);
        Assert.True(await rig.RecoverAsync());
        for (var i = 0; i < 40; i++)
        {
            rig.Storage.Time.Advance(TimeSpan.FromMinutes(30));
            await rig.Storage.SendAsync(logs: new LogRecord(new UnixMillis(rig.Storage.Now.Value - i), 9, $"line {i}", [new Label("input", "syslog")]));
            rig.Storage.Series.Checkpoint();
            rig.Storage.Logs.Checkpoint();
            rig.Storage.Keep();
            await rig.LandAsync();
        }

        return rig;
    }
}
