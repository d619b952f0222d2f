using Lm.Logs.Lines;

namespace Lm.Logs.Search;

/// <summary>One search through files: frames are read in order of time, what is found in them is merged.</summary>
/// <remarks>
/// Invariants:
/// a line is given out when no frame that is still to be read can have one before it;
/// lines of the same identity are given out once;
/// what is found and waits is bounded: beyond the bound the later half is forgotten, the rest given out, and the frames that had it are read again. That costs
/// time where very many frames overlap in time, which sealed files do not;
/// the same goes for a frame of which a query makes much more than it is: its later lines are forgotten while it is looked through.
/// So what waits and what is found ahead hold twice the bound at most, but for a line of each frame.
/// </remarks>
internal sealed class LogSearch<T>
{
    private readonly IReadOnlyList<ISearchFile> files;
    private readonly LogScan scan;
    private readonly SearchTerms terms;
    private readonly LogScanStatistics statistics;
    private readonly SearchCrew<T> crew;
    private readonly long heldMax;
    private readonly CancellationToken cancellationToken;
    private LogKey? after; // the last line that an earlier sweep gave
    private LogKey? upTo; // the last line that this sweep can give
    private bool isFirstSweep = true;

    public LogSearch(
        IReadOnlyList<ISearchFile> files, LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, long heldMax, CancellationToken cancellationToken)
    {
        (this.files, this.scan, this.statistics, this.heldMax, this.cancellationToken) = (files, scan, statistics, heldMax, cancellationToken);
        terms = new SearchTerms(scan);
        crew = new SearchCrew<T>(stages, terms, statistics, heldMax, cancellationToken);
    }

    /// <summary>What is found.</summary>
    public IEnumerable<T> Run()
    {
        do
        {
            upTo = null;
            foreach (var each in Sweep())
            {
                yield return each;
            }

            (after, isFirstSweep) = (upTo, false);
        }
        while (after is not null);
    }

    private IEnumerable<T> Sweep()
    {
        var merge = new HitMerge<T>(scan.IsBackward);
        var ahead = new Queue<FrameJob<T>>();
        using var plan = new FramePlan(files, Narrowed(), terms.Hashes, isFirstSweep ? statistics : null);
        LogKey? last = null;
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                FillUp(plan, ahead);
                var isEnd = ahead.Count == 0;
                if (!isEnd)
                {
                    Add(ahead.Dequeue(), merge);
                }

                while (merge.TryPeek(out var key) && (isEnd || IsSafe(key, plan, ahead)))
                {
                    var value = merge.Take();
                    if (last is not { } previous || previous.CompareTo(key) != 0)
                    {
                        last = key;
                        yield return value;
                    }
                }

                if (isEnd)
                {
                    yield break;
                }
            }
        }
        finally
        {
            crew.Stop();
        }
    }

    // Frames whose lines all lie behind what this sweep gives are not read in it.
    private void FillUp(FramePlan plan, Queue<FrameJob<T>> ahead)
    {
        while (ahead.Count < SearchCrew<T>.AheadMax && plan.TryPeek(out var time) && !IsBehindEnd(time) && plan.TryNext(out var file, out var frame))
        {
            var job = new FrameJob<T>(file, frame, new KeyRange(after, upTo, scan.IsBackward));
            ahead.Enqueue(job);
            crew.Offer(job);
        }
    }

    private void Add(FrameJob<T> job, HitMerge<T> merge)
    {
        if (crew.Complete(job) is not { } hits)
        {
            statistics.CountDamaged();
            return;
        }

        if (upTo is not null)
        {
            // It may have begun before the bound was drawn.
            var range = new KeyRange(null, upTo, scan.IsBackward);
            hits = hits with { Lines = [.. hits.Lines.TakeWhile(line => range.Contains(line.Key))] };
        }

        merge.Add(hits);
        if (hits.Cut is { } cut && new KeyRange(null, upTo, scan.IsBackward).Contains(cut))
        {
            upTo = cut;
            merge.ForgetBehind(cut);
        }

        if (merge.HeldBytes > heldMax)
        {
            upTo = merge.Halve();
        }
    }

    private bool IsSafe(in LogKey key, FramePlan plan, Queue<FrameJob<T>> ahead)
    {
        if (ahead.TryPeek(out var next))
        {
            var info = next.Frame.Info;
            return scan.IsBackward ? key.Time > info.MaxTime : key.Time < info.MinTime;
        }

        return !plan.TryPeek(out var time) || (scan.IsBackward ? key.Time > time : key.Time < time);
    }

    private bool IsBehindEnd(long time) => upTo is { } end && (scan.IsBackward ? time < end.Time : time > end.Time);

    private LogScan Narrowed()
    {
        if (after is not { } key)
        {
            return scan;
        }

        return scan.IsBackward ? scan with { Until = Math.Min(scan.Until, key.Time + 1) } : scan with { From = Math.Max(scan.From, key.Time) };
    }
}
