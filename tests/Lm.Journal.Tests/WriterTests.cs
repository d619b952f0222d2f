using System.Text;

using Lm.TestKit;

namespace Lm.Journal.Tests;

/// <summary>Group commit, callbacks, segments, limits and refusals.</summary>
public sealed class WriterTests
{
    [Fact]
    public async Task Nothing_is_answered_before_its_sync()
    {
        var files = new MemoryFileSystem();
        await using var journal = Texts.Open(files);
        await journal.AppendAsync("first");
        using var proceed = new ManualResetEventSlim();
        var reached = new TaskCompletionSource();
        Task<JournalPosition>? append = null;
        files.Fault = operation =>
        {
            if (operation.Kind == FileOperationKind.Sync)
            {
                reached.SetResult();
                proceed.Wait();
            }

            return null;
        };
        append = journal.AppendAsync("second").AsTask();
        await reached.Task;
        Assert.False(append.IsCompleted);
        proceed.Set();
        await append;
    }

    [Fact]
    public async Task After_a_skip_records_stand_in_later_segments_and_all_are_read_back_in_order()
    {
        var files = new MemoryFileSystem();
        await using (var journal = Texts.Open(files))
        {
            await journal.AppendAsync("before");
            journal.SkipTo(7);
            Assert.Equal(7U, (await journal.AppendAsync("behind")).Segment);
            journal.SkipTo(3); // it stands behind that already
            Assert.Equal(7U, (await journal.AppendAsync("and on")).Segment);
        }

        await using var reopened = Texts.Open(files);
        Assert.Equal(["before", "behind", "and on"], reopened.Read().Select(static record => Encoding.UTF8.GetString(record.Payload.Span)));
        Assert.Equal([0U, 7U], reopened.Segments.Select(static segment => segment.Number));
        Assert.Equal(7U, (await reopened.AppendAsync("later")).Segment);
    }

    [Fact]
    public async Task Waiting_appends_share_one_sync_and_are_reported_in_order()
    {
        var files = new MemoryFileSystem();
        var reported = new List<object?>();
        using var hold = new ManualResetEventSlim();
        var held = new TaskCompletionSource();
        var options = new JournalOptions
        {
            Committed = (_, state) =>
            {
                reported.Add(state);
                if (state is 0)
                {
                    held.SetResult();
                    hold.Wait();
                }
            },
        };
        await using var journal = Texts.Open(files, options);
        var syncs = 0;
        files.Fault = operation =>
        {
            syncs += operation.Kind == FileOperationKind.Sync && operation.Path.EndsWith(".seg", StringComparison.Ordinal) ? 1 : 0;
            return null;
        };
        var first = journal.AppendAsync(new byte[10], default, 0, CancellationToken.None);
        await held.Task;
        var others = Enumerable.Range(1, 20).Select(i => journal.AppendAsync(new byte[10], new byte[i], i, CancellationToken.None).AsTask()).ToArray();
        hold.Set();
        await first;
        var positions = await Task.WhenAll(others);
        Assert.Equal(2, syncs);
        Assert.Equal(Enumerable.Range(0, 21).Cast<object?>(), reported);
        Assert.Equal(positions.Order(), positions);
    }

    [Fact]
    public async Task Head_and_body_become_one_record()
    {
        await using var journal = Texts.Open(new MemoryFileSystem());
        await journal.AppendAsync("head "u8.ToArray(), "body"u8.ToArray(), null, CancellationToken.None);
        Assert.Equal(["head body"], journal.Read().Read());
    }

