using Lm.Platform;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>A judged remote-write request on its way into the spool.</summary>
/// <param name="Lease">The request; the spool's from the append on, unless it fails.</param>
/// <param name="Verdict">What was decided about its series and samples.</param>
/// <param name="Sender">Whom the token belongs to.</param>
/// <param name="ReceivedAt">The collector's clock when it came.</param>
/// <param name="Body">Its body as it came, compressed; must stay unchanged until the append has ended.</param>
internal sealed record WriteEntry(Lease<DecodedWrite> Lease, WriteVerdict Verdict, string Sender, UnixMillis ReceivedAt, ReadOnlyMemory<byte> Body);
