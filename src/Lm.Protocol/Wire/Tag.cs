namespace Lm.Protocol.Wire;

/// <summary>The fields of <c>lightmetrics.proto</c> as they stand on the wire: <c>number &lt;&lt; 3 | type</c>.</summary>
internal static class Tag
{
    public const uint BatchAgentId = (1 << 3) | 2;
    public const uint BatchQueueId = (2 << 3) | 2;
    public const uint BatchSeqStart = 3 << 3;
    public const uint BatchSeqEnd = 4 << 3;
    public const uint BatchCollectedAt = 5 << 3;
    public const uint BatchInterval = 6 << 3;
    public const uint BatchSymbols = (7 << 3) | 2;
    public const uint BatchCommonLabels = (8 << 3) | 2;
    public const uint BatchSeries = (9 << 3) | 2;
    public const uint BatchLogs = (10 << 3) | 2;
    public const uint BatchAlerts = (11 << 3) | 2;
    public const uint BatchLastNumber = 11;

    public const uint SeriesLabels = (1 << 3) | 2;
    public const uint SeriesType = 2 << 3;
    public const uint SeriesUnit = 3 << 3;
    public const uint SeriesHelp = 4 << 3;
    public const uint SeriesTimeDeltas = (5 << 3) | 2;
    public const uint SeriesValues = (6 << 3) | 2;
    public const uint SeriesHistograms = (7 << 3) | 2;
    public const uint SeriesTemporality = 8 << 3;
    public const uint SeriesLastNumber = 8;

    public const uint HistogramTimeDelta = 1 << 3;
    public const uint HistogramBounds = (2 << 3) | 2;
    public const uint HistogramCounts = (3 << 3) | 2;
    public const uint HistogramSum = (4 << 3) | 1;
    public const uint HistogramCount = 5 << 3;
    public const uint HistogramLastNumber = 5;

    public const uint LogTimeDelta = 1 << 3;
    public const uint LogSeverity = 2 << 3;
    public const uint LogBody = (3 << 3) | 2;
    public const uint LogAttributes = (4 << 3) | 2;
    public const uint LogLastNumber = 4;

    public const uint AlertTimeDelta = 1 << 3;
    public const uint AlertSeverity = 2 << 3;
    public const uint AlertName = 3 << 3;
    public const uint AlertMessage = 4 << 3;
    public const uint AlertLabels = (5 << 3) | 2;
    public const uint AlertLastNumber = 5;

    public const uint AckFrames = (1 << 3) | 2;
    public const uint AckCollectorTime = 2 << 3;
    public const uint AckLimits = (3 << 3) | 2;

    public const uint FrameSeqStart = 1 << 3;
    public const uint FrameSeqEnd = 2 << 3;
    public const uint FrameOutcome = 3 << 3;
    public const uint FrameStatus = 4 << 3;
    public const uint FrameCode = (5 << 3) | 2;
    public const uint FrameDetail = (6 << 3) | 2;
    public const uint FrameDroppedTooOld = 7 << 3;
    public const uint FrameDroppedOverLimit = 8 << 3;

    // One element of a packed field, sent on its own: protobuf lets a writer do that, so a reader takes both.
    public const uint BatchCommonLabel = BatchCommonLabels - 2;
    public const uint SeriesLabel = SeriesLabels - 2;
    public const uint SeriesTimeDelta = SeriesTimeDeltas - 2;
    public const uint SeriesValue = SeriesValues - 1;
    public const uint HistogramBound = HistogramBounds - 1;
    public const uint HistogramOneCount = HistogramCounts - 2;
    public const uint LogAttribute = LogAttributes - 2;
    public const uint AlertLabel = AlertLabels - 2;
}
