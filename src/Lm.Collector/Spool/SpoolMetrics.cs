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
    public long ConsumerFaults; // of these, those that are not the disk's: the record may be passed over
    public long SegmentsTrimmed;

    /// <summary>A consumer could not take a record.</summary>
    public void CountConsumerFailure(Exception failure)
    {
        Interlocked.Increment(ref ConsumerFailures);
        if (failure is not IOException)
        {
            Interlocked.Increment(ref ConsumerFaults);
        }
    }
}
