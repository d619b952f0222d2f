using Lm.Collector.Series;
using Lm.Collector.Spool;
using Lm.Protocol;
using Lm.Protocol.RemoteWrite;
using Lm.TestKit;
using Lm.Tsdb;
using Lm.Tsdb.Head;

namespace Lm.Collector.Tests.Series;

/// <summary>A head in memory with the feeds in front of it.</summary>
internal sealed class SeriesRig : IBatchConsumer, IHeldSeries, IDisposable
{
    private readonly SeriesFeed batches;
    private readonly WriteFeed writes;
    private readonly UpFeed ups;

    private readonly bool takesBatches;

    public SeriesRig(bool takesBatches = true)
    {
        this.takesBatches = takesBatches;
        Head = Head.Open(
            new MemoryFileSystem(),
            new HeadOptions { Directory = "/head", Incarnation = new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), Time = new ManualTime() },
            out _);
        (batches, writes, ups) = (new SeriesFeed(Head, Catalog), new WriteFeed(Head, Catalog), new UpFeed(Head));
    }

    public Head Head { get; }

    public MetricCatalog Catalog { get; } = new();

    public void Apply(AcceptedBatch batch)
    {
        if (takesBatches)
        {
            batches.Apply(batch);
        }
    }

    public void Apply(AcceptedWrite write) => writes.Apply(write);

    public void Apply(AcceptedUps samples) => ups.Apply(samples);

    public int Count => Head.SeriesCount;

    public void FindNew(DecodedBatch batch, List<NewSeries> into) => batches.FindNew(batch, into);

    public void FindNew(DecodedWrite write, List<NewSeries> into) => writes.FindNew(write, into);

    public HeadStatistics Statistics() => Head.Statistics();

    public MetricMetadata? MetadataOf(string metric) =>
        Catalog.Snapshot().Where(entry => entry.Key == metric).Select(entry => (MetricMetadata?)entry.Value).SingleOrDefault();

    /// <summary>Every series that matches, with all its samples, sorted by labels.</summary>
    public FoundSeries All(params LabelMatcher[] matchers) => FoundSeries.In(Head, matchers);

    public void Dispose() => Head.Dispose();
}
