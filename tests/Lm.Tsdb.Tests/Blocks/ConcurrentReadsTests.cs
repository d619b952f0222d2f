using Lm.Platform.Files;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>On real mappings: a reader that outlived its files would end the process.</summary>
public sealed class ConcurrentReadsTests : IDisposable
{
    private readonly string folder = PrometheusTools.NewFolder();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Readers_see_every_sample_once_while_blocks_come_are_merged_and_go()
    {
        var token = TestContext.Current.CancellationToken;
        using var set = BlockSet.Open(new PhysicalFileSystem(), folder, TimeProvider.System);
        var whole = new Series(Enumerable.Range(0, 20).Select(host => (
            new LabelSet(new Label("host", $"h{host}")),
            Enumerable.Range(0, 1000).Select(i => (i * 60_000L, (double)i)).ToArray())));
        set.Add(TestData.Write(set.Files, folder, set.NextId(), whole.Where(_ => true, 0, 500 * 60_000L)).Id);
        set.Add(TestData.Write(set.Files, folder, set.NextId(), whole.Where(_ => true, (500 * 60_000L) + 1)).Id);
        var store = new SeriesStore(null, set);
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(
            () =>
            {
                var rounds = 0;
                do
                {
                    Assert.True(TestData.Read(store, TestData.Everything).SameAs(whole));
                    rounds++;
                }
                while (!done.IsCancellationRequested);

                return rounds;
            },
            token)).ToArray();

        for (var round = 0; round < 30; round++)
        {
            // A block that says nothing new, then a merge that takes all three in.
            set.Add(TestData.Write(set.Files, folder, set.NextId(), whole.Where(labels => labels.ValueOf("host") == "h3")).Id);
            Assert.IsType<CompactionOutcome.Merged>(new Compactor(set, new CompactionOptions(), TimeProvider.System).RunOnce(token));
            Assert.Single(set.Metas);
        }

        await done.CancelAsync();
        Assert.All(await Task.WhenAll(readers), rounds => Assert.True(rounds > 0));
        Assert.Single(Directory.GetDirectories(folder));
    }
}
