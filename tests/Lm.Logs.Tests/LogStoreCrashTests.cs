using Lm.Platform;
using Lm.Platform.Files;
using Lm.TestKit;

namespace Lm.Logs.Tests;

/// <summary>The machine stops, or a call fails, at each call that a day of the store makes: adding, checkpoints, sealing with scratch files, retention.</summary>
/// <remarks>The spool is a list of batches here. Batch n stands at offset n; a store that covers n has all up to it, and gets the rest again after a restart.</remarks>
public sealed class LogStoreCrashTests
{
    private const int Batches = 10;
    private const int LinesPerBatch = 12;
    private const long StepMs = 35 * 60_000; // between two batches: hours end, and lines come late

    private readonly Dictionary<LogStream, StreamHead> heads = [];
    private readonly List<Line>[] spool;

    public LogStoreCrashTests()
    {
        var random = new RandomLines(11);
        spool = [.. Enumerable.Range(0, Batches).Select(number => random.Batch(ReceivedAt(number), 100 * 60_000, LinesPerBatch))];
    }

    [Fact]
    public void A_stop_at_any_call_loses_no_line_that_the_spool_has_and_doubles_none()
    {
        var calls = CallsOf(Day);
        Assert.True(calls > 150, $"a day is expected to write, sync, rename and delete, not {calls} calls");
        var covered = new HashSet<long>();
        for (var call = 0; call <= calls; call++)
        {
            for (var ending = 0; ending < 2; ending++)
            {
                var files = new MemoryFileSystem(seed: 3) { HaltAt = call };
                var last = TryDay(files);
                var survivor = ending == 0 ? files.Kill() : files.PowerCut(new Random((call * 10) + ending));

                covered.Add(CheckRestart(survivor, last, $"a stop at call {call}, ending {ending}"));
            }
        }

        Assert.True(covered.Count > 3, "stops are expected before and behind several checkpoints");
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(5, true)]
    [InlineData(28, false)]
    public void A_call_that_fails_loses_and_doubles_nothing_then_and_after_a_restart(int error, bool takesEffect)
    {
        var calls = CallsOf(Day);
        for (var call = 0; call < calls; call++)
        {
            var files = new MemoryFileSystem(seed: 3);
            files.Fault = operation => operation.Index == call ? new FileFault(error, takesEffect) : null;
            var last = TryDay(files);

            CheckRestart(files.PowerCut(new Random(call)), last, $"a failure of call {call}");
        }
    }

    [Fact]
    public void A_stop_while_a_restart_is_under_way_loses_and_doubles_nothing_either()
    {
        var calls = CallsOf(Day);
        foreach (var call in new[] { calls / 4, calls / 2, calls - 20, calls })
        {
            for (var again = 0; ; again++)
            {
                var files = new MemoryFileSystem(seed: 3) { HaltAt = call };
                var last = TryDay(files);
                var second = files.PowerCut(new Random(call));
                second.HaltAt = second.OperationCount + again;
                var isDone = false;
                try
                {
                    using var store = Open(second, out var opening);
                    Replay(store, opening, last);
                    store.Checkpoint(new CommitPosition(0, Batches));
                    SealAll(store, Batches);
                    isDone = true;
                }
                catch (FileSystemException)
                {
                    // The second stop.
                }

                CheckRestart(second.PowerCut(new Random(again)), last, $"a stop at call {call}, and at call {again} of the next start");
                if (isDone)
                {
                    break;
                }
            }
        }
    }

    [Fact]
    public void A_disk_that_fails_for_a_while_is_made_up_for_without_a_restart()
    {
        var calls = CallsOf(Day);
        for (var from = 0; from < calls; from += 7)
        {
            var files = new MemoryFileSystem(seed: 3);
            using var store = Open(files, out _);
            var first = files.OperationCount + from;
            files.Fault = operation => operation.Index >= first && operation.Index < first + 25
                && operation.Kind is FileOperationKind.Write or FileOperationKind.Create or FileOperationKind.Sync or FileOperationKind.Rename ? FileFault.InputOutput : null;
            for (var number = 1; number <= Batches; number++)
            {
                Take(store, number);
                Quietly(() => Keep(store, number));
                Assert.Equal(Expected(number), store.All());
            }

            files.Fault = null;
            store.Checkpoint(new CommitPosition(0, Batches));
            SealAll(store, Batches);
            Assert.Equal(Expected(Batches), store.All());
            Assert.Equal(0, store.Statistics().FilesWaiting);

            using var later = Open(files.PowerCut(new Random(from)), out var opening);
            Assert.Equal(new CommitPosition(0, Batches), opening.ReplayFrom);
            Assert.Equal(Expected(Batches), later.All());
        }
    }

