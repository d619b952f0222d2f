namespace Lm.Protocol.RemoteWrite;

/// <summary>The fields of <c>prometheus.WriteRequest</c>, version 1, as they stand on the wire: <c>number &lt;&lt; 3 | type</c>.</summary>
/// <remarks>Source: Prometheus Remote-Write 1.0 specification, "Protocol".</remarks>
internal static class WriteTag
{
    public const uint RequestSeries = (1 << 3) | 2;
    public const uint RequestMetadata = (3 << 3) | 2;

    public const uint SeriesLabel = (1 << 3) | 2;
    public const uint SeriesSample = (2 << 3) | 2;
    public const uint SeriesExemplar = (3 << 3) | 2;
    public const uint SeriesHistogram = (4 << 3) | 2;

    public const uint LabelName = (1 << 3) | 2;
    public const uint LabelValue = (2 << 3) | 2;

    public const uint SampleValue = (1 << 3) | 1;
    public const uint SampleTime = 2 << 3;

    public const uint MetadataType = 1 << 3;
    public const uint MetadataMetric = (2 << 3) | 2;
    public const uint MetadataHelp = (4 << 3) | 2;
    public const uint MetadataUnit = (5 << 3) | 2;
}
