namespace Lm.Logs.Query.Metrics;

/// <summary>The times that a metric query is asked for.</summary>
/// <param name="Start">The first, milliseconds.</param>
/// <param name="Step">Between two, milliseconds; at least 1.</param>
/// <param name="Count">How many; at least 1.</param>
internal readonly record struct MetricGrid(long Start, long Step, int Count)
{
    /// <summary>The last time.</summary>
    public long End => Start + ((Count - 1) * Step);

    /// <summary>The value of a series at a time at which it has none: a NaN that no calculation gives.</summary>
    public static readonly double Missing = BitConverter.Int64BitsToDouble(0x7ff0_0000_0000_0bad);

    /// <summary>Whether a series has no value.</summary>
    public static bool IsMissing(double value) => BitConverter.DoubleToInt64Bits(value) == 0x7ff0_0000_0000_0bad;

    /// <summary>A row without values.</summary>
    public double[] EmptyRow()
    {
        var row = new double[Count];
        Array.Fill(row, Missing);
        return row;
    }
}

/// <summary>A series over the grid.</summary>
/// <param name="Labels">Its labels, sorted by name.</param>
/// <param name="Values">A value for each time, or <see cref="MetricGrid.Missing"/>.</param>
internal sealed record MetricSeries(LogField[] Labels, double[] Values)
{
    /// <summary>A text that two lists of labels have in common when they are equal, and only then.</summary>
    public static string KeyOf(IEnumerable<LogField> labels) => string.Concat(labels.Select(label => $"{label.Name}\0{label.Value.Length}\0{label.Value}"));
}
