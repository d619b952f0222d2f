using Lm.Platform;
using Lm.TestKit;

namespace Lm.Logs.Tests;

public sealed class LogSealingTests
{
    private const int Frames = 40;
    private const int LinesPerFrame = 50;
    private const long HourMs = 3_600_000;
    private const long Now = RandomLines.Start + 1_800_000;

    private readonly Dictionary<LogStream, StreamHead> heads = [];

    [Theory]
    [InlineData(long.MaxValue, 0)]
    [InlineData(400_000, 1)]
    [InlineData(1, 6)] // two at a time, the least that there can be: 40 runs, 20, 10, 5, 3, 2, 1
    public void Lines_that_came_in_no_order_are_sealed_in_order_within_the_memory_that_there_is(long bytesMax, int passesMax)
    {
        var files = new MemoryFileSystem();
        using var store = Open(files, bytesMax);
        var lines = AddInNoOrder(store);
        var scratch = new List<string>();
        files.Fault = operation =>
        {
            if (operation.Kind == FileOperationKind.Create && IsScratch(operation.Path))
            {
                scratch.Add(operation.Path);
            }

            return null;
        };

        SealAll(store);

        Assert.Equal(InOrder(lines), store.All());
        Assert.Equal(Frames * LinesPerFrame, Assert.Single(store.Files).Lines);
        Assert.Equal(passesMax, scratch.Count);
        Assert.DoesNotContain(files.AllFiles("/logs"), static path => path.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_last_file_of_an_hour_says_what_of_the_spool_the_hour_holds()
    {
        var files = new MemoryFileSystem();
        using var store = LogStore.Open(files, new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime(), OpenBytesMax = 1 }, out _);
        var random = new Random(1);
        for (var sequence = 1UL; store.Statistics().FilesWaiting == 0; sequence++)
        {
            Add(store, random, sequence);
        }

        Add(store, random, 1_000_000); // in another file of the hour, and before the checkpoint
        store.Checkpoint(new CommitPosition(0, 5000));
        Assert.True(store.SealNext(new HashSet<uint>(), CancellationToken.None, out var first));
        store.Maintain(new UnixMillis(Now + (2 * 3_600_000)));
        store.Checkpoint(new CommitPosition(0, 6000));
        Assert.True(store.SealNext(new HashSet<uint>(), CancellationToken.None, out var second));

        Assert.Equal(first!.Window, second!.Window);
        Assert.Equal(CommitPosition.Start, FactsOf(files, first).Covered);
        Assert.Equal(new CommitPosition(0, 6000), FactsOf(files, second).Covered);
    }

    [Fact]
    public void Files_of_an_hour_of_which_a_frame_was_damaged_say_nothing_of_the_spool_and_later_ones_do()
    {
        var files = new MemoryFileSystem();
        using var store = LogStore.Open(files, new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime() }, out _);
        var random = new Random(1);
        Add(store, random, 1);
        store.Checkpoint(new CommitPosition(0, 1000));
        Add(store, random, 2);
        store.Checkpoint(new CommitPosition(0, 5000));
        var open = files.AllFiles("/logs/open").Single(static path => path.EndsWith(".zst", StringComparison.Ordinal));
        files.Corrupt(open, 100, (byte)(files.Peek(open)[100] ^ 0x55));
        store.Maintain(new UnixMillis(Now + (2 * HourMs)));
        store.Checkpoint(new CommitPosition(0, 6000));
        Assert.True(store.SealNext(new HashSet<uint>(), CancellationToken.None, out var damaged));
        Assert.Equal(CommitPosition.Start, FactsOf(files, damaged!).Covered);

        Add(store, random, 3); // the hour has another file all the same
        Add(store, random, 4, Now + (72 * HourMs));
        store.Maintain(new UnixMillis(Now + (80 * HourMs)));
        store.Checkpoint(new CommitPosition(0, 7000));
        Assert.True(store.SealNext(new HashSet<uint>(), CancellationToken.None, out var same));
        Assert.True(store.SealNext(new HashSet<uint>(), CancellationToken.None, out var later));

        Assert.Equal((damaged!.Window, CommitPosition.Start), (same!.Window, FactsOf(files, same).Covered));
        Assert.Equal(new CommitPosition(0, 7000), FactsOf(files, later!).Covered);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_an_open_file_was_found_damaged_its_hour_claims_nothing_also_after_another_restart(bool isGone)
    {
        var files = new MemoryFileSystem();
        var options = new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime() };
        var random = new Random(1);
        using (var store = LogStore.Open(files, options, out _))
        {
            Add(store, random, 1);
            store.Checkpoint(new CommitPosition(0, 1000));
        }

        var open = files.AllFiles("/logs/open").Single(static path => path.EndsWith(".zst", StringComparison.Ordinal));
        if (isGone)
        {
            files.Delete(open);
        }
        else
        {
            files.Corrupt(open, 100, (byte)(files.Peek(open)[100] ^ 0x55));
            files.Delete(open[..^".ndjson.zst".Length] + ".idx"); // so that it is read through
        }

        using (var store = LogStore.Open(files, options, out var opening))
        {
            Assert.Single(opening.Damage);
            Add(store, random, 2);
            store.Checkpoint(new CommitPosition(0, 5000));
        }

        using var later = LogStore.Open(files, options, out var second);
        Assert.Empty(second.Damage);
        Assert.Equal(new CommitPosition(0, 5000), second.ReplayFrom);
        later.Maintain(new UnixMillis(Now + (2 * HourMs)));
        later.Checkpoint(new CommitPosition(0, 6000));
        var failed = new HashSet<uint>();
        while (later.SealNext(failed, CancellationToken.None, out var made))
        {
            Assert.True(made is null || FactsOf(files, made).Covered == CommitPosition.Start);
        }

        Assert.NotEmpty(later.Files);
    }

