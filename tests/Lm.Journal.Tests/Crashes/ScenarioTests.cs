using Lm.TestKit;

namespace Lm.Journal.Tests.Crashes;

/// <summary>Runs of several faults that random trials seldom hit, each with the rule that it would break.</summary>
public sealed class ScenarioTests
{
    private static readonly JournalOptions Options = new() { SegmentSizeMax = 300 };

    [Fact]
    public async Task A_half_made_segment_that_comes_back_does_not_hide_what_was_appended_after_it()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var files = new MemoryFileSystem(seed);
            var journal = Texts.Open(files, Options);
            await journal.AppendAsync(new string('a', 200));
            files.Fault = operation => operation.Kind == FileOperationKind.SyncDirectory ? FileFault.InputOutput : null;
            await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(new string('b', 100)));
            files.Fault = null;
            await journal.AppendAsync("c"); // would still fit into the first segment
            await journal.AppendAsync("d");
            await AssertAfterPowerCutAsync(files, journal, seed, [new string('a', 200), "c", "d"]);
        }
    }

    [Theory]
    [InlineData(FileOperationKind.Sync)]
    [InlineData(FileOperationKind.SyncDirectory)]
    public async Task A_half_made_segment_that_cannot_be_deleted_is_passed_over(FileOperationKind failing)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var files = new MemoryFileSystem(seed);
            var journal = Texts.Open(files, Options);
            await journal.AppendAsync(new string('a', 200));
            files.Fault = operation => operation.Kind == failing || operation.Kind == FileOperationKind.Delete ? FileFault.InputOutput : null;
            await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(new string('b', 100)));
            files.Fault = operation => operation.Kind == FileOperationKind.Delete ? FileFault.InputOutput : null;
            Assert.Equal(2u, (await journal.AppendAsync("c")).Segment);
            Assert.True(files.Exists(Texts.PathOf(1)));
            Assert.Equal([new string('a', 200), "c"], JournalReader.ReadDirectory(files, Texts.Directory).Read());
            if (seed % 2 == 0)
            {
                await AssertAfterPowerCutAsync(files, journal, seed, [new string('a', 200), "c"]);
                continue;
            }

            // Its successor's header is all that excludes it: it cannot go first.
            await journal.AppendAsync(new string('d', 250));
            Assert.Throws<Platform.Files.FileSystemException>(() => journal.Delete(2));
            files.Fault = null;
            journal.Delete(2);
            await AssertAfterPowerCutAsync(files, journal, seed, [new string('a', 200), new string('d', 250)]);
        }
    }

    [Fact]
    public async Task A_refused_group_stays_refused_when_the_segment_that_excludes_it_is_deleted()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var files = new MemoryFileSystem(seed);
            var journal = Texts.Open(files, Options);
            await journal.AppendAsync("a");
            files.Fault = operation => operation.Kind is FileOperationKind.Sync or FileOperationKind.Truncate ? FileFault.InputOutput : null;
            await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync("b"));
            files.Fault = null;
            await journal.AppendAsync("c");
            await journal.AppendAsync(new string('d', 250));
            journal.Delete(1);
            await AssertAfterPowerCutAsync(files, journal, seed, ["a", new string('d', 250)]);
        }
    }

    [Fact]
    public async Task Records_that_only_the_page_cache_held_at_a_kill_survive_the_power_cut_that_follows()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var files = new MemoryFileSystem(seed);
            var journal = Texts.Open(files, Options);
            await journal.AppendAsync("a");
            files.HaltAt = files.OperationCount + 1; // written, not synced
            await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync("b"));
            var killed = files.Kill();
            await journal.DisposeAsync();
            var again = Texts.Open(killed, Options);
            string[] seen = again.Read().Read();
            await again.AppendAsync("c");
            await AssertAfterPowerCutAsync(killed, again, seed, [.. seen, "c"]);
        }
    }

    private static async Task AssertAfterPowerCutAsync(MemoryFileSystem files, Journal journal, int seed, string[] expected)
    {
        var after = files.PowerCut(new Random(seed));
        await journal.DisposeAsync();
        await using var reopened = Texts.Open(after, Options);
        Assert.Equal(expected, reopened.Read().Read());
        Assert.Empty(reopened.Recovery.Damage);
    }
}
