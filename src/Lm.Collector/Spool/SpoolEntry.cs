using Lm.Collector.Ingest;
using Lm.Protocol;

namespace Lm.Collector.Spool;

/// <summary>A judged batch on its way into the spool.</summary>
/// <param name="Lease">The batch; the spool's from the append on, unless it fails.</param>
/// <param name="Verdict">What was decided about its records.</param>
/// <param name="Pending">Its place in the ledger.</param>
/// <param name="Frame">Its frame; must stay unchanged until the append has ended.</param>
internal sealed record SpoolEntry(Lease<DecodedBatch> Lease, BatchVerdict Verdict, PendingBatch Pending, ReadOnlyMemory<byte> Frame);

/// <summary>How an append ended.</summary>
internal enum SpoolStatus
{
    /// <summary>It is durable.</summary>
    Ok = 0,

    /// <summary>There is no room: max_spool_bytes, or the disk.</summary>
    Full,

    /// <summary>Writing or syncing failed.</summary>
    Failed,
}

/// <summary>The end of an append.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">Else: why, without paths.</param>
internal readonly record struct SpoolResult(SpoolStatus Status, string Detail);
