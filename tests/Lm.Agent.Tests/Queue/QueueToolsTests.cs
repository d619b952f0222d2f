using Lm.Platform;
using Lm.TestKit;

namespace Lm.Agent.Tests.Queue;

public sealed class QueueToolsTests
{
    private const string Rejected = QueueBench.Directory + "/rejected";

    [Fact]
    public async Task A_queue_that_is_sound_is_told_so_with_what_it_holds()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await bench.AppendAsync(1000);
        await bench.AppendAsync(2000);

        var found = bench.Queue.Examine();

        Assert.True(found.IsSound);
        Assert.Equal((2UL, 1000, 2000, 0), (found.Waiting, found.Oldest!.Value.Value, found.Newest!.Value.Value, found.RejectedFiles));
    }

    [Fact]
    public async Task Refused_batches_are_queued_again_under_new_numbers_with_their_content()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await RejectAsync(bench, 41);
        await RejectAsync(bench, 42);
        await bench.CloseAsync();
        await bench.OpenAsync();

        var outcome = await bench.Queue.RequeueRejectedAsync(new UnixMillis(9000), CancellationToken.None);

        Assert.Equal((2, 0), (outcome.Count, outcome.Faults.Count));
        Assert.Empty(bench.Files.List(Rejected));
        Assert.Equal([(3UL, 41L), (4, 42)], bench.ReadAll().Select(QueueBench.Decode).Select(batch => (batch.Key.Sequences.Start, batch.Id)));
        Assert.Equal(2UL, bench.Queue.Counters.Rejected);
    }

    [Fact]
    public async Task What_was_queued_before_a_crash_is_not_queued_twice()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await RejectAsync(bench, 41);
        var name = Assert.Single(bench.Files.List(Rejected));
        var bytes = bench.Files.Peek($"{Rejected}/{name}");
        await bench.Queue.RequeueRejectedAsync(new UnixMillis(9000), CancellationToken.None);
        AtomicFileAgain(bench.Files, $"{Rejected}/{name}", bytes); // as if it had not been deleted yet

        var outcome = await bench.Queue.RequeueRejectedAsync(new UnixMillis(9000), CancellationToken.None);

        Assert.Equal(1, outcome.Count);
        Assert.Empty(bench.Files.List(Rejected));
        Assert.Single(bench.ReadAll());
    }

    [Fact]
    public async Task What_is_no_batch_stays_and_is_told()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await RejectAsync(bench, 41);
        AtomicFileAgain(bench.Files, $"{Rejected}/0000000001-00000000000000000009-x-malformed_frame.frame", [1, 2, 3]);
        AtomicFileAgain(bench.Files, $"{Rejected}/odd.frame", [1]);

        var outcome = await bench.Queue.RequeueRejectedAsync(new UnixMillis(9000), CancellationToken.None);

        Assert.Equal((1, 2), (outcome.Count, outcome.Faults.Count));
        Assert.Equal(2, bench.Files.List(Rejected).Count);
        Assert.Equal(41, QueueBench.Decode(Assert.Single(bench.ReadAll())).Id);
    }

    private static async Task RejectAsync(QueueBench bench, long id)
    {
        var batch = await bench.AppendAsync(id);
        Assert.True(bench.Queue.TryReject(batch!, "malformed_batch", "a test says so"));
    }

    private static void AtomicFileAgain(MemoryFileSystem files, string path, byte[] bytes) => Lm.Platform.Files.AtomicFile.Write(files, path, bytes);
}
