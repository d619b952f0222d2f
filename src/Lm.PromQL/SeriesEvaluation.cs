namespace Lm.PromQL;

/// <summary>What a node of the tree does to each stored series by itself; used by one thread.</summary>
internal abstract class SeriesEvaluation : IDisposable
{
    /// <summary>How many series.</summary>
    public abstract int Count { get; }

    /// <summary>Evaluates one series at all steps.</summary>
    /// <param name="index">Which.</param>
    /// <param name="meter">The thread's.</param>
    public abstract SeriesOutcome Evaluate(int index, WorkMeter meter);

    /// <summary>The same for another thread; to be disposed of before this is.</summary>
    /// <returns>Null when it must be one thread.</returns>
    public abstract SeriesEvaluation? Another();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>What came of one series, and what is to be counted for it.</summary>
/// <param name="Series">Null when it has no sample at any step.</param>
/// <param name="Samples">Samples that were looked at.</param>
/// <param name="LargestMoment">The most samples that were held for a moment.</param>
/// <param name="LastMoment">Samples that were still held when the series was done.</param>
internal readonly record struct SeriesOutcome(StepSeries? Series, long Samples, int LargestMoment, int LastMoment);
