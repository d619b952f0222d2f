using System.Collections.Concurrent;

namespace Lm.Logs.Search;

/// <summary>Looks through frames on several threads: those of the pool, and the one that waits for the results.</summary>
/// <remarks>No thread of the pool is held while there is nothing to do: a slow reader of the results costs none.</remarks>
/// <param name="stages">Makes a stage for a thread.</param>
/// <param name="terms">Which lines are wanted.</param>
/// <param name="statistics">Counts what is read.</param>
/// <param name="heldMax">Bytes that what is found ahead may hold, one line of each frame at least.</param>
/// <param name="cancellationToken">Ends it early.</param>
internal sealed class SearchCrew<T>(Func<ILineStage<T>> stages, SearchTerms terms, LogScanStatistics statistics, long heldMax, CancellationToken cancellationToken)
{
    // Beside the one that waits.
    private static readonly int HelpersMax = Math.Clamp(Environment.ProcessorCount - 1, 0, 3);

    private readonly Lock gate = new(); // guards offered, helpers
    private readonly Queue<FrameJob<T>> offered = [];
    private readonly ConcurrentBag<FrameScanner<T>> idle = [];
    private int helpers;

    /// <summary>Frames that are read ahead: each thread has one in hand and one waiting.</summary>
    public static int AheadMax => 2 * (HelpersMax + 1);

    /// <summary>Offers a frame to whoever has time.</summary>
    public void Offer(FrameJob<T> job)
    {
        var wantsHelp = false;
        lock (gate)
        {
            offered.Enqueue(job);
            // The one who offers will take one itself.
            if (offered.Count > 1 && helpers < HelpersMax)
            {
                helpers++;
                wantsHelp = true;
            }
        }

        if (wantsHelp)
        {
            _ = Task.Run(Help, CancellationToken.None); // ends by itself; what fails in it is the job's
        }
    }

    /// <summary>Waits for a frame, and looks through others meanwhile.</summary>
    /// <returns>What was found; null when the frame is damaged.</returns>
    public FrameHits<T>? Complete(FrameJob<T> job)
    {
        while (!job.IsDone)
        {
            if (TryTake(out var other))
            {
                Run(other);
            }
            else
            {
                job.Wait(cancellationToken);
            }
        }

        return job.Result();
    }

    /// <summary>Takes back what nobody has begun with.</summary>
    public void Stop()
    {
        while (TryTake(out var job))
        {
            job.File.Release();
        }
    }

    private void Help()
    {
        while (true)
        {
            FrameJob<T>? job;
            lock (gate)
            {
                if (!offered.TryDequeue(out job))
                {
                    helpers--;
                    return;
                }
            }

            Run(job);
        }
    }

    private bool TryTake(out FrameJob<T> job)
    {
        lock (gate)
        {
            return offered.TryDequeue(out job!);
        }
    }

    private void Run(FrameJob<T> job)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!idle.TryTake(out var scanner))
            {
                scanner = new FrameScanner<T>(terms, stages(), heldMax / AheadMax);
            }

            var hits = scanner.Scan(job.File, job.Frame, job.Range, statistics, cancellationToken);
            idle.Add(scanner);
            job.Done(hits);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            job.Failed(e); // thrown where the result is waited for
        }
        finally
        {
            job.File.Release();
        }
    }
}

/// <summary>A frame to be looked through.</summary>
internal sealed class FrameJob<T>(FileInUse file, FrameRef frame, KeyRange range)
{
    private readonly TaskCompletionSource<FrameHits<T>?> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FileInUse File => file;

    public FrameRef Frame => frame;

    public KeyRange Range => range;

    public bool IsDone => done.Task.IsCompleted;

    public void Wait(CancellationToken cancellationToken) => Task.WaitAny([done.Task], cancellationToken); // throws nothing of the task's

    public void Done(FrameHits<T>? found) => done.SetResult(found);

    public void Failed(Exception why) => done.SetException(why);

    public FrameHits<T>? Result() => done.Task.GetAwaiter().GetResult();
}
