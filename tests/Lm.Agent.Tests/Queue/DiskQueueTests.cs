using Lm.Agent.Queue;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Agent.Tests.Queue;

public sealed class DiskQueueTests
{
    [Fact]
    public async Task The_newest_batch_is_handed_out_first_and_the_backlog_from_the_oldest_on()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await bench.AppendAsync(1);
        await bench.AppendAsync(2);
        await bench.AppendAsync(3);

        Assert.Equal(3, bench.Queue.TakeNewest()?.CollectedAt.Value);
        Assert.Null(bench.Queue.TakeNewest());
        Assert.Equal([1, 2, 3], bench.WaitingIds());
    }

    [Fact]
    public async Task A_frame_carries_its_own_number_and_the_queues_id()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        var batch = await bench.AppendAsync(41);

        var (key, id) = QueueBench.Decode(batch!);

        Assert.Equal(new BatchKey("a1", bench.Queue.Status().QueueId, new SequenceRange(1, 1)), key);
        Assert.Equal(41, id);
    }

    [Fact]
    public async Task What_was_acknowledged_is_gone_after_a_clean_stop_and_the_numbers_go_on()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        var first = await bench.AppendAsync(1);
        await bench.AppendAsync(2);
        bench.Queue.Acknowledge(first!.Number);
        await bench.CloseAsync();

        await bench.OpenAsync();

        Assert.Equal([2], bench.WaitingIds());
        Assert.Equal(2UL, bench.Queue.Status().Floor);
        Assert.Equal(3UL, (await bench.AppendAsync(3))!.Number.Sequence);
    }

    [Fact]
    public async Task Numbers_go_on_after_every_batch_and_segment_is_done_with()
    {
        await using var bench = new QueueBench { BatchBytes = 20_000 };
        await bench.OpenAsync();
        var last = 0UL;
        for (var i = 1; i <= 40; i++)
        {
            var batch = await bench.AppendAsync(i);
            bench.Queue.Acknowledge(batch!.Number);
            last = batch.Number.Sequence;
        }

        await bench.CloseAsync();
        Assert.Single(bench.Files.List(QueueBench.Directory), name => name.EndsWith(".seg", StringComparison.Ordinal));

        await bench.OpenAsync();

        Assert.Equal(last + 1, (await bench.AppendAsync(99))!.Number.Sequence);
        Assert.Equal(last + 1, bench.Queue.Status().Floor);
    }

    [Fact]
    public async Task A_full_queue_drops_its_oldest_segment_and_counts_the_batches_that_waited_in_it()
    {
        await using var bench = new QueueBench { BatchBytes = 10_000 };
        await bench.OpenAsync();
        for (var i = 1; i <= 60; i++)
        {
            Assert.NotNull(await bench.AppendAsync(i));
        }

        var status = bench.Queue.Status();
        Assert.InRange(status.SizeBytes, 1, 256 << 10);
        Assert.Equal(60UL, status.Batches + status.Counters.Dropped);
        Assert.True(status.Counters.Dropped > 0);
        Assert.Equal(status.Counters.Dropped + 1, status.Floor);
        Assert.Equal(Enumerable.Range((int)status.Floor, (int)status.Batches).Select(id => (long)id), bench.WaitingIds());
        await bench.CloseAsync();

        await bench.OpenAsync();

        Assert.Equal(status.Counters, bench.Queue.Counters);
        Assert.Equal(status.Batches, bench.Queue.WaitingCount);
        Assert.True(bench.Logger.CountOf(1307) > 0);
    }

    [Fact]
    public async Task A_disk_without_room_loses_ticks_that_are_counted_and_recovers_without_a_restart()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await bench.AppendAsync(1);
        bench.Files.Capacity = 0;
        Assert.Null(await bench.AppendAsync(2));
        Assert.Null(await bench.AppendAsync(3));
        bench.Files.Capacity = long.MaxValue;

        var batch = await bench.AppendAsync(4);

        Assert.Equal(4UL, batch!.Number.Sequence);
        Assert.Equal(2UL, bench.Queue.Counters.Lost);
        Assert.Equal([1, 4], bench.WaitingIds());
        Assert.Equal((1, 1), (bench.Logger.CountOf(1305), bench.Logger.CountOf(1306)));
    }

    [Fact]
    public async Task A_failed_sync_burns_the_number()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await bench.AppendAsync(1);
        bench.Files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        Assert.Null(await bench.AppendAsync(2));
        bench.Files.Fault = null;

        Assert.Equal(3UL, (await bench.AppendAsync(3))!.Number.Sequence);
        Assert.Equal([1, 3], bench.WaitingIds());
    }

    [Fact]
    public async Task A_second_process_is_told_that_the_directory_is_in_use()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await using var second = new QueueBench { Files = bench.Files };

        var failure = await Assert.ThrowsAsync<QueueException>(second.OpenAsync);

        Assert.Contains("is in use by another lm-agent", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_agents_queue_is_refused_and_left_as_it_is()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        await bench.AppendAsync(1);
        await bench.CloseAsync();
        bench.AgentId = "a2";

        var failure = await Assert.ThrowsAsync<QueueException>(bench.OpenAsync);

        Assert.Contains("belongs to agent_id \"a1\", not \"a2\"", failure.Message, StringComparison.Ordinal);
        bench.AgentId = "a1";
        await bench.OpenAsync();
        Assert.Equal([1], bench.WaitingIds());
    }

    [Fact]
    public async Task A_copied_directory_takes_a_new_queue_id_and_queues_what_waits_again_under_it()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        var first = await bench.AppendAsync(1);
        await bench.AppendAsync(2);
        await bench.AppendAsync(3);
        var old = bench.Queue.Status().QueueId;
        bench.Queue.Acknowledge(first!.Number);
        await bench.CloseAsync();
        bench.MachineId = 8;

        await bench.OpenAsync();
        Assert.True(bench.Queue.NeedsMigration);
        Assert.Empty(bench.WaitingIds()); // nothing leaves under the old id
        Assert.True(await bench.Queue.MigrateAsync(CancellationToken.None));

        var batches = bench.ReadAll();
        var id = bench.Queue.Status().QueueId;
        Assert.NotEqual(old, id);
        Assert.Equal([(1UL, 2L), (2UL, 3L)], batches.Select(batch => (QueueBench.Decode(batch).Key.Sequences.Start, QueueBench.Decode(batch).Id)));
        Assert.All(batches, batch => Assert.Equal(id, QueueBench.Decode(batch).Key.QueueId));
        Assert.False(bench.Queue.NeedsMigration);
    }

    [Fact]
    public async Task A_refused_batch_is_set_aside_and_counted()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        var batch = await bench.AppendAsync(1);

        Assert.True(bench.Queue.TryReject(batch!, "malformed_batch", "series 3 has no name"));

        var name = Assert.Single(bench.Files.List(QueueBench.Directory + "/rejected"));
        Assert.EndsWith("-malformed_batch.frame", name, StringComparison.Ordinal);
        Assert.Equal(batch!.Frame.ToArray(), bench.Files.Peek($"{QueueBench.Directory}/rejected/{name}"));
        Assert.Equal((0UL, 1UL), (bench.Queue.WaitingCount, bench.Queue.Counters.Rejected));
    }

    [Fact]
    public async Task A_refused_batch_that_cannot_be_set_aside_stays()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        var batch = await bench.AppendAsync(1);
        bench.Files.Capacity = 0;

        Assert.False(bench.Queue.TryReject(batch!, "malformed_batch", ""));

        Assert.Equal([1], bench.WaitingIds());
    }

    [Fact]
    public async Task Refused_batches_that_are_deleted_for_room_are_counted_for_good()
    {
        await using var bench = new QueueBench(sizeMax: 16 << 20);
        await bench.OpenAsync();
        for (var i = 1; i <= RejectedBatches.CountMax + 2; i++)
        {
            Assert.True(bench.Queue.TryReject((await bench.AppendAsync(i))!, "malformed_batch", ""));
        }

        Assert.Equal((RejectedBatches.CountMax + 2UL, 2UL), (bench.Queue.Counters.Rejected, bench.Queue.Counters.RejectedDeleted));
        await bench.CloseAsync();
        await bench.OpenAsync();
        Assert.Equal(2UL, bench.Queue.Counters.RejectedDeleted);
    }

    [Fact]
    public void A_refused_batch_that_cannot_be_stored_costs_no_older_one()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/q");
        var rejected = new RejectedBatches(files, "/q");
        for (var i = 1UL; i <= RejectedBatches.CountMax; i++)
        {
            rejected.Store(new QueueId(5), new BatchNumber(1, i), "x", [1, 2, 3], out _);
        }

        files.Capacity = 0;

        Assert.Throws<FileSystemException>(() => rejected.Store(new QueueId(5), new BatchNumber(1, 999), "x", [1, 2, 3], out _));
        Assert.Equal(RejectedBatches.CountMax, files.List("/q/rejected").Count(name => name.EndsWith(".frame", StringComparison.Ordinal)));
    }

    [Fact]
    public void Rejected_batches_are_bounded_and_the_oldest_goes_first()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/q");
        var rejected = new RejectedBatches(files, "/q");
        var lost = 0;
        for (var i = 1UL; i <= RejectedBatches.CountMax + 3UL; i++)
        {
            rejected.Store(new QueueId(5), new BatchNumber(1, i), "../../x", [1, 2, 3], out var removed);
            lost += removed;
        }

        var names = files.List("/q/rejected");
        Assert.Equal(RejectedBatches.CountMax, names.Count);
        Assert.Equal(3, lost);
        Assert.StartsWith("0000000001-00000000000000000004-", names[0], StringComparison.Ordinal);
        Assert.All(names, name => Assert.EndsWith("-x.frame", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_time_of_the_oldest_waiting_batch_is_known_whatever_was_acknowledged()
    {
        await using var bench = new QueueBench();
        await bench.OpenAsync();
        var batches = new List<QueuedBatch>();
        for (var i = 1; i <= 20; i++)
        {
            batches.Add((await bench.AppendAsync(i * 10))!);
        }

        foreach (var index in (int[])[3, 0, 1, 7, 2, 4])
        {
            bench.Queue.Acknowledge(batches[index].Number);
            var expected = batches.Where(batch => bench.Queue.IsWaiting(batch.Number)).Min(batch => batch.CollectedAt.Value);
            Assert.Equal(expected, bench.Queue.Status().Oldest?.Value);
        }
    }

    [Fact]
    public async Task Damage_makes_the_queue_take_a_new_id_so_that_no_number_can_be_used_twice()
    {
        await using var bench = new QueueBench { BatchBytes = 10_000 };
        await bench.OpenAsync();
        for (var i = 1; i <= 16; i++)
        {
            await bench.AppendAsync(i);
        }

        var id = bench.Queue.Status().QueueId;
        await bench.CloseAsync();
        bench.Files.Corrupt(QueueBench.Directory + "/0000000000.seg", 20_000, 1, 2, 3, 4);

        await bench.OpenAsync();
        await bench.Queue.MigrateAsync(CancellationToken.None);

        Assert.NotEqual(id, bench.Queue.Status().QueueId);
        Assert.Equal(15UL, bench.Queue.WaitingCount);
        Assert.Equal(1, bench.Logger.CountOf(1302));
    }

    [Fact]
    public async Task The_directory_on_another_device_or_inode_counts_as_a_copy()
    {
        var here = new QueueIdentity("a", 1, new FileIdentity(1, 2));
        await Task.CompletedTask;

        Assert.Equal("", here.DifferenceFrom(here));
        Assert.Equal("machine id", here.DifferenceFrom(here with { MachineId = 2 }));
        Assert.Equal("device, inode", here.DifferenceFrom(here with { Directory = new FileIdentity(3, 4) }));
    }
}
