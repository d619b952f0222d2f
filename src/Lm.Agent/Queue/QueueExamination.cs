using Lm.Platform;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Agent.Queue;

/// <summary>What <c>--queue-check</c> found in a queue that was opened, and so recovered, just now.</summary>
internal sealed record QueueExamination
{
    /// <summary>Segments of the journal.</summary>
    public required int Segments { get; init; }

    /// <summary>Their bytes.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Batches that wait to be sent.</summary>
    public required ulong Waiting { get; init; }

    /// <summary>When the oldest of them was collected.</summary>
    public required UnixMillis? Oldest { get; init; }

    /// <summary>When the newest of them was collected.</summary>
    public required UnixMillis? Newest { get; init; }

    /// <summary>Bytes cut from an append that a crash interrupted: nothing that was stored.</summary>
    public required long TornBytes { get; init; }

    /// <summary>Stretches that were damaged and set aside.</summary>
    public required IReadOnlyList<string> Damage { get; init; }

    /// <summary>Waiting batches whose frame is not whole, set aside in <c>rejected/</c>.</summary>
    public required int BrokenFrames { get; init; }

    /// <summary>Files whose tail offset is stored.</summary>
    public required int Tails { get; init; }

    /// <summary>Refused batches in <c>rejected/</c>.</summary>
    public required int RejectedFiles { get; init; }

    /// <summary>What was given up since the directory was made.</summary>
    public required QueueCounters Counters { get; init; }

    /// <summary>Whether nothing that was stored is lost.</summary>
    public bool IsSound => Damage.Count == 0 && BrokenFrames == 0;

    /// <summary>Reads all that waits and looks at each frame.</summary>
    public static (List<QueuedBatch> Broken, UnixMillis? Newest) FindBroken(DiskQueue queue)
    {
        const int BatchesAtATime = 64;
        const long BytesAtATime = 1 << 20;
        var broken = new List<QueuedBatch>();
        UnixMillis? newest = null;
        var payloadMax = new Limits().BatchBytesMax;
        Lm.Journal.JournalPosition from = default;
        while (queue.Read(from, BatchesAtATime, BytesAtATime, _ => false, out var next) is { Count: > 0 } batches)
        {
            foreach (var batch in batches)
            {
                newest = newest is { } known && known.Value >= batch.CollectedAt.Value ? newest : batch.CollectedAt;
                if (FrameReader.TryRead(batch.Frame.Span, payloadMax, out var frame) != FrameStatus.Ok || frame.Length != batch.Frame.Length)
                {
                    broken.Add(batch);
                }
            }

            from = next;
        }

        return (broken, newest);
    }
}