    private void Add(LogStore store, Random random, ulong sequence, long time = Now)
    {
        var body = new byte[4096];
        random.NextBytes(body);
        new Line(time, [new LogField("instance", "a")], new LogIdentity(1, sequence, 0), Convert.ToHexString(body), []).AddTo(store, heads, time);
    }

    private static SealedFileFacts FactsOf(MemoryFileSystem files, StoredLogFile file)
    {
        var facts = SealedFileFacts.TryRead(files.Peek(file.Path).AsSpan(^SealedFileFacts.Size..));
        Assert.NotNull(facts);
        return facts;
    }

    [Fact]
    public void A_sealed_file_has_the_same_bytes_however_little_memory_there_was()
    {
        var sealedFiles = new List<byte[]>();
        foreach (var bytesMax in (long[])[long.MaxValue, 400_000, 1])
        {
            var files = new MemoryFileSystem();
            using var store = Open(files, bytesMax);
            AddInNoOrder(store);
            SealAll(store);
            sealedFiles.Add(files.Peek(Assert.Single(store.Files).Path));
        }

        Assert.Equal(sealedFiles[0], sealedFiles[1]);
        Assert.Equal(sealedFiles[0], sealedFiles[2]);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1)]
    public void A_line_that_came_twice_is_sealed_once(long bytesMax)
    {
        var files = new MemoryFileSystem();
        using var store = Open(files, bytesMax);
        var lines = new RandomLines(3).Batch(Now, 60_000, LinesPerFrame);
        foreach (var number in (int[])[1, 2])
        {
            lines.ForEach(line => line.AddTo(store, heads, Now));
            store.Checkpoint(new CommitPosition(0, number));
        }

        SealAll(store);

        Assert.Equal(InOrder(lines), store.All());
        Assert.Equal(LinesPerFrame, store.Files.Sum(static file => file.Lines));
    }

    [Fact]
    public void A_damaged_frame_costs_its_lines_and_the_open_file_is_kept()
    {
        foreach (var bytesMax in (long[])[long.MaxValue, 1])
        {
            var files = new MemoryFileSystem();
            using var store = Open(files, bytesMax);
            var first = new RandomLines(3).Batch(Now, 60_000, LinesPerFrame);
            first.ForEach(line => line.AddTo(store, heads, Now));
            store.Checkpoint(new CommitPosition(0, 1));
            AddInNoOrder(store);
            var open = files.AllFiles("/logs/open").Single(static path => path.EndsWith(".zst", StringComparison.Ordinal));
            files.Corrupt(open, 100, (byte)(files.Peek(open)[100] ^ 0x55));

            SealAll(store);

            Assert.Equal(Frames * LinesPerFrame, Assert.Single(store.Files).Lines);
            Assert.Equal(1, store.Statistics().FramesDamaged);
            Assert.Contains(open + ".damaged", files.AllFiles("/logs/open"));
        }
    }

    [Fact]
    public void A_stop_while_a_file_is_sealed_leaves_everything_as_it_was()
    {
        var files = new MemoryFileSystem();
        using var store = Open(files, 1);
        var lines = AddInNoOrder(store);
        store.Maintain(new UnixMillis(Now + 86_400_000));
        store.Checkpoint(new CommitPosition(1, 0));
        var before = files.AllFiles("/logs").ToArray();

        Assert.Throws<OperationCanceledException>(() => store.SealNext(new HashSet<uint>(), new CancellationToken(canceled: true), out _));

        Assert.Equal(before, files.AllFiles("/logs"));
        Assert.Equal(InOrder(lines), store.All());
        SealAll(store);
        Assert.Equal(Frames * LinesPerFrame, Assert.Single(store.Files).Lines);
    }

    private static bool IsScratch(string path) => path.EndsWith(".tmp", StringComparison.Ordinal) && !path.EndsWith(".zst.tmp", StringComparison.Ordinal) && !path.EndsWith(".idx.tmp", StringComparison.Ordinal)
        && path.Contains(".ndjson.zst.", StringComparison.Ordinal);

    private static List<string> InOrder(IEnumerable<Line> lines) =>
        [.. lines.Order(Comparer<Line>.Create(static (left, right) => left.CompareTo(right))).Select(static line => line.ToString())];

    private static void SealAll(LogStore store)
    {
        store.Maintain(new UnixMillis(Now + 86_400_000));
        store.Checkpoint(new CommitPosition(1, 0));
        while (store.SealNext(new HashSet<uint>(), TestContext.Current.CancellationToken, out _))
        {
        }
    }

    private static LogStore Open(MemoryFileSystem files, long bytesMax) =>
        LogStore.Open(files, new LogStoreOptions { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime(), SealBytesMax = bytesMax }, out _);

    // Frames of which each has lines of the whole hour.
    private List<Line> AddInNoOrder(LogStore store)
    {
        var random = new RandomLines(7);
        var lines = new List<Line>();
        for (var frame = 0; frame < Frames; frame++)
        {
            // No agent's queue is in two sources of lines here: identities stay apart from those of other seeds.
            var batch = random.Batch(Now, 1_700_000, LinesPerFrame).ConvertAll(static line => line with { Identity = line.Identity with { QueueId = 99 + line.Identity.QueueId } });
            batch.ForEach(line => line.AddTo(store, heads, Now));
            lines.AddRange(batch);
            store.Checkpoint(new CommitPosition(0, 10 + frame));
        }

        return lines;
    }
}
