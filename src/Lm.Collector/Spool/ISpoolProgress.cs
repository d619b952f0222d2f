namespace Lm.Collector.Spool;

/// <summary>How far the consumers are behind the spool.</summary>
internal interface ISpoolProgress
{
    /// <summary>Completes once every batch that was acknowledged before the call has been applied by every consumer, so that a query
    /// sees what its sender knows to be stored. Completed already when nothing waits, which is the usual case.</summary>
    ValueTask WaitForAcknowledgedAsync(CancellationToken cancellationToken);
}
