using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>A batch that is on its way into the spool. Its copies wait for, and share, its outcome (D1).</summary>
internal sealed class PendingBatch(BatchKey key, FrameFingerprint fingerprint, ulong floor, UnixMillis receivedAt)
{
    private readonly Lock gate = new(); // guards answer and waiting
    private FrameAck? answer;
    private TaskCompletionSource<FrameAck>? waiting; // made by the first copy, which seldom comes

    /// <summary>The dedupe key.</summary>
    public BatchKey Key { get; } = key;

    /// <summary>What the frame is told by.</summary>
    public FrameFingerprint Fingerprint { get; } = fingerprint;

    /// <summary>The queue's floor when it was admitted, its own request's included; 0 when not known.</summary>
    public ulong Floor { get; } = floor;

    /// <summary>When it came.</summary>
    public UnixMillis ReceivedAt { get; } = receivedAt;

    /// <summary>What becomes of it.</summary>
    public Task<FrameAck> WaitAsync()
    {
        lock (gate)
        {
            return answer is not null
                ? Task.FromResult(answer)
                : (waiting ??= new TaskCompletionSource<FrameAck>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Tells everyone who waits.</summary>
    public void Complete(FrameAck ack)
    {
        lock (gate)
        {
            answer = ack;
            waiting?.TrySetResult(ack);
        }
    }
}

/// <summary>What tells one frame of a key from another: same key, other fingerprint is a fork (D5).</summary>
/// <param name="Checksum">The frame's CRC-32C.</param>
/// <param name="Length">The frame's bytes, header included.</param>
internal readonly record struct FrameFingerprint(uint Checksum, int Length)
{
    /// <summary>Of a frame that was durable in an earlier life of the spool, and of which only the sequence is known: no frame has no bytes.</summary>
    public static readonly FrameFingerprint Unknown;
}
