using Lm.Journal;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>Tells once when appends begin to fail and once when they work again, with what was lost in between.</summary>
internal sealed class AppendTrouble(QueueState state, string directory, TimeProvider time, ILogger logger)
{
    // Both guarded by the state's gate.
    private long? failingSince;
    private ulong lostBefore;

    public void Begin(JournalException failure)
    {
        lock (state.Gate)
        {
            if (failingSince is not null)
            {
                return;
            }

            failingSince = time.GetTimestamp();
            lostBefore = state.Counters.Lost;
        }

        QueueLog.AppendsFail(logger, directory, failure.Message);
    }

    public void End()
    {
        long since;
        ulong lost;
        lock (state.Gate)
        {
            if (failingSince is not { } began)
            {
                return;
            }

            (since, lost) = (began, state.Counters.Lost - lostBefore);
            failingSince = null;
        }

        var durationMs = (long)time.GetElapsedTime(since).TotalMilliseconds;
        QueueLog.AppendsWorkAgain(logger, directory, durationMs, lost);
    }
}
