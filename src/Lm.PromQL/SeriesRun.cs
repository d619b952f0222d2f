using System.Runtime.ExceptionServices;

namespace Lm.PromQL;

/// <summary>Evaluates series after series; many of them on several threads, with the outcome of one.</summary>
/// <remarks>
/// Threads take slices of neighbouring series; what came of each is counted afterwards, in the order of the series. So sums, statistics and refusals do not
/// depend on which thread was faster, and of several failures the first series' is told. What threads hold meanwhile is bounded by the same limit.
/// </remarks>
internal sealed class SeriesRun
{
    private const int SliceSeries = 16; // tens of microseconds: little to wait for at the end
    private const int RoundSeries = 8192; // outcomes that wait to be counted
    private const long WorkWorthHelp = 150_000; // the better part of a millisecond: waking a thread costs some hundredths

    private readonly SeriesOutcome[] outcomes;
    private readonly int start;
    private readonly long room;
    private readonly Lock failing = new(); // guards failure and the place it belongs to
    private readonly object helping = new(); // guards helpers and isOver
    private int helpers; // that are at work
    private bool isOver; // whether no more may begin
    private ExceptionDispatchInfo? failure;
    private volatile int failedAt = int.MaxValue;
    private volatile bool isOverfull;
    private int next;
    private long held;

    private SeriesRun(int start, int count, long room)
    {
        (this.start, this.room) = (start, room);
        outcomes = new SeriesOutcome[count];
    }

    /// <summary>All series that have a sample, in the order of the selection; the budget holds them.</summary>
    public static List<StepSeries> All(SeriesEvaluation evaluation, QueryScope scope)
    {
        var list = new List<StepSeries>(Math.Min(evaluation.Count, 1024));
        var budget = scope.Budget;
        var before = budget.Meter.Total;
        for (var i = 0; i < evaluation.Count; i++)
        {
            // By what the first ones cost: the samples of a series are not known before they are read.
            if (i > 0 && i % SliceSeries == 0 && (budget.Meter.Total - before) / i * (evaluation.Count - i) > WorkWorthHelp
                && TryShare(evaluation, scope, i, list))
            {
                break;
            }

            Take(evaluation.Evaluate(i, budget.Meter), budget, list);
        }

        return list;
    }

    private static bool TryShare(SeriesEvaluation evaluation, QueryScope scope, int from, List<StepSeries> list)
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
                var round = new SeriesRun(start, Math.Min(RoundSeries, evaluation.Count - start), scope.Budget.Room);
                round.Run(evaluation, others, scope.Budget);
                round.Count(scope.Budget, list);
            }

            return true;
        }
        finally
        {
            others.ForEach(static other => other.Dispose());
            workers.Return(taken);
        }
    }

    private static void Take(in SeriesOutcome outcome, QueryBudget budget, List<StepSeries> list)
    {
        budget.NotePeak(outcome.LargestMoment);
        budget.Count(outcome.Samples);
        if (outcome.Series is { } series)
        {
            budget.Hold(series.Count);
            budget.NotePeak(outcome.LastMoment);
            list.Add(series);
        }
    }

    // Those that the pool has not started when the work is done never do anything: nobody waits for a busy pool.
    private void Run(SeriesEvaluation own, List<SeriesEvaluation> others, QueryBudget budget)
    {
        foreach (var other in others)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static helper => helper.run.Help(helper.other, helper.ending), (run: this, other, ending: budget.Ending), preferLocal: false);
        }

        TakeSlices(own, budget.Meter);
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

        TakeSlices(evaluation, new WorkMeter(ending));
        lock (helping)
        {
            helpers--;
            Monitor.Pulse(helping);
        }
    }

    private void TakeSlices(SeriesEvaluation evaluation, WorkMeter meter)
    {
        while (!isOverfull)
        {
            var from = Interlocked.Add(ref next, SliceSeries) - SliceSeries;
            if (from >= outcomes.Length || from > failedAt)
            {
                return;
            }

            var at = from;
            try
            {
                for (var until = Math.Min(from + SliceSeries, outcomes.Length); at < until && !isOverfull; at++)
                {
                    outcomes[at] = evaluation.Evaluate(start + at, meter);
                    isOverfull |= Interlocked.Add(ref held, outcomes[at].Series?.Count ?? 0) > room;
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Note(at, e);
                return;
            }
        }
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

    private void Count(QueryBudget budget, List<StepSeries> list)
    {
        if (isOverfull)
        {
            QueryBudget.Refuse(); // one thread would have come there, too: it holds all of these
        }

        for (var i = 0; i < outcomes.Length && i < failedAt; i++)
        {
            Take(outcomes[i], budget, list);
        }

        failure?.Throw();
    }
}
