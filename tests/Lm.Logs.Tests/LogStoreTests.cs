using System.Text;
using Lm.Platform;
using Lm.TestKit;

namespace Lm.Logs.Tests;

public sealed class LogStoreTests
{
    private const long Now = RandomLines.Start;

    private readonly MemoryFileSystem files = new();
    private readonly Dictionary<LogStream, StreamHead> heads = [];

    [Fact]
    public void What_was_added_is_found_before_a_checkpoint_behind_it_and_when_it_is_sealed()
    {
        var lines = new RandomLines(1).Batch(Now, 60_000, 500);
        using var store = Open(files);
        lines.ForEach(line => line.AddTo(store, heads, Now));
        var expected = InOrder(lines);

        Assert.Equal(expected, store.All());
        store.Checkpoint(new CommitPosition(0, 100));
        Assert.Equal(expected, store.All());
        SealAll(store);
        Assert.NotEmpty(store.Files);
        Assert.Equal(0, store.Statistics().OpenFiles);
        Assert.Equal(expected, store.All());
        expected.Reverse();
        Assert.Equal(expected, store.All(Reading.Everything with { IsBackward = true }));
    }

    [Fact]
    public void What_is_stored_is_measured_in_open_and_sealed_files_alike()
    {
        var lines = new RandomLines(4).Batch(Now, 60_000, 500);
        using var store = Open(files);
        lines.ForEach(line => line.AddTo(store, heads, Now));
        var web1 = lines.Count(static line => line.Stream.Instance == "web1");

        Assert.Equal(500, Measure(store, static _ => true).Lines);
        store.Checkpoint(new CommitPosition(0, 100));
        // A frame in the file of each of two hours.
        Assert.Equal((2, 500), (Measure(store, static _ => true).Frames, Measure(store, static _ => true).Lines));
        SealAll(store);
        Assert.Equal(500, Measure(store, static _ => true).Lines);
        Assert.InRange(Measure(store, static stream => stream.Instance == "web1").Lines, web1, 500);
        Assert.Equal(default, Measure(store, static stream => stream.Instance == "nobody"));
        Assert.Equal(default, store.Measure(0, Now - 60_001, static _ => true, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void After_a_restart_a_checkpoint_is_there_and_what_came_behind_it_is_not()
    {
        var random = new RandomLines(2);
        var covered = random.Batch(Now, 3_600_000, 300);
        var store = Open(files);
        covered.ForEach(line => line.AddTo(store, heads, Now));
        store.Checkpoint(new CommitPosition(3, 100));
        random.Batch(Now, 3_600_000, 300).ForEach(line => line.AddTo(store, heads, Now));

        using var again = Open(files.Kill(), out var opening);

        Assert.Equal(new CommitPosition(3, 100), opening.ReplayFrom);
        Assert.Equal(InOrder(covered), again.All());
        Assert.Empty(opening.Damage);
        store.Dispose();
    }

    [Theory]
    [InlineData(false, "manifest is gone")]
    [InlineData(true, "does not begin as a manifest")]
    public void Without_a_manifest_all_lines_of_open_files_are_found_and_the_damage_is_told(bool isGarbled, string told)
    {
        var lines = new RandomLines(5).Batch(Now, 3_600_000, 300);
        using (var store = Open(files))
        {
            lines.ForEach(line => line.AddTo(store, heads, Now));
            store.Checkpoint(new CommitPosition(3, 100));
        }

        files.Delete("/logs/manifest");
        if (isGarbled)
        {
            files.Put("/logs/manifest", "garbled"u8);
        }

        using (var again = Open(files, out var opening))
        {
            Assert.Contains(told, opening.Damage[0], StringComparison.Ordinal);
            Assert.Equal(CommitPosition.Start, opening.ReplayFrom);
            Assert.Equal(InOrder(lines), again.All());
            SealAll(again);
        }

        using var later = Open(files, out var whole);
        Assert.Empty(whole.Damage);
        Assert.Equal(InOrder(lines), later.All());
        Assert.Equal(300, later.Files.Sum(static file => file.Lines));
    }

    [Fact]
    public void A_store_that_begins_tells_no_damage_though_it_is_killed_before_its_first_checkpoint()
    {
        using var store = Open(files);
        new RandomLines(6).Batch(Now, 60_000, 10).ForEach(line => line.AddTo(store, heads, Now));

        using var again = Open(files.Kill(), out var opening);

        Assert.Empty(opening.Damage);
        Assert.Empty(again.All());
    }

    [Fact]
    public void A_search_gives_each_line_that_has_the_text_wherever_it_stands_in_it()
    {
        var lines = new RandomLines(3).Batch(Now, 60_000, 2000);
        using var store = Open(files);
        lines.ForEach(line => line.AddTo(store, heads, Now));
        store.Checkpoint(new CommitPosition(0, 100));
        SealAll(store);
        foreach (var needle in (string[])["timeout", "meou", "\"quoted\"", "\u001b[31m", "本語", "n", "\\", "\\u0041", "no such text"])
        {
            var scan = Reading.Everything with { Required = [Encoding.UTF8.GetBytes(needle)] };
            Assert.Equal(InOrder(lines.Where(line => line.Body.Contains(needle, StringComparison.Ordinal))), store.All(scan));
        }
    }

    [Fact]
    public void Streams_that_wait_to_be_sealed_make_no_file_complete_with_every_frame()
    {
        const int count = 40_000;
        var body = new string('x', 1000); // some 450 lines a frame
        var options = Options with { MemoryBytesMax = 4 << 20 };
        using var store = LogStore.Open(files, options, out _);
        for (var i = 0; i < count; i++)
        {
            new Line(Now, [new LogField("input", $"input {i}"), new LogField("instance", "web1")], new LogIdentity(1, 1, i), body, []).AddTo(store, heads, Now);
        }

        var waiting = store.Statistics();
        // The streams alone are some four times what may be in memory.
        Assert.InRange(waiting.FilesWaiting, 2, 8);
        SealAll(store);
        Assert.Equal(count, store.Files.Sum(static file => file.Lines));
        Assert.All(store.Files.SkipLast(1), static file => Assert.InRange(file.Lines, 4000, count));
        Assert.InRange(store.Statistics().MemoryBytes, 0, options.MemoryBytesMax);
        Assert.Equal(count, Streams(store).Count);
    }

    private static LogStoreOptions Options { get; } = new() { Directory = "/logs", Incarnation = Guid.Empty, Time = new ManualTime() };

    private static HashSet<LogStream> Streams(LogStore store)
    {
        var found = new HashSet<LogStream>();
        store.EachStream(0, long.MaxValue, stream => found.Add(stream), TestContext.Current.CancellationToken);
        return found;
    }

    private static LogExtent Measure(LogStore store, Func<LogStream, bool> stream) => store.Measure(0, long.MaxValue, stream, TestContext.Current.CancellationToken);

    private static List<string> InOrder(IEnumerable<Line> lines) =>
        [.. lines.Order(Comparer<Line>.Create(static (left, right) => left.CompareTo(right))).Select(static line => line.ToString())];

    private static void SealAll(LogStore store)
    {
        store.Maintain(new UnixMillis(Now + 86_400_000));
        store.Checkpoint(new CommitPosition(0, 200));
        while (store.SealNext(new HashSet<uint>(), TestContext.Current.CancellationToken, out _))
        {
        }
    }

    private static LogStore Open(MemoryFileSystem files) => Open(files, out _);

    private static LogStore Open(MemoryFileSystem files, out LogStoreOpening opening) =>
        LogStore.Open(files, Options, out opening);
}
