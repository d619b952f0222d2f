using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;

namespace Lm.Collector.Tests.Spool;

public sealed class WriteRecordTests
{
    [Fact]
    public void The_format_is_as_documented()
    {
        var verdict = new WriteVerdict
        {
            OldestAccepted = new UnixMillis(0x18BA34A2000),
            NewestAccepted = new UnixMillis(0x18BCFE5FA00),
            SeriesEnd = 12,
            DroppedSeries = [1, 7],
            TooOld = 3,
            TooNew = 2,
        };
        Assert.Equal(GoldenFile.ReadHex("spool/write-head.v1.hex"), Convert.ToHexStringLower(WriteRecord.WriteHead("prom", new UnixMillis(0x18BCFE56800), verdict)));
    }

    [Fact]
    public void The_format_of_up_is_as_documented()
    {
        AgentUp[] agents = [new("web1", 15_000, true), new("web2", 60_000, false)];
        Assert.Equal(GoldenFile.ReadHex("spool/up.v1.hex"), Convert.ToHexStringLower(UpRecord.Write(new UnixMillis(0x18BCFE56800), agents)));
    }

    [Fact]
    public void A_record_is_read_as_it_was_written() => Prop.ForAll(
        ArbMap.Default.ArbFor<(string Sender, long Received, long Oldest, long Newest, int[] Series, byte[] Body)>(),
        record =>
        {
            var sender = new string([.. (record.Sender ?? "").Where(character => !char.IsSurrogate(character))]);
            var verdict = new WriteVerdict
            {
                OldestAccepted = new UnixMillis(record.Oldest),
                NewestAccepted = new UnixMillis(record.Newest),
                SeriesEnd = 9,
                DroppedSeries = record.Series,
                TooOld = 4,
                TooNew = 5,
            };
            byte[] bytes = [.. WriteRecord.WriteHead(sender, new UnixMillis(record.Received), verdict), .. record.Body];
            Assert.Null(WriteRecord.TryRead(bytes, out var head, out var body));
            Assert.Equal((sender, record.Received), (head.Sender, head.ReceivedAt.Value));
            Assert.Equal(record.Series, head.Verdict.DroppedSeries);
            Assert.Equal(verdict with { DroppedSeries = head.Verdict.DroppedSeries }, head.Verdict);
            Assert.Equal(record.Body, body.ToArray());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Up_is_read_as_it_was_written() => Prop.ForAll(
        ArbMap.Default.ArbFor<(long At, (PositiveInt Interval, bool IsUp)[] Agents)>(),
        record =>
        {
            AgentUp[] agents = [.. record.Agents.Select((agent, i) => new AgentUp("agent" + i, agent.Interval.Get, agent.IsUp))];
            Assert.Null(UpRecord.TryRead(UpRecord.Write(new UnixMillis(record.At), agents), out var at, out var read));
            Assert.Equal(record.At, at.Value);
            Assert.Equal(agents, read);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_make_a_reader_throw() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        tail =>
        {
            foreach (var kind in new byte[] { WriteRecord.Kind, UpRecord.Kind })
            {
                byte[] bytes = [kind, 1, 0, 0, .. tail];
                if (WriteRecord.TryRead(bytes, out _, out var body) is null)
                {
                    Assert.True(body.Length <= bytes.Length);
                }

                if (UpRecord.TryRead(bytes, out _, out var agents) is null)
                {
                    Assert.True(agents.Count <= bytes.Length);
                }
            }
        }).QuickCheckThrowOnFailure();
}
