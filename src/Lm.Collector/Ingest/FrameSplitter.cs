using Lm.Collector.Spool;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Collector.Ingest;

/// <summary>Cuts a body into frames, inflates and decodes each, within bounds of count and memory.</summary>
internal sealed class FrameSplitter(Leases<DecodedBatch> leases)
{
    /// <summary>Frames of one request that are looked at.</summary>
    public const int FramesMax = 1024;

    /// <summary>Decompressed bytes of one request that are held at a time, when it has several frames; what goes beyond is to come again.</summary>
    public const int WindowBytes = 64 << 20;

    /// <summary>Reads all frames. The caller releases the leases.</summary>
    public List<FrameInHand> Split(ReadOnlyMemory<byte> body, Limits limits)
    {
        var frames = new List<FrameInHand>(1);
        var offset = 0;
        var window = 0L;
        do
        {
            var rest = body[offset..];
            if (frames.Count == FramesMax)
            {
                frames.Add(Refused(offset, 400, ProblemCode.LimitExceeded, $"the request has more than {FramesMax} frames; byte {offset} begins the next"));
                return frames;
            }

            var status = FrameReader.TryRead(rest.Span, limits.BatchBytesMax, out var frame);
            if (status == FrameStatus.Ok)
            {
                window += frame.PayloadLength;
                frames.Add(window > WindowBytes && frames.Count > 0
                    ? Refused(offset, 429, ProblemCode.Rate, $"the request's frames have more than {WindowBytes} bytes after decompression; send this one again in another request")
                    : Read(offset, rest, frame, limits));
                offset += frame.Length;
                continue;
            }

            var code = status == FrameStatus.TooLarge ? ProblemCode.LimitExceeded : ProblemCode.MalformedFrame;
            frames.Add(Refused(offset, 400, code, $"byte {offset}: {FrameReader.Describe(status, rest.Span, limits.BatchBytesMax)}"));

            // A frame that is only too large can be stepped over; behind any other fault nobody knows where the next one begins.
            if (status != FrameStatus.TooLarge
                || FrameReader.TryReadHeader(rest.Span, int.MaxValue, out frame) != FrameStatus.Ok
                || frame.Length > rest.Length)
            {
                return frames;
            }

            offset += frame.Length;
        }
        while (offset < body.Length);

        return frames;
    }

    private FrameInHand Read(int offset, ReadOnlyMemory<byte> bytes, in Frame frame, Limits limits)
    {
        if (leases.TryRent(frame.PayloadLength) is not { } lease)
        {
            return Refused(offset, 429, ProblemCode.Rate, "too many batches are being taken at the moment");
        }

        var refusal = Decode(offset, bytes, frame, lease, limits);
        if (refusal is null)
        {
            return new FrameInHand(offset, frame, lease, null);
        }

        lease.Release();
        return new FrameInHand(offset, frame, null, refusal);
    }

    private static FrameAck? Decode(int offset, ReadOnlyMemory<byte> bytes, in Frame frame, Lease<DecodedBatch> lease, Limits limits)
    {
        var status = FrameReader.ReadPayload(bytes.Span, frame, lease.Payload.Span);
        if (status != FrameStatus.Ok)
        {
            return IngestOutcome.Refuse(
                default, 400, ProblemCode.MalformedFrame, $"byte {offset}: {FrameReader.Describe(status, bytes.Span, limits.BatchBytesMax)}");
        }

        var code = BatchDecoder.Decode(lease.Payload, limits, lease.Content, out var fault) switch
        {
            DecodeStatus.Ok => null,
            DecodeStatus.LimitExceeded => ProblemCode.LimitExceeded,
            DecodeStatus.UnsupportedTemporality => ProblemCode.UnsupportedTemporality,
            _ => ProblemCode.MalformedBatch,
        };
        return code is null ? null : IngestOutcome.Refuse(default, 400, code, fault);
    }

    private static FrameInHand Refused(int offset, int status, string code, string detail) =>
        new(offset, default, null, IngestOutcome.Refuse(default, status, code, detail));
}
