using System.Globalization;
using Lm.Platform;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Series;

/// <summary>A fleet whose agents were all cut off for a month and come back one after another (K16, K18).</summary>
public sealed class BacklogTests
{
    private const int Agents = 100;
    private const int Days = 30;
    private const int BatchTimes = 96;
    private const long LateBytesMax = 256L << 20;

    // More of them by hand, to see what the memory of late windows comes to: docs/performance.md.
    private const int Series = 2;
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(60);

    [Fact]
    public async Task A_hundred_agents_that_bring_thirty_days_at_different_times_leave_sixty_blocks_at_most_and_every_sample()
    {
        await using var rig = new StorageRig(segmentSizeMax: 1 << 20);
        string[] metrics = [.. Enumerable.Range(0, Series).Select(i => "metric_" + i.ToString(CultureInfo.InvariantCulture))];
        var (lateMax, blocksMax, sent) = (0L, 0, 0L);
        for (var agent = 0; agent < Agents; agent++)
        {
            var name = "agent-" + agent.ToString(CultureInfo.InvariantCulture);
            var first = rig.Now.Add(-TimeSpan.FromDays(Days)).Value;
            UnixMillis[] times = [.. Enumerable.Range(0, (int)(TimeSpan.FromDays(Days) / Step)).Select(i => new UnixMillis(first + (i * (long)Step.TotalMilliseconds)))];
            foreach (var part in times.Chunk(BatchTimes))
            {
                await rig.SendBacklogAsync(name, metrics, part);
                await rig.AppliedAsync();
                lateMax = Math.Max(lateMax, rig.Series.Statistics().LateBytes);
            }

            sent += times.Length * (long)Series;
            rig.Time.Advance(TimeSpan.FromHours(1));
            rig.Keep();
            lateMax = Math.Max(lateMax, rig.Series.Statistics().LateBytes);
            blocksMax = Math.Max(blocksMax, Blocks(rig));
        }

        for (var i = 0; i < 6; i++)
        {
            rig.Time.Advance(TimeSpan.FromHours(6));
            rig.Keep();
            rig.Keep();
            blocksMax = Math.Max(blocksMax, Blocks(rig));
        }

        Assert.Equal(0, rig.Series.Statistics().Windows);
        Assert.InRange(Blocks(rig), 1, 60);
        Assert.InRange(blocksMax, 1, 60);
        Assert.InRange(lateMax, 1, LateBytesMax);
        var stored = metrics.Sum(metric => (long)FoundSeries.In(rig.Series.Reader, LabelMatcher.Equal(LabelSet.MetricNameLabel, metric)).SampleCount);
        Assert.Equal(sent, stored);
        TestContext.Current.SendDiagnosticMessage(
            $"{sent} samples, late memory {lateMax >> 20} MiB, blocks {Blocks(rig)} in the end and {blocksMax} at most, spills {rig.Series.Statistics().Spills}");
    }

    private static int Blocks(StorageRig rig) => rig.Files.ListDirectories("/spool/blocks").Count;
}
