using Lm.Collector.Tests.Bucket;
using Lm.Collector.Tests.LogRecords;
using Lm.ObjectStore;
using Lm.ObjectStore.Tests.S3;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Tests.Recovery;

/// <summary>Landing, queries over the store, and recovery, against a real S3 server and against one that fails in every way that servers and networks do.</summary>
public abstract class S3RecoveryContract
{
    private static int prefixes;

    internal abstract S3Server Server { get; }

    [Fact]
    public async Task Blocks_log_files_and_raw_objects_land_and_answer_the_same_from_an_empty_disk()
    {
        await using var before = await BucketReaderTests.AgedAsync(Remote(Server.Endpoint));
        var lines = before.Storage.Logs.Lines();
        Assert.True(before.Storage.Series.Blocks.Metas.Count > 0 && before.Storage.Logs.SealedFiles.Count > 0);

        await using var after = await before.AfterLossAsync();
        Assert.True(await after.RecoverAsync());

        after.Storage.AssertWhole();
        Assert.Equal(lines, after.Storage.Logs.Lines());
        Assert.True(after.Bucket.Catalog.Blocks.Count > 0 && after.Bucket.Catalog.Logs.Count > 0);
        Assert.Equal(FrameOutcome.Duplicate, await after.Storage.RepeatAsync(1));
    }

    [Fact]
    public async Task A_server_that_is_away_hangs_fails_cuts_or_crawls_loses_and_doubles_nothing_that_was_acknowledged()
    {
        await using var relay = new StoreRelay(Server.Endpoint);
        await using var rig = new RecoveryRig(segmentSizeMax: 1 << 20, remote: Remote(relay.Endpoint));
        Assert.True(await rig.RecoverAsync());
        foreach (var mode in Enum.GetValues<RelayMode>())
        {
            relay.Mode = mode;
            for (var i = 0; i < 6; i++)
            {
                rig.Storage.Time.Advance(TimeSpan.FromMinutes(30));
                await rig.Storage.SendAsync(logs: new LogRecord(new UnixMillis(rig.Storage.Now.Value - i), 9, $"line {mode} {i}", [new Label("input", "syslog")]));
                rig.Storage.Series.Checkpoint();
                rig.Storage.Logs.Checkpoint();
                rig.Storage.Keep();
            }

            await rig.Lander.TryPassAsync(TestContext.Current.CancellationToken);
            Assert.Equal(mode is RelayMode.Passes or RelayMode.Crawls, rig.Lander.Status.Trouble is null);
            relay.Mode = RelayMode.Passes;
            await rig.LandAsync();
        }

        var lines = rig.Storage.Logs.Lines();
        await using var after = await rig.AfterLossAsync();
        foreach (var mode in (RelayMode[])[RelayMode.IsAway, RelayMode.Answers503, RelayMode.CutsAnswers])
        {
            relay.Mode = mode;
            Assert.False(await after.RecoverAsync());
        }

        relay.Mode = RelayMode.Passes;
        Assert.True(await after.RecoverAsync());
        after.Storage.AssertWhole();
        Assert.Equal(lines, after.Storage.Logs.Lines());
        Assert.True(after.Bucket.Catalog.Blocks.Count > 0);
    }

    private static RemoteStore Remote(Uri endpoint) => new(
        () => S3Stores.Open(S3Stores.Options(endpoint) with { Timeout = TimeSpan.FromSeconds(2), TriesMax = 2 }),
        new ObjectKeys($"fleet-{Environment.ProcessId}-{Interlocked.Increment(ref prefixes)}"));
}

/// <summary>On the light server.</summary>
public sealed class LightServerRecoveryTests(LightServer server) : S3RecoveryContract, IClassFixture<LightServer>
{
    internal override S3Server Server => server.Required;
}

/// <summary>On the production-grade server.</summary>
public sealed class ProductionServerRecoveryTests(ProductionServer server) : S3RecoveryContract, IClassFixture<ProductionServer>
{
    internal override S3Server Server => server.Required;
}
