namespace Lm.Collector.Spool;

/// <summary>The spool's counters.</summary>
internal sealed class SpoolMetrics
{
    public long RecordsCommitted;
    public long BytesCommitted;
    public long AppendsRefusedFull;
    public long AppendsFailed;
    public long RecordsReplayed;
    public long RepeatsLeftOut;
    public long RecordsUnreadable;
    public long ConsumerFailures;
    public long SegmentsTrimmed;
}
