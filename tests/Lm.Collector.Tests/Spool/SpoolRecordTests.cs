using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Spool;

public sealed class SpoolRecordTests
{
    [Fact]
    public void The_format_is_as_documented()
    {
        var verdict = new BatchVerdict { OldestAccepted = new UnixMillis(0x18BA34A2000), TooOldCount = 3, DroppedSeries = [1, 7], DroppedLogs = [9] };
        Assert.Equal(GoldenFile.ReadHex("spool/record-head.v1.hex"), Convert.ToHexStringLower(SpoolRecord.WriteHead(new UnixMillis(0x18BCFE56800), 5, verdict)));
    }

    [Fact]
    public void A_record_is_read_as_it_was_written() => Prop.ForAll(
        ArbMap.Default.ArbFor<(long Received, long Oldest, int[] Series, int[] Logs, byte[] Frame)>(),
        record =>
        {
            var verdict = new BatchVerdict { OldestAccepted = new UnixMillis(record.Oldest), TooOldCount = 4, DroppedSeries = record.Series, DroppedLogs = record.Logs };
            byte[] bytes = [.. SpoolRecord.WriteHead(new UnixMillis(record.Received), 9, verdict), .. record.Frame];
            Assert.Null(SpoolRecord.TryRead(bytes, out var head, out var frame));
            Assert.Equal((record.Received, 9UL, record.Oldest, 4), (head.ReceivedAt.Value, head.Floor, head.Verdict.OldestAccepted.Value, head.Verdict.TooOldCount));
            Assert.Equal(record.Series, head.Verdict.DroppedSeries);
            Assert.Equal(record.Logs, head.Verdict.DroppedLogs);
            Assert.Equal(record.Frame, frame.ToArray());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_make_the_reader_throw() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(),
        tail =>
        {
            byte[] bytes = [1, 1, 0, 0, .. tail];
            if (SpoolRecord.TryRead(bytes, out _, out var frame) is null)
            {
                Assert.True(frame.Length <= bytes.Length);
            }

            SpoolRecord.TryRead(tail, out _, out _);
        }).QuickCheckThrowOnFailure();
}