    [Fact]
    public void Retention_that_is_cut_off_leaves_whole_files_or_none()
    {
        var prepared = CallsOf(Day);
        for (var call = 0; ; call++)
        {
            var files = new MemoryFileSystem(seed: 3);
            Day(files);
            files.HaltAt = files.OperationCount + call;
            var isDone = false;
            try
            {
                using var store = Open(files, out _);
                store.Delete([.. store.Files.Take(2)]);
                isDone = true;
            }
            catch (FileSystemException)
            {
                // The stop.
            }

            using var later = Open(files.PowerCut(new Random(call)), out var opening);
            Assert.Empty(opening.Damage);
            var found = later.All();
            Assert.Equal(found.Distinct(), found);
            Assert.Subset(Expected(Batches).ToHashSet(), found.ToHashSet());
            Assert.Equal(later.Files.Sum(static file => file.Lines) + LinesInOpenFiles(later), found.Count);
            if (isDone)
            {
                Assert.True(prepared > 0 && found.Count < Batches * LinesPerBatch);
                return;
            }
        }
    }

    private static long LinesInOpenFiles(LogStore store)
    {
        var sealedLines = store.Files.Sum(static file => file.Lines);
        return store.All().Count - sealedLines;
    }

    // The batch that was being taken, or the last that was.
    private int TryDay(MemoryFileSystem files)
    {
        var last = 0;
        try
        {
            using var store = Open(files, out _);
            for (var number = 1; number <= Batches; number++)
            {
                last = number;
                Take(store, number);
                Quietly(() => Keep(store, number));
            }
        }
        catch (FileSystemException)
        {
            // It could not be opened.
        }

        return Math.Max(last, 1);
    }

    private void Day(MemoryFileSystem files)
    {
        using var store = Open(files, out _);
        for (var number = 1; number <= Batches; number++)
        {
            Take(store, number);
            Keep(store, number);
        }
    }

    private void Take(LogStore store, int number) => spool[number - 1].ForEach(line => line.AddTo(store, heads, ReceivedAt(number - 1)));

    // As the collector keeps it: what is over is frozen, a checkpoint now and then, what is complete is sealed.
    private static void Keep(LogStore store, int number)
    {
        store.Maintain(new UnixMillis(ReceivedAt(number - 1)));
        if (number % 3 != 0)
        {
            return;
        }

        store.Checkpoint(new CommitPosition(0, number));
        while (store.SealNext(new HashSet<uint>(), TestContext.Current.CancellationToken, out _))
        {
        }
    }

    private static void SealAll(LogStore store, int number)
    {
        store.Maintain(new UnixMillis(ReceivedAt(number) + 86_400_000));
        store.Checkpoint(new CommitPosition(0, number));
        while (store.SealNext(new HashSet<uint>(), TestContext.Current.CancellationToken, out _))
        {
        }
    }

    private static void Quietly(Action action)
    {
        try
        {
            action();
        }
        catch (FileSystemException)
        {
            // What counts is what is found afterwards.
        }
    }

    // Opens what is left, plays the spool again from where the store says, and compares; then once more when all of it is sealed.
    private long CheckRestart(MemoryFileSystem files, int last, string after)
    {
        using var store = Open(files, out var opening);
        Assert.True(opening.Damage.Count == 0, $"{after}: {string.Join("; ", opening.Damage)}");
        Replay(store, opening, last);
        Assert.True(Expected(last).SequenceEqual(store.All()), $"{after}: covered {opening.ReplayFrom.Offset} of {last}, other lines are found");
        store.Checkpoint(new CommitPosition(0, last));
        SealAll(store, last);
        Assert.True(Expected(last).SequenceEqual(store.All()), $"{after}: other lines are found when all of them are sealed");
        Assert.True(store.Files.Sum(static file => file.Lines) == last * LinesPerBatch, $"{after}: sealed files have a line twice");
        Assert.True(files.AllFiles("/logs").All(static path => !path.EndsWith(".tmp", StringComparison.Ordinal)), $"{after}: a file that was not finished stays");
        return opening.ReplayFrom.Offset;
    }

    private void Replay(LogStore store, LogStoreOpening opening, int last)
    {
        for (var number = (int)opening.ReplayFrom.Offset + 1; number <= last; number++)
        {
            Take(store, number);
        }
    }

    private List<string> Expected(int last) =>
        [.. spool.Take(last).SelectMany(static batch => batch).Order(Comparer<Line>.Create(static (left, right) => left.CompareTo(right))).Select(static line => line.ToString())];

    private static long ReceivedAt(int number) => RandomLines.Start + (number * StepMs);

    private static int CallsOf(Action<MemoryFileSystem> work)
    {
        var files = new MemoryFileSystem(seed: 3);
        work(files);
        return files.OperationCount;
    }

    private static LogStore Open(MemoryFileSystem files, out LogStoreOpening opening) =>
        LogStore.Open(files, new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime(), SealLevel = 1, SealBytesMax = 1, OpenBytesMax = 3000, LateAge = TimeSpan.FromHours(2) }, out opening);
}
