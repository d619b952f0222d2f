namespace Lm.Collector.Spool;

/// <summary>Makes durable what was judged, before its sender is answered: the spool on this disk, or the log that collectors share in the object store.</summary>
/// <remarks>What is taken belongs to whoever took it; where the answer is not <see cref="SpoolStatus.Ok"/>, leases are the caller's still, and the ledger has forgotten the batch.</remarks>
internal interface IAcceptance : ISpoolProgress
{
    /// <summary>Takes one batch.</summary>
    ValueTask<SpoolResult> AppendAsync(SpoolEntry entry);

    /// <summary>Takes one remote-write request.</summary>
    ValueTask<SpoolResult> AppendAsync(WriteEntry entry);

    /// <summary>Takes the collector's own <c>up</c> of one moment.</summary>
    ValueTask<SpoolResult> AppendAsync(AcceptedUps ups);
}
