using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Live;

namespace Lm.Collector.Tests.Live;

public sealed class LiveRingTests
{
    private const int Capacity = 4096;

    [Fact]
    public void What_is_written_is_read_in_order_until_it_is_written_over()
    {
        Prop.ForAll(Gen.Choose(0, 900).ListOf().ToArbitrary(), sizes =>
        {
            var ring = new LiveRing(Capacity);
            var written = new List<byte[]>();
            foreach (var size in sizes)
            {
                var payload = Enumerable.Range(0, size).Select(i => (byte)(i + written.Count)).ToArray();
                ring.Append(new LiveEntry { Offset = written.Count }, [written.Count], [], payload);
                written.Add(payload);
            }

            var record = new LiveRecord();
            var place = ring.Tail;
            var seen = 0;
            while (ring.TryRead(place, record, out var next) == LiveRead.Read)
            {
                var which = (int)record.Position.Offset;
                Assert.Equal(written.Count - which, (int)(written.Count - record.Number + 1));
                Assert.Equal([which], record.DroppedSeries.ToArray());
                (place, seen) = (next, seen + 1);
            }

            Assert.Equal(ring.Head, place);
            Assert.True(seen == written.Count || ring.Head - ring.Tail > Capacity - 1100, $"{seen} of {written.Count}");
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_place_that_was_written_over_is_lost_and_the_tail_is_not()
    {
        var ring = new LiveRing(Capacity);
        for (var i = 0; i < 20; i++)
        {
            ring.Append(new LiveEntry { Offset = i }, [], [], new byte[500]);
        }

        var record = new LiveRecord();

        Assert.Equal(LiveRead.Lost, ring.TryRead(0, record, out _));
        Assert.Equal(LiveRead.Read, ring.TryRead(ring.Tail, record, out _));
        Assert.Equal(LiveRead.Nothing, ring.TryRead(ring.Head, record, out _));
    }

    [Fact]
    public void A_record_that_is_too_large_is_noted_without_its_content()
    {
        var ring = new LiveRing(Capacity);
        ring.Append(new LiveEntry { Kind = LiveEntryKind.Batch }, [], [], new byte[Capacity]);
        var record = new LiveRecord();

        Assert.Equal(LiveRead.Read, ring.TryRead(ring.Tail, record, out var next));
        Assert.Equal(LiveEntryKind.TooLarge, record.Kind);
        Assert.Equal(ring.Head, next);
    }

    [Fact]
    public async Task A_reader_beside_a_writer_that_laps_it_sees_whole_entries_only()
    {
        var ring = new LiveRing(Capacity);
        using var ended = new CancellationTokenSource();
        var writing = Task.Run(() =>
        {
            for (var i = 0; i < 300_000; i++)
            {
                ring.Append(new LiveEntry { Offset = i }, [i, i + 1, i + 2], [i], []);
            }

            ended.Cancel();
        }, TestContext.Current.CancellationToken);

        var record = new LiveRecord();
        long place = 0, read = 0, newest = -1;
        while (!ended.IsCancellationRequested || place != ring.Head)
        {
            switch (ring.TryRead(place, record, out var next))
            {
                case LiveRead.Read:
                    var i = (int)record.Position.Offset;
                    Assert.True(i > newest, $"{i} after {newest}");
                    Assert.Equal([i, i + 1, i + 2], record.DroppedSeries.ToArray());
                    Assert.Equal([i], record.DroppedLogs.ToArray());
                    (newest, place, read) = (i, next, read + 1);
                    break;
                case LiveRead.Lost:
                    place = ring.Tail;
                    break;
            }
        }

        await writing;
        Assert.True(read > 0, "nothing was read");
        Assert.Equal(299_999, newest);
    }
}
