using Lm.Collector.Ingest;
using Lm.Protocol;

namespace Lm.Collector.Spool;

/// <summary>A judged batch on its way into the spool.</summary>
/// <param name="Lease">The batch; the spool's from the append on, unless it fails.</param>
/// <param name="Verdict">What was decided about its records.</param>
/// <param name="Pending">Its place in the ledger.</param>
/// <param name="Frame">Its frame; must stay unchanged until the append has ended.</param>
internal sealed record SpoolEntry(Lease<DecodedBatch> Lease, BatchVerdict Verdict, PendingBatch Pending, ReadOnlyMemory<byte> Frame)
{
    /// <summary>Whether it was acknowledged elsewhere, at another time: it says nothing of whether its agent calls now.</summary>
    public bool IsHistory { get; init; }
}

/// <summary>How an append ended.</summary>
internal enum SpoolStatus
{
    /// <summary>It is durable.</summary>
    Ok = 0,

    /// <summary>There is no room: max_spool_bytes, or the disk.</summary>
    Full,

    /// <summary>Writing or syncing failed, or what became of it is not known.</summary>
    Failed,

    /// <summary>Its sequences were taken before, by another collector: <see cref="SpoolResult.Known"/> says how.</summary>
    Known,
}

/// <summary>The end of an append.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">Else: why, without paths.</param>
internal readonly record struct SpoolResult(SpoolStatus Status, string Detail)
{
    /// <summary>What it was found to be, where the status says so.</summary>
    public Admission Known { get; init; }
}
