using Lm.Platform.Files;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>Keeps the queue's bytes on disk within their limit: segments that nothing waits in go, and when it is full the oldest ones whole.</summary>
internal sealed class QueueRoom(Journal.Journal journal, QueueState state, long segmentSize, string directory, ILogger logger)
{
    // Room for a preamble without its tail offsets and for the heads of records, so that the size limit holds whatever is appended next.
    private const int SpareBytes = 4096;

    // Log lines are safe in their files: they wait there before they push out what waits here. The rest is for heartbeats.
    private const double LogShare = 0.7;

    private bool deletesFail;
    private uint deletedBefore;
    private long sizeMax;

    /// <summary>The size limit, bytes; a reload may change it. The segment size stays until the next start.</summary>
    public long SizeBytesMax
    {
        get => Interlocked.Read(ref sizeMax);
        set => Interlocked.Exchange(ref sizeMax, value);
    }

    /// <summary>Whether log lines may be queued: not when that would soon push out batches that wait. The caller holds the state's gate.</summary>
    public bool TakesLogs => journal.SizeBytes < (long)(SizeBytesMax * LogShare);

    /// <summary>Which of the oldest segments must go for a frame to fit, and what waits in them; the caller holds the state's gate.</summary>
    public (uint Before, ulong Dropped) PlanDrop(int frameLength)
    {
        // While batches move to a new queue id they are there twice for up to a segment.
        var room = SizeBytesMax + (state.NeedsMigration ? segmentSize : 0) - journal.SizeBytes - frameLength - SpareBytes - (2 * state.Tails.SizeBytes);
        if (room >= 0)
        {
            return (0, 0);
        }

        var sizes = journal.Segments.ToDictionary(segment => segment.Number, segment => segment.SizeBytes);
        var dropped = 0UL;
        var at = 0;
        for (; at < state.Segments.Count - 1 && room < 0; at++)
        {
            room += sizes.GetValueOrDefault(state.Segments[at].Number);
            dropped += state.Segments[at].WaitingCount;
        }

        return (at == 0 ? 0 : state.Segments[at].Number, dropped);
    }

    /// <summary>Deletes the segments that nothing waits in and those that were dropped. A failure is told once; the next start deletes them.</summary>
    public void DeleteFinished()
    {
        uint dropBefore;
        uint[] finished;
        lock (state.Gate)
        {
            finished = state.TakeFinishedSegments();
            dropBefore = state.DropBefore;
        }

        try
        {
            foreach (var segment in finished)
            {
                journal.Delete(segment);
            }

            if (deletedBefore < dropBefore)
            {
                journal.DeleteBefore(dropBefore);
                deletedBefore = dropBefore;
            }

            deletesFail = false;
        }
        catch (FileSystemException failure)
        {
            // Its batches are done with whether the file is there or not.
            if (!deletesFail)
            {
                QueueLog.DeleteFails(logger, directory, failure.Message);
            }

            deletesFail = true;
        }
    }
}
