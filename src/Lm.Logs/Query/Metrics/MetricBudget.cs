namespace Lm.Logs.Query.Metrics;

/// <summary>What one metric query may hold; counted by all its threads.</summary>
internal sealed class MetricBudget(LogQueryLimits limits)
{
    private long cells;
    private long samples;

    /// <summary>Counts a row of numbers.</summary>
    /// <exception cref="LogQueryException">There are too many.</exception>
    public void TakeCells(long count)
    {
        if (Interlocked.Add(ref cells, count) > limits.CellsMax)
        {
            throw new LogQueryException(
                $"the query holds more than {limits.CellsMax} numbers, series times steps: aggregate by fewer labels as in sum by (instance) (…), widen the step, or shorten the range");
        }
    }

    /// <summary>Counts numbers taken of lines.</summary>
    /// <exception cref="LogQueryException">There are too many.</exception>
    public void TakeSamples(long count)
    {
        if (Interlocked.Add(ref samples, count) > limits.CellsMax)
        {
            throw new LogQueryException($"the query takes more than {limits.CellsMax} numbers from lines, each of which counts as four in first_over_time and last_over_time: narrow its selector or filters, or shorten the range");
        }
    }

    /// <summary>Checks the series of one step of the calculation.</summary>
    /// <exception cref="LogQueryException">There are too many.</exception>
    public void CheckSeries(int count)
    {
        if (count > limits.SeriesMax)
        {
            throw new LogQueryException($"the query has more than {limits.SeriesMax} series: aggregate by fewer labels as in sum by (instance) (…)");
        }
    }
}
