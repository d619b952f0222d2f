using Lm.Collector.Series;
using Lm.Collector.Spool;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Spool;

public sealed class StateFileGoldenTests
{
    private static readonly Guid Incarnation = new("00010203-0405-0607-0809-0a0b0c0d0e0f");

    [Fact]
    public void The_bytes_are_those_of_the_format_page_and_are_read_back()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/s");
        var catalog = new MetricCatalog();
        catalog.Describe("node_load1", new MetricMetadata(MetricType.Gauge, "", "Load of one minute."));
        var ages = new SegmentAges();
        ages.Note(3, new UnixMillis(1_767_225_600_000), isOnlyHere: false);
        ages.Note(4, new UnixMillis(1_767_225_601_000), isOnlyHere: true);

        Assert.True(new StateFile(files, "/s/state.json", [catalog, ages], NullLogger.Instance).TryWrite(Incarnation));
        Assert.Equal(GoldenFile.ReadHex("state/metrics-segments.v1.hex"), Convert.ToHexStringLower(files.Peek("/s/state.json")));

        var read = new MetricCatalog();
        new StateFile(files, "/s/state.json", [read, new SegmentAges()], NullLogger.Instance).Read(Incarnation);
        Assert.Equal(catalog.Snapshot(), read.Snapshot());
    }
}
