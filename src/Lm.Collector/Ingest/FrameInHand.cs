using Lm.Collector.Spool;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Collector.Ingest;

/// <summary>One frame of a request on its way: read, or refused already.</summary>
/// <param name="Offset">Where it begins in the body.</param>
/// <param name="Frame">Its header, when it was whole and intact.</param>
/// <param name="Lease">Its batch, when it could be decoded.</param>
/// <param name="Refusal">Why not.</param>
internal readonly record struct FrameInHand(int Offset, Frame Frame, Lease<DecodedBatch>? Lease, FrameAck? Refusal);
