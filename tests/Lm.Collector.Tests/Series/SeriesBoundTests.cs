using System.Globalization;
using Lm.Collector.Spool;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Series;

public sealed class SeriesBoundTests
{
    [Fact]
    public async Task Remote_write_beyond_the_bound_keeps_known_series_takes_new_ones_while_there_is_room_and_names_the_rest()
    {
        await using var rig = new StorageRig(seriesMax: 5);
        Assert.Null(await rig.WriteAllAsync("a", "b", "c"));
        rig.Time.Advance(TimeSpan.FromSeconds(15));
        var refusal = await rig.WriteAllAsync("a", "d", "b", "e", "f", "g");

        Assert.Equal((400, ProblemCode.LimitExceeded, true), (refusal!.Status, refusal.Code, refusal.IsPartial));
        Assert.Contains("2 series that are new to the collector, which holds as many as its memory allows; the first is series 4 of the request, \"f\"", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains("(4 samples)", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(["a 2", "b 2", "c 1", "d 1", "e 1", "f 0", "g 0"], Counts(rig));
        Assert.Equal(2, rig.Bound.Refused);
        Assert.Equal(2, rig.Metrics.WriteDropped.Single(each => each.Reason == "series_bound").Count);
        Assert.True(rig.Bound.IsFull);

        rig.Time.Advance(TimeSpan.FromSeconds(15));
        Assert.Null(await rig.WriteAllAsync("e", "d", "c", "b", "a")); // all are known: nothing is left out
        Assert.NotNull(await rig.WriteAllAsync("g"));
        Assert.Single(rig.Log.Of(Refused));
        var before = Counts(rig);
        await using var later = await rig.AfterKillAsync();
        Assert.Equal(before, Counts(later)); // D2: the replay judges nothing again
    }

    [Fact]
    public async Task A_batch_beyond_the_bound_keeps_known_series_and_its_answer_counts_the_others()
    {
        await using var rig = new StorageRig(seriesMax: 3);
        Assert.Equal(0, (await rig.SendAllAsync("a", "b")).DroppedOverLimit);
        var ack = await rig.SendAllAsync("a", "b", "c", "d", "e");
        Assert.Equal((FrameOutcome.Accepted, 2), (ack.Outcome, ack.DroppedOverLimit));
        Assert.Contains("series 3 is new", ack.Detail, StringComparison.Ordinal);
        Assert.Equal(["a 2", "b 2", "c 1", "d 0", "e 0"], Counts(rig, "a", "b", "c", "d", "e"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(0, (await rig.SendAllAsync("a", "b", "c")).DroppedOverLimit); // as every agent does: one shape, known by its second batch
        }

        Assert.Equal(1, (await rig.SendAllAsync("x", "a")).DroppedOverLimit);
    }

    [Fact]
    public async Task There_is_room_again_when_series_have_gone()
    {
        await using var rig = new StorageRig(seriesMax: 2);
        Assert.Null(await rig.WriteAllAsync("a", "b"));
        Assert.NotNull(await rig.WriteAllAsync("c"));
        rig.Time.Advance(TimeSpan.FromHours(4));
        for (var i = 0; i < 4; i++)
        {
            rig.Keep();
        }

        Assert.Equal(0, rig.Series.Count);
        Assert.Null(await rig.WriteAllAsync("c", "d"));
        Assert.NotNull(await rig.WriteAllAsync("e", "f"));
        Assert.Equal(2, rig.Series.Count);
    }

    [Fact]
    public void Series_on_their_way_count_and_what_is_refused_gives_its_room_back()
    {
        var held = new Held();
        var bound = new SeriesBound(held, 10, new RecordingLogger());
        var leases = Leases.ForWrites(new MemoryBudget(static () => 1 << 20));
        var first = Lease(leases, 7);
        Assert.Empty(bound.Admit(first, Verdict(7)).DroppedSeries);
        var second = Lease(leases, 7);
        Assert.Equal([3, 4, 5, 6], bound.Admit(second, Verdict(7)).DroppedSeries); // all seven are new: three fit
        first.Release();
        second.Release();
        held.Count = 10;
        held.AllAreNew = false;
        var third = Lease(leases, 7);
        Assert.Empty(bound.Admit(third, Verdict(7)).DroppedSeries);
        third.Release();
        held.Count = 0;
        var fourth = Lease(leases, 10);
        Assert.Empty(bound.Admit(fourth, Verdict(10)).DroppedSeries); // nothing is reserved any more
    }

    [Theory]
    [InlineData(0, 32_768)]
    [InlineData(512L << 20, 131_072)]
    [InlineData(4L << 30, 1_048_576)]
    [InlineData(long.MaxValue, 1 << 27)]
    public void The_bound_follows_from_memory(long bytes, int series) => Assert.Equal(series, SeriesBound.MaxFor(bytes));

    private const int Refused = 2215;

    private static Lease<Protocol.RemoteWrite.DecodedWrite> Lease(Leases<Protocol.RemoteWrite.DecodedWrite> leases, int series)
    {
        var maker = new WriteRequestMaker();
        for (var i = 0; i < series; i++)
        {
            maker.Series("m" + i.ToString(CultureInfo.InvariantCulture), "j", 1000, 1);
        }

        var payload = maker.ToPayload();
        var lease = leases.TryRent(payload.Length)!;
        payload.CopyTo(lease.Payload);
        Assert.True(Protocol.RemoteWrite.RemoteWriteDecoder.TryDecode(lease.Payload, new Protocol.RemoteWrite.WriteLimits(), lease.Content, out var fault), fault);
        return lease;
    }

    private static Protocol.RemoteWrite.WriteVerdict Verdict(int series) => new() { OldestAccepted = default, NewestAccepted = new Platform.UnixMillis(long.MaxValue), SeriesEnd = series };

    private static string[] Counts(StorageRig rig, params string[] metrics) =>
        [.. (metrics.Length > 0 ? metrics : ["a", "b", "c", "d", "e", "f", "g"]).Select(metric => $"{metric} {rig.All(metric).SampleCount}")];

    private sealed class Held : IHeldSeries
    {
        public int Count { get; set; }

        public bool AllAreNew { get; set; } = true;

        public void FindNew(DecodedBatch batch, List<NewSeries> into) => throw new InvalidOperationException("no batch is sent here");

        public void FindNew(Protocol.RemoteWrite.DecodedWrite write, List<NewSeries> into)
        {
            for (var i = 0; AllAreNew && i < write.Series.Length; i++)
            {
                into.Add(new NewSeries(i, 1));
            }
        }
    }
}
