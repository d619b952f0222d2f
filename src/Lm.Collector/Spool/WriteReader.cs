using Lm.Journal;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>Decodes remote-write requests that the spool holds.</summary>
/// <remarks>For one thread. What a request views lasts until the next one.</remarks>
internal sealed class WriteReader
{
    private byte[] payload = [];

    /// <summary>The request that was read last.</summary>
    public DecodedWrite Write { get; } = new();

    /// <summary>Decodes a request's record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="head">What was decided when it came.</param>
    /// <returns>What is wrong with it; null when nothing.</returns>
    public string? TryRead(ReadOnlyMemory<byte> record, out WriteHead head)
    {
        if (WriteRecord.TryRead(record, out head, out var body) is { } fault)
        {
            return fault;
        }

        if (!SnappyBlock.TryReadLength(body.Span, out var size) || size > BatchSpoolLimits.BatchBytesMax)
        {
            return $"its body of {body.Length} bytes is no Snappy block of at most {BatchSpoolLimits.BatchBytesMax} bytes";
        }

        if (payload.Length < size)
        {
            payload = GC.AllocateUninitializedArray<byte>(Math.Max(size, Math.Min(2 * payload.Length, BatchSpoolLimits.BatchBytesMax)));
        }

        if (!SnappyBlock.TryDecompress(body.Span, payload.AsSpan(0, size)))
        {
            return $"its body of {body.Length} bytes is no Snappy block of {size} bytes";
        }

        return RemoteWriteDecoder.TryDecode(payload.AsMemory(0, size), WriteLimits.None with { SeriesMax = head.Verdict.SeriesEnd }, Write, out var undecodable)
            ? null
            : undecodable;
    }

    /// <summary>The request that was read last, as consumers take it.</summary>
    public AcceptedWrite Accepted(JournalPosition position, in WriteHead head) => new()
    {
        Position = position,
        ReceivedAt = head.ReceivedAt,
        Sender = head.Sender,
        Write = Write,
        Verdict = head.Verdict,
    };
}
