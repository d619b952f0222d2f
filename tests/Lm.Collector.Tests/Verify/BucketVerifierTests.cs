using Lm.Collector.Tests.Bucket;
using Lm.Collector.Tests.Landing;
using Lm.Collector.Tests.Recovery;
using Lm.Collector.Verify;
using Lm.ObjectStore;
using Lm.TestKit;

namespace Lm.Collector.Tests.Verify;

public sealed class BucketVerifierTests
{
    [Fact]
    public async Task A_bucket_that_is_whole_has_no_faults_and_all_of_it_is_counted()
    {
        await using var rig = await BucketReaderTests.AgedAsync();
        await ChangeRecoveryTests.SaveAsync(rig, "mine", "Mine");
        await rig.LandAsync();

        var (faults, text) = await RunAsync(rig);

        Assert.True(faults == 0, text);
        Assert.Contains("changes: 1 objects, 1 records", text, StringComparison.Ordinal);
        Assert.Contains("samples, ", text, StringComparison.Ordinal);
        Assert.Contains($"{rig.RawObjects.Count} objects of 1 lives of c1", text, StringComparison.Ordinal);
        Assert.EndsWith("no faults", text.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/raw/", ".lmf", 20)]
    [InlineData("/blocks/", "/chunks/000001", 12)]
    [InlineData("/blocks/", "/index", 9)]
    [InlineData("/blocks/", "/meta.json", 1)]
    [InlineData("/logs/", ".ndjson.zst", 12)]
    [InlineData("/logs/", ".idx", 30)]
    [InlineData("/state/", ".ledger", 50)]
    [InlineData("/changes/", ".ndjson", 9)]
    public async Task A_changed_byte_is_found_and_its_object_named(string folder, string ending, int place)
    {
        await using var rig = await BucketReaderTests.AgedAsync();
        await ChangeRecoveryTests.SaveAsync(rig, "mine", "Mine");
        await rig.LandAsync();
        var path = rig.AllObjects.Last(each => each.Contains(folder, StringComparison.Ordinal) && each.EndsWith(ending, StringComparison.Ordinal));
        rig.Damage(path, place);

        var (faults, text) = await RunAsync(rig);

        Assert.True(faults > 0, text);
        Assert.Contains(path[(LandingRig.Bucket.Length + 1)..].Replace(ending, "", StringComparison.Ordinal), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_that_landed_twice_and_objects_that_overlap_are_found()
    {
        await using var rig = await BucketReaderTests.AgedAsync();
        var first = rig.RawObjects[0];
        await rig.Store.PutAsync(
            $"{LandingRig.Keys.RawFolder("c1", rig.Storage.Spool.Incarnation)}0000000099-000000000099.lmf", ObjectContent.Of(rig.Peek(first)), PutCondition.None, CancellationToken.None);

        var (faults, text) = await RunAsync(rig);

        Assert.True(faults >= 2, text);
        Assert.Contains("are in another raw object, too", text, StringComparison.Ordinal);
        Assert.Contains("they overlap", text, StringComparison.Ordinal);
    }

    private static async Task<(int Faults, string Text)> RunAsync(RecoveryRig rig)
    {
        using var output = new StringWriter();
        var report = new VerifyReport(output, new ManualTime());
        await new BucketVerifier(new BucketVerifierParts(rig.Store, LandingRig.Keys, "c1", new MemoryFileSystem(), "/cache/verify", report, rig.Storage.Time, rig.Log)).RunAsync(CancellationToken.None);
        return (report.Faults, output.ToString());
    }
}
