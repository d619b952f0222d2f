using Lm.Platform;
using Lm.Platform.Files;
using Lm.TestKit;
using Lm.Tsdb.Blocks;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>The machine stops, or a call fails, at each call that writing and merging make.</summary>
public sealed class BlockCrashTests
{
    private const string Directory = "/data/blocks";

    private static readonly CompactionOptions Options = new() { ExternalLabels = [new Label("lightmetrics_stream", "test")] };

    private readonly ManualTime time = new();

    [Fact]
    public void A_stop_while_a_block_is_written_leaves_nothing_or_the_whole_block()
    {
        var series = Window(0, 300);
        var calls = CallsOf(files => WriteBlock(files, series));
        var seen = new HashSet<bool>();
        foreach (var survivor in Survivors(calls, files => WriteBlock(files, series)))
        {
            using var set = BlockSet.Open(survivor.Files, Directory, time);
            var all = TestData.Read(new SeriesStore(null, set), TestData.Everything);
            Assert.Empty(set.Damaged);
            Assert.True(all.Count == 0 || all.SameAs(series), $"half a block after a stop at call {survivor.Call}");
            Assert.True(all.Count > 0 || !survivor.IsDone, $"a committed block is gone after a stop at call {survivor.Call}");
            Assert.Equal(set.Metas.Select(meta => meta.Id.ToString()), survivor.Files.ListDirectories(Directory));
            seen.Add(all.Count > 0);
        }

        Assert.Equal(2, seen.Count); // both endings were met
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_call_that_fails_while_a_block_is_written_leaves_no_block(bool takesEffect)
    {
        var series = Window(0, 300);
        var calls = CallsOf(files => WriteBlock(files, series));
        for (var call = 0; call < calls; call++)
        {
            var files = Prepared();
            var failAt = files.OperationCount + call;
            files.Fault = operation => operation.Index == failAt ? new FileFault(28, takesEffect) : null;

            Assert.Throws<FileSystemException>(() => WriteBlock(files, series));

            using var set = BlockSet.Open(files.Kill(), Directory, time);
            Assert.Empty(set.Metas);
            Assert.Empty(set.Damaged);
        }
    }

    [Fact]
    public void A_stop_while_blocks_are_merged_leaves_every_sample_once_and_the_next_start_finishes()
    {
        var model = Model();
        var calls = CallsOf(files => MergeAll(files), PreparedWithBlocks);
        Assert.True(calls > 60, "the merge is expected to write, rename and delete");
        foreach (var survivor in Survivors(calls, files => MergeAll(files), PreparedWithBlocks))
        {
            using (var set = BlockSet.Open(survivor.Files, Directory, time))
            {
                Assert.Empty(set.Damaged);
                var found = TestData.Read(new SeriesStore(null, set), TestData.Everything);
                Assert.True(found.SameAs(model), $"after a stop at call {survivor.Call}:\n{found.Describe()}");
                Assert.DoesNotContain(set.Metas, meta => set.Metas.Any(other => other.Parents.Any(parent => parent.Id == meta.Id)));
            }

            MergeAll(survivor.Files);

            using var after = BlockSet.Open(survivor.Files, Directory, time);
            Assert.Single(after.Metas);
            Assert.True(TestData.Read(new SeriesStore(null, after), TestData.Everything).SameAs(model));
            Assert.Single(survivor.Files.ListDirectories(Directory));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_call_that_fails_while_blocks_are_merged_loses_and_doubles_nothing(bool takesEffect)
    {
        var model = Model();
        var calls = CallsOf(files => MergeAll(files), PreparedWithBlocks);
        for (var call = 0; call < calls; call++)
        {
            var files = PreparedWithBlocks();
            using (var set = BlockSet.Open(files, Directory, time))
            {
                var failAt = files.OperationCount + call;
                files.Fault = operation => operation.Index == failAt ? new FileFault(5, takesEffect) : null;
                var compactor = new Compactor(set, Options, time);
                try
                {
                    compactor.RunOnce(CancellationToken.None);
                }
                catch (FileSystemException)
                {
                    // Expected: what counts is what is there afterwards, and that the same compactor goes on.
                }

                files.Fault = null;
                Assert.True(TestData.Read(new SeriesStore(null, set), TestData.Everything).SameAs(model), $"after a failure of call {call}");
                compactor.RunOnce(CancellationToken.None);
                Assert.Single(set.Metas);
            }

            using var after = BlockSet.Open(files, Directory, time);
            Assert.Empty(after.Damaged);
            Assert.Single(after.Metas);
            Assert.True(TestData.Read(new SeriesStore(null, after), TestData.Everything).SameAs(model), $"after a failure of call {call} and a restart");
        }
    }

    [Fact]
    public void A_full_disk_leaves_the_blocks_as_they_were()
    {
        var model = Model();
        var files = PreparedWithBlocks();
        files.Capacity = 6000; // the three blocks fit, a fourth does not
        using var set = BlockSet.Open(files, Directory, time);

        var failure = Assert.Throws<FileSystemException>(() => new Compactor(set, Options, time).RunOnce(CancellationToken.None));

        Assert.True(failure.IsNoSpace);
        Assert.Equal(3, set.Metas.Count);
        Assert.Equal(3, files.ListDirectories(Directory).Count);
        Assert.True(TestData.Read(new SeriesStore(null, set), TestData.Everything).SameAs(model));
    }

    [Fact]
    public void Files_of_a_block_that_cannot_be_read_stay_and_are_named()
    {
        var files = PreparedWithBlocks();
        var name = files.ListDirectories(Directory)[1];
        files.Corrupt($"{Directory}/{name}/index", 3, 9);

        using var set = BlockSet.Open(files, Directory, time);

        var damaged = Assert.Single(set.Damaged);
        Assert.Equal(name, damaged.Name);
        Assert.Contains($"{name}/index at byte 0: it begins with", damaged.Reason, StringComparison.Ordinal);
        Assert.Equal(2, set.Metas.Count);
        Assert.True(files.Exists($"{Directory}/{name}/index"));
    }

    private static Series Window(int from, int count) => new(Enumerable.Range(0, 5).Select(host => (
        new LabelSet(new Label("__name__", "m"), new Label("host", $"h{host}")),
        Enumerable.Range(from, count).Select(i => (i * 1000L, (double)(i % 7))).ToArray())));

    // Adjacent and overlapping; where they overlap the second has other values, which lose.
    private static Series Model() => Window(0, 130).MergeLater(Window(100, 90)).MergeLater(Window(190, 60));

    private static MemoryFileSystem Prepared()
    {
        var files = new MemoryFileSystem(seed: 3);
        files.CreateDirectory(Directory);
        return files;
    }

    private MemoryFileSystem PreparedWithBlocks()
    {
        var files = Prepared();
        using var set = BlockSet.Open(files, Directory, time);
        foreach (var series in (Series[])[Window(0, 130), Window(100, 90), Window(190, 60)])
        {
            TestData.Write(files, Directory, set.NextId(), series);
        }

        return files;
    }

    private static void WriteBlock(MemoryFileSystem files, Series series) => TestData.Write(files, Directory, new Ulid(77), series);

    private void MergeAll(MemoryFileSystem files)
    {
        using var set = BlockSet.Open(files, Directory, time);
        var compactor = new Compactor(set, Options, time);
        while (compactor.RunOnce(CancellationToken.None) is not CompactionOutcome.NothingToDo)
        {
        }
    }

    private static int CallsOf(Action<MemoryFileSystem> work, Func<MemoryFileSystem>? prepare = null)
    {
        var files = (prepare ?? Prepared)();
        var before = files.OperationCount;
        work(files);
        return files.OperationCount - before;
    }

    private static IEnumerable<(int Call, bool IsDone, MemoryFileSystem Files)> Survivors(
        int calls, Action<MemoryFileSystem> work, Func<MemoryFileSystem>? prepare = null)
    {
        for (var call = 0; call <= calls; call++)
        {
            for (var ending = 0; ending < 6; ending++)
            {
                var files = (prepare ?? Prepared)();
                files.HaltAt = files.OperationCount + call;
                var isDone = true;
                try
                {
                    work(files);
                }
                catch (FileSystemException)
                {
                    isDone = false;
                }

                yield return (call, isDone, ending == 0 ? files.Kill() : files.PowerCut(new Random((call * 10) + ending)));
            }
        }
    }
}
