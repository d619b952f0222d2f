namespace Lm.PromQL.Functions;

/// <summary>A function over windows of one series at a time; windows only move forward, so that it may keep what it knows from the last one.</summary>
internal abstract class RangeFunction
{
    /// <summary>Whether it looks at every sample of each window; others look at its ends.</summary>
    public virtual bool WalksWindow => true;

    /// <summary>Whether other series may be evaluated by others of its kind at the same time.</summary>
    public virtual bool MayShare => true;

    /// <summary>A new series.</summary>
    /// <param name="times">All of its samples' times.</param>
    /// <param name="values">Their values.</param>
    public virtual void Begin(ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
    }

    /// <summary>The value for a window that has at least one sample; <see cref="StepSeries.Absent"/> for none.</summary>
    public abstract double At(in Window window);
}

/// <summary>A window of a series.</summary>
internal readonly ref struct Window
{
    /// <summary>The times of its samples, at least one.</summary>
    public required ReadOnlySpan<long> Times { get; init; }

    /// <summary>Their values.</summary>
    public required ReadOnlySpan<double> Values { get; init; }

    /// <summary>How many samples of the series are before it.</summary>
    public required int First { get; init; }

    /// <summary>Which step of the grid.</summary>
    public required int Step { get; init; }

    /// <summary>The time of evaluation.</summary>
    public required long Time { get; init; }

    /// <summary>Its end: the time of evaluation, moved by offset and <c>@</c>.</summary>
    public required long End { get; init; }

    /// <summary>How long it is.</summary>
    public required long RangeMs { get; init; }
}