    [Fact]
    public async Task A_full_segment_is_followed_by_one_that_begins_with_the_owners_preamble()
    {
        var count = 0;
        var options = new JournalOptions
        {
            SegmentSizeMax = 130,
            Preamble = () => Encoding.UTF8.GetBytes($"{count}"),
            Committed = (_, _) => count++,
        };
        await using var journal = Texts.Open(new MemoryFileSystem(), options);
        await journal.AppendAllAsync("0123456789", "0123456789", "0123456789", "0123456789", "0123456789");
        Assert.Equal(
            ["preamble:0", "0123456789", "0123456789", "0123456789", "preamble:3", "0123456789", "0123456789"], journal.Read().Read());
        Assert.All(journal.Segments, segment => Assert.InRange(segment.SizeBytes, 1, 130));
        Assert.Equal(journal.Segments.Sum(segment => segment.SizeBytes), journal.SizeBytes);
    }

    [Fact]
    public async Task A_record_larger_than_a_segment_gets_one_of_its_own()
    {
        await using var journal = Texts.Open(new MemoryFileSystem(), new JournalOptions { SegmentSizeMax = 100 });
        await journal.AppendAllAsync("small", new string('x', 50_000), "small");
        Assert.Equal(3, journal.Segments.Count);
        Assert.Equal(["small", new string('x', 50_000), "small"], journal.Read().Read());
    }

