using FsCheck;
using FsCheck.Fluent;
using Lm.Platform;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Tests;

public sealed class SeriesStoreTests
{
    private const string Directory = "/blocks";

    // A block of another directory stands in for the head: the store knows only the interface.
    [Fact]
    public void Blocks_win_over_the_head_and_the_earlier_block_over_the_later() => Prop.ForAll(
        Arb.From(TestData.AnySeries.Generator.ListOf(3)), Arb.From(Gen.Elements((long.MinValue, long.MaxValue), (100_000L, 900_000L))), (parts, range) =>
    {
        var files = new MemoryFileSystem();
        using var set = BlockSet.Open(files, Directory, new ManualTime());
        files.CreateDirectory("/head");
        TestData.Write(files, "/head", new Ulid(1), parts[2]);
        using var head = BlockReader.Open(files, $"/head/{new Ulid(1)}", new LabelCache());
        var (first, second) = (set.NextId(), set.NextId());
        set.Add(TestData.Write(files, Directory, second, parts[1]).Id);
        set.Add(TestData.Write(files, Directory, first, parts[0]).Id);
        var store = new SeriesStore(head, set);
        var expected = new Series([]).MergeLater(parts[0]).MergeLater(parts[1]).MergeLater(parts[2]);

        var names = expected.InOrder.SelectMany(pair => pair.Key.Labels.ToArray().Select(label => label.Name)).Distinct().Order(StringComparer.Ordinal);
        return TestData.Read(store, TestData.Everything, range.Item1, range.Item2).SameAs(expected.Where(_ => true, range.Item1, range.Item2))
            && store.LabelNames([], long.MinValue, long.MaxValue, CancellationToken.None).SequenceEqual(names);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_block_that_leaves_the_set_is_read_to_the_end_by_those_who_hold_it()
    {
        var files = new MemoryFileSystem();
        using var set = BlockSet.Open(files, Directory, new ManualTime());
        var series = new Series([(new LabelSet(new Label("a", "b")), [(1, 1), (2, 2)])]);
        var meta = TestData.Write(files, Directory, set.NextId(), series);
        set.Add(meta.Id);
        var store = new SeriesStore(null, set);
        using var found = store.Find([], 0, 10, CancellationToken.None);

        set.Delete([meta.Id]);

        Assert.Empty(files.ListDirectories(Directory));
        using var after = store.Find([], 0, 10, CancellationToken.None);
        Assert.Equal(0, after.Count);
        var samples = new SampleBuffer();
        found.Read(0, 0, 10, samples);
        Assert.Equal([1, 2], samples.Times.ToArray());
    }
}
