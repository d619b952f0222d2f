using Lm.Agent.Batching;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Gathering;

/// <summary>Runs jobs on a thread of its own, one at a time, each on its own clock.</summary>
/// <remarks>
/// Invariants: no tick waits for a job; after each run the loop rests for as long as the run took, up to <see cref="RestMax"/>, so that jobs take at most half of the time;
/// a run that is late is not caught up: what was missed is counted; a run that does not end when it is told to (a file of a server that is gone) is left behind with its
/// thread after <see cref="EndMax"/>, and ends the loop when it comes back.
/// </remarks>
internal sealed class JobLoop : IDisposable
{
    /// <summary>The longest rest between two runs.</summary>
    public static readonly TimeSpan RestMax = TimeSpan.FromSeconds(10);

    /// <summary>How long the end of a run under way is waited for.</summary>
    public static readonly TimeSpan EndMax = TimeSpan.FromSeconds(10);

    private const int StackBytes = 512 << 10;

    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly List<ScheduledJob> jobs;
    private readonly CancellationTokenSource stop = new();
    private readonly TimeSpan endMax;
    private readonly Thread thread;
    private volatile IGatherJob? running;

    /// <summary>Starts the loop.</summary>
    public JobLoop(IEnumerable<IGatherJob> jobs, TimeProvider time, ILogger logger)
        : this(jobs, time, logger, EndMax)
    {
    }

    /// <summary>Starts the loop with another patience at its end.</summary>
    public JobLoop(IEnumerable<IGatherJob> jobs, TimeProvider time, ILogger logger, TimeSpan endMax)
    {
        (this.time, this.logger, this.endMax) = (time, logger, endMax);
        this.jobs = [.. jobs.Select(job => new ScheduledJob(job, time, logger))];
        thread = new Thread(Run, StackBytes) { Name = "gather", IsBackground = true };
        thread.Start();
    }

    /// <summary>Ends a run under way, and the loop.</summary>
    public void Dispose()
    {
        stop.Cancel();
        if (thread.Join(endMax))
        {
            stop.Dispose();
            return;
        }

        // Its thread still has the token.
        GatherLog.LeftBehind(logger, running?.Name ?? "gathering", (long)endMax.TotalMilliseconds);
    }

    private void Run()
    {
        while (!stop.IsCancellationRequested)
        {
            var next = jobs.MinBy(job => job.DueAt)!;
            if (Wait(next.UntilDue))
            {
                return;
            }

            running = next.Job;
            var took = next.Run(stop.Token);
            running = null;
            if (Wait(took < RestMax ? took : RestMax))
            {
                return;
            }
        }
    }

    // Whether the loop is to end.
    private bool Wait(TimeSpan delay) => delay > TimeSpan.Zero ? stop.Token.WaitHandle.WaitOne(delay) : stop.IsCancellationRequested;

    private sealed class ScheduledJob(IGatherJob job, TimeProvider time, ILogger logger)
    {
        private readonly TickClock clock = new(time);
        private readonly GatherTrouble trouble = new(job.Name, logger);
        private readonly long origin = time.GetTimestamp();
        private long missedCount;
        private bool hasToldMissed;

        public IGatherJob Job => job;

        /// <summary>When it is to run next, since the loop began.</summary>
        public TimeSpan DueAt { get; private set; }

        public TimeSpan UntilDue => DueAt - time.GetElapsedTime(origin);

        public TimeSpan Run(CancellationToken stopping)
        {
            var began = time.GetElapsedTime(origin);
            var missed = (long)((began - DueAt) / job.Interval);
            if (missed > 0)
            {
                missedCount += missed;
                TellMissed();
            }

            var fault = Guarded(stopping);
            if (!stopping.IsCancellationRequested)
            {
                trouble.Note(fault);
            }

            var ended = time.GetElapsedTime(origin);
            DueAt = ended + clock.Next(job.Interval);
            return ended - began;
        }

        // A thread of its own has nobody behind it: what one job throws must not end the agent, and the jobs beside it.
        private string Guarded(CancellationToken stopping)
        {
            try
            {
                return job.Run(stopping);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                return $"a fault of this program: {failure.GetType().Name}: {failure.Message}";
            }
        }

        private void TellMissed()
        {
            if (!hasToldMissed)
            {
                GatherLog.RunsMissed(logger, job.Name, missedCount);
                hasToldMissed = true;
            }
        }
    }
}