    [Fact]
    public async Task Empty_and_oversized_records_are_refused_at_once()
    {
        await using var journal = Texts.Open(new MemoryFileSystem(), new JournalOptions { RecordSizeMax = 100 });
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await journal.AppendAsync(""));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await journal.AppendAsync(new string('x', 101)));
        await journal.AppendAsync(new string('x', 100));
    }

    [Fact]
    public async Task Beyond_the_budget_appenders_wait_and_may_give_up()
    {
        var files = new MemoryFileSystem();
        using var proceed = new ManualResetEventSlim();
        var reached = new TaskCompletionSource();
        files.Fault = operation =>
        {
            if (operation.Kind == FileOperationKind.Create && reached.TrySetResult())
            {
                proceed.Wait();
            }

            return null;
        };
        await using var journal = Texts.Open(files, new JournalOptions { PendingSizeMax = 100 });
        var taken = journal.AppendAsync(new string('a', 80)).AsTask();
        await reached.Task;
        using var givingUp = new CancellationTokenSource();
        var waiting = journal.AppendAsync(new byte[80], default, null, givingUp.Token).AsTask();
        var behind = journal.AppendAsync(new string('b', 60)).AsTask();
        await givingUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(taken.IsCompleted || behind.IsCompleted);
        proceed.Set();
        await Task.WhenAll(taken, behind);
        Assert.Equal([new string('a', 80), new string('b', 60)], journal.Read().Read());
    }

    [Fact]
    public async Task A_failed_sync_refuses_the_group_and_the_next_append_begins_a_new_segment()
    {
        var files = new MemoryFileSystem();
        await using var journal = Texts.Open(files);
        var kept = await journal.AppendAsync("kept");
        files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        var failure = await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync("refused"));
        Assert.Contains("Input/output error", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.IsNoSpace);
        files.Fault = null;
        var next = await journal.AppendAsync("next");
        Assert.Equal(kept.Segment + 1, next.Segment);
        Assert.Equal(["kept", "next"], journal.Read().Read());
    }

    [Fact]
    public async Task A_full_disk_is_told_and_ends_without_a_restart()
    {
        var files = new MemoryFileSystem { Capacity = 1000 };
        await using var journal = Texts.Open(files);
        await journal.AppendAsync("kept");
        for (var i = 0; i < 5; i++)
        {
            var failure = await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(new string('x', 2000)));
            Assert.True(failure.IsNoSpace);
        }

        Assert.Equal(["0000000000.seg", "journal.id"], files.List(Texts.Directory)); // no half-made segments pile up
        files.Capacity = 10_000;
        await journal.AppendAsync(new string('y', 2000));
        Assert.Equal(["kept", new string('y', 2000)], journal.Read().Read());
    }

    [Fact]
    public async Task Zeros_stand_behind_the_records_while_a_segment_is_appended_to_and_are_cut_when_it_is_closed()
    {
        var files = new MemoryFileSystem();
        var lengthChanges = 0;
        var options = new JournalOptions { SegmentSizeMax = 10_000, ZerosAhead = 4000 };
        var journal = Texts.Open(files, options);
        await journal.AppendAsync("first");
        var end = journal.CommittedEnd.Offset;
        var prepared = files.Peek(Texts.PathOf(0));
        Assert.Equal(end + 4000, prepared.Length);
        Assert.Equal(4000, prepared.Count(each => each == 0) - prepared.Take((int)end).Count(each => each == 0));
        var length = prepared.Length;
        for (var i = 0; i < 14; i++)
        {
            await journal.AppendAsync(new string('x', 600));
            var now = files.Peek(Texts.PathOf(0)).Length;
            lengthChanges += now == length ? 0 : 1;
            length = now;
        }

        Assert.Equal(2, lengthChanges);
        Assert.InRange(length, journal.SizeBytes, 10_000);
        await journal.AppendAsync(new string('y', 5000));
        Assert.Equal(journal.Segments[0].SizeBytes, files.Peek(Texts.PathOf(0)).Length);
        await journal.DisposeAsync();
        Assert.Equal(journal.Segments[1].SizeBytes, files.Peek(Texts.PathOf(1)).Length);
        await using var again = Texts.Open(files, options);
        Assert.Equal(0, again.Recovery.TornBytes);
        Assert.Equal(16, again.Read().Count());
    }

    [Fact]
    public async Task Zeros_that_find_no_room_refuse_no_record_that_does()
    {
        var files = new MemoryFileSystem { Capacity = 5000 };
        await using var journal = Texts.Open(files, new JournalOptions { ZerosAhead = 4500 });
        for (var i = 0; i < 6; i++)
        {
            await journal.AppendAsync(new string('x', 700));
        }

        Assert.True((await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync(new string('x', 1500)))).IsNoSpace);
        await journal.AppendAsync("small");
        Assert.Equal(7, journal.Read().Count());
    }

    [Fact]
    public async Task A_failed_sync_takes_the_zeros_along_and_the_segment_after_it_has_none()
    {
        var files = new MemoryFileSystem();
        await using var journal = Texts.Open(files, new JournalOptions { SegmentSizeMax = 3000, ZerosAhead = 1000 });
        await journal.AppendAsync("kept");
        var end = journal.CommittedEnd.Offset;
        files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync("refused"));
        files.Fault = null;
        Assert.Equal(end, files.Peek(Texts.PathOf(0)).Length);
        await journal.AppendAsync("next");
        Assert.Equal(["kept", "next"], journal.Read().Read());
        Assert.Equal(journal.CommittedEnd.Offset, files.Peek(Texts.PathOf(1)).Length);
        await journal.AppendAsync(new string('x', 2930));
        Assert.Equal(2u, journal.CommittedEnd.Segment);
        await journal.AppendAsync(new string('y', 100));
        Assert.Equal(3u, journal.CommittedEnd.Segment);
        Assert.Equal(journal.CommittedEnd.Offset + 1000, files.Peek(Texts.PathOf(3)).Length);
    }

    [Fact]
    public async Task Closing_commits_what_waits_and_refuses_what_comes_later()
    {
        var files = new MemoryFileSystem();
        var journal = Texts.Open(files, new JournalOptions { PendingSizeMax = 200 });
        var appends = Enumerable.Range(0, 50).Select(i => journal.AppendAsync($"record {i}").AsTask()).ToArray();
        await journal.DisposeAsync();
        await Task.WhenAll(appends);
        await Assert.ThrowsAsync<JournalException>(async () => await journal.AppendAsync("late"));
        await journal.DisposeAsync();
        await using var again = Texts.Open(files);
        Assert.Equal(50, again.Read().Count());
    }

    [Fact]
    public async Task Segments_are_deleted_but_never_the_newest()
    {
        var files = new MemoryFileSystem();
        await using var journal = Texts.Open(files, new JournalOptions { SegmentSizeMax = 80 });
        await journal.AppendAllAsync("segment zero", "segment one", "segment two", "segment three");
        journal.Delete(1);
        Assert.Equal(["segment zero", "segment two", "segment three"], journal.Read().Read());
        Assert.Throws<InvalidOperationException>(() => journal.Delete(3));
        journal.DeleteBefore(100);
        Assert.Equal(["segment three"], journal.Read().Read());
        Assert.Equal(["0000000003.seg", "journal.id"], files.List(Texts.Directory));
        Assert.Equal(journal.Segments[0].SizeBytes, journal.SizeBytes);
    }

    [Fact]
    public async Task Sixty_four_appenders_get_all_their_records_in_once_each_in_their_own_order()
    {
        var files = new MemoryFileSystem();
        var reported = new List<JournalPosition>();
        var options = new JournalOptions
        {
            SegmentSizeMax = 20_000,
            PendingSizeMax = 5_000,
            Committed = (position, _) => reported.Add(position),
        };
        await using var journal = Texts.Open(files, options);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(appender => Task.Run(async () =>
        {
            JournalPosition last = default;
            for (var i = 0; i < 40; i++)
            {
                var position = await journal.AppendAsync($"{appender}/{i} {new string('.', i * 3)}");
                Assert.True(position > last);
                last = position;
            }
        }, TestContext.Current.CancellationToken)));
        var texts = journal.Read().Read().Select(text => text.Split(' ')[0]).ToList();
        Assert.Equal(64 * 40, texts.Count);
        Assert.Equal(64 * 40, texts.Distinct().Count());
        foreach (var group in texts.GroupBy(text => text.Split('/')[0]))
        {
            Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{group.Key}/{i}"), group);
        }

        Assert.Equal(reported.Order(), reported);
        Assert.Equal(reported, journal.Read().Select(record => record.Position));
    }

    [Fact]
    public async Task A_reader_beside_the_writer_sees_a_growing_prefix()
    {
        var files = new MemoryFileSystem();
        await using var journal = Texts.Open(files, new JournalOptions { SegmentSizeMax = 2_000 });
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await journal.AppendAsync($"{i}");
            }
        }, TestContext.Current.CancellationToken);
        var seen = 0;
        while (!writing.IsCompleted)
        {
            var texts = journal.Read().Read();
            Assert.Equal(Enumerable.Range(0, texts.Length).Select(i => $"{i}"), texts);
            Assert.True(texts.Length >= seen);
            seen = texts.Length;
        }

        await writing;
        Assert.Equal(500, journal.Read().Count());
        Assert.Empty(journal.LateDamage);
    }

    [Fact]
    public async Task Reading_goes_on_from_a_position()
    {
        await using var journal = Texts.Open(new MemoryFileSystem(), new JournalOptions { SegmentSizeMax = 100 });
        var positions = await journal.AppendAllAsync("a", "b", "c", "d", "e", "f", "g", "h");
        for (var at = 0; at < positions.Length; at++)
        {
            Assert.Equal(8 - at, journal.Read(positions[at]).Count());
        }

        Assert.Empty(journal.Read(journal.CommittedEnd));
        await journal.AppendAsync("i");
        Assert.Equal(["h", "i"], journal.Read(positions[7]).Read());
    }

    [Fact]
    public async Task A_reader_passes_over_segments_deleted_meanwhile_and_is_told_when_it_missed_one()
    {
        var files = new MemoryFileSystem();
        await using var journal = Texts.Open(files, new JournalOptions { SegmentSizeMax = 80 });
        await journal.AppendAllAsync("segment zero", "segment one", "segment two");
        using var reader = journal.Read().GetEnumerator();
        Assert.True(reader.MoveNext());
        journal.Delete(1);
        Assert.True(reader.MoveNext());
        Assert.Equal(2u, reader.Current.Position.Segment);

        files.Delete(Texts.PathOf(0)); // between the look at the list and the opening of the file
        Assert.Throws<FileNotFoundException>(() => journal.Read().Count());
    }
}
