using System.Runtime.ExceptionServices;

namespace Lm.PromQL;

/// <summary>Evaluates series after series; many of them on several threads, with the outcome of one.</summary>
/// <remarks>
/// Threads take slices of neighbouring series; what came of each is counted and handed on in the order of the series, by the query's own thread, as soon as all
/// before it is. So sums, statistics and refusals do not depend on which thread was faster, of several failures the first series' is told, and who sums up
/// needs no memory for what was summed up. What threads hold meanwhile is bounded by the same limit.
/// </remarks>
internal sealed class SeriesRun
{
    private const int SliceSeries = 16; // tens of microseconds: little to wait for at the end
    private const int RoundSeries = 8192; // places for outcomes
    private const long WorkWorthHelp = 150_000; // the better part of a millisecond: waking a thread costs some hundredths

    private readonly SeriesOutcome[] outcomes;
    private readonly bool[] isDone; // by slice
    private readonly int start;
    private readonly long room;
    private readonly QueryBudget budget;
    private readonly Action<StepSeries> into;
    private readonly Lock failing = new(); // guards failure and the place it belongs to
    private readonly object helping = new(); // guards helpers and isOver
    private int helpers; // that are at work
    private bool isOver; // whether no more may begin
    private ExceptionDispatchInfo? failure;
    private volatile int failedAt = int.MaxValue;
    private volatile bool isEnding; // whether no more slices are to be taken: it is too much, or a series' outcome ended the query
    private bool isOverfull;
    private int next;
    private int handed; // outcomes counted and handed on
    private long held;

    private SeriesRun(int start, int count, QueryBudget budget, Action<StepSeries> into)
    {
        (this.start, room, this.budget, this.into) = (start, budget.Room, budget, into);
        outcomes = new SeriesOutcome[count];
        isDone = new bool[(count + SliceSeries - 1) / SliceSeries];
    }

    /// <summary>All series that have a sample, in the order of the selection; the budget holds them.</summary>
    public static List<StepSeries> All(SeriesEvaluation evaluation, QueryScope scope)
    {
        var list = new List<StepSeries>(Math.Min(evaluation.Count, 1024));
        Each(evaluation, scope, list.Add);
        return list;
    }

    /// <summary>Hands on each series that has a sample, in the order of the selection; the budget holds them all.</summary>
    public static void Each(SeriesEvaluation evaluation, QueryScope scope, Action<StepSeries> into)
    {
        var budget = scope.Budget;
        var before = budget.Meter.Total;
        for (var i = 0; i < evaluation.Count; i++)
        {
            // By what the first ones cost: the samples of a series are not known before they are read.
            if (i > 0 && i % SliceSeries == 0 && (budget.Meter.Total - before) / i * (evaluation.Count - i) > WorkWorthHelp
                && TryShare(evaluation, scope, i, into))
            {
                return;
            }

            Take(evaluation.Evaluate(i, budget.Meter), budget, into);
        }
    }

    private static bool TryShare(SeriesEvaluation evaluation, QueryScope scope, int from, Action<StepSeries> into)
    {
        if (scope.Options.Workers is not { } workers)
        {
            return false;
        }

        var slices = (evaluation.Count - from) / SliceSeries;
        var taken = workers.Take(slices);
        var others = new List<SeriesEvaluation>(taken);
        try
        {
            while (others.Count < taken && evaluation.Another() is { } other)
            {
                others.Add(other);
            }

            if (others.Count == 0)
            {
                return false;
            }

            for (var start = from; start < evaluation.Count; start += RoundSeries)
            {
                new SeriesRun(start, Math.Min(RoundSeries, evaluation.Count - start), scope.Budget, into).Run(evaluation, others);
            }

            return true;
        }
        finally
        {
            others.ForEach(static other => other.Dispose());
            workers.Return(taken);
        }
    }

    private static void Take(in SeriesOutcome outcome, QueryBudget budget, Action<StepSeries> into)
    {
        budget.NotePeak(outcome.LargestMoment);
        budget.Count(outcome.Samples);
        if (outcome.Series is { } series)
        {
            budget.Hold(series.Count);
            budget.NotePeak(outcome.LastMoment);
            into(series);
        }
    }

    // Those that the pool has not started when the work is done never do anything: nobody waits for a busy pool.
    private void Run(SeriesEvaluation own, List<SeriesEvaluation> others)
    {
        foreach (var other in others)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static helper => helper.run.Help(helper.other, helper.ending), (run: this, other, ending: budget.Ending), preferLocal: false);
        }

        try
        {
            while (TryTakeSlice(own, budget.Meter))
            {
                HandOn();
            }
        }
        finally
        {
            End();
        }

        if (isOverfull)
        {
            QueryBudget.Refuse(); // one thread would have come there, too: it holds all of these
        }

        HandOn();
        for (; handed < outcomes.Length && handed < failedAt; handed++)
        {
            Take(outcomes[handed], budget, into); // of the slice that failed, what came before
        }

        failure?.Throw();
    }

    private void End()
    {
        isEnding = true;
        lock (helping)
        {
            isOver = true;
            while (helpers > 0)
            {
                Monitor.Wait(helping); // for a slice at most; what they read may not go before they are done
            }
        }
    }

    private void Help(SeriesEvaluation evaluation, CancellationToken ending)
    {
        lock (helping)
        {
            if (isOver)
            {
                return;
            }

            helpers++;
        }

        var meter = new WorkMeter(ending);
        while (TryTakeSlice(evaluation, meter))
        {
        }

        lock (helping)
        {
            helpers--;
            Monitor.Pulse(helping);
        }
    }

    private bool TryTakeSlice(SeriesEvaluation evaluation, WorkMeter meter)
    {
        if (isEnding)
        {
            return false;
        }

        var from = Interlocked.Add(ref next, SliceSeries) - SliceSeries;
        if (from >= outcomes.Length || from > failedAt)
        {
            return false;
        }

        var at = from;
        try
        {
            for (var until = Math.Min(from + SliceSeries, outcomes.Length); at < until; at++)
            {
                outcomes[at] = evaluation.Evaluate(start + at, meter);
                if (Interlocked.Add(ref held, outcomes[at].Series?.Count ?? 0) > room)
                {
                    isOverfull = isEnding = true;
                    return false;
                }
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Note(at, e);
            return false;
        }

        Volatile.Write(ref isDone[from / SliceSeries], true);
        return true;
    }

    private void Note(int at, Exception e)
    {
        lock (failing)
        {
            if (at < failedAt)
            {
                (failedAt, failure) = (at, ExceptionDispatchInfo.Capture(e));
            }
        }
    }

    // What is done and has nothing undone before it. By the query's own thread.
    private void HandOn()
    {
        while (handed < outcomes.Length && Volatile.Read(ref isDone[handed / SliceSeries]))
        {
            for (var until = Math.Min(handed + SliceSeries, outcomes.Length); handed < until; handed++)
            {
                var outcome = outcomes[handed];
                outcomes[handed] = default; // whoever got it may be done with it
                Take(outcome, budget, into);
            }
        }
    }
}
