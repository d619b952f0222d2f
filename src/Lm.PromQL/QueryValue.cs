using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>What a query evaluated to. Closed set. All times are milliseconds since 1970.</summary>
public abstract record QueryValue
{
    private protected QueryValue()
    {
    }
}

/// <summary>One number.</summary>
/// <param name="Time">The time of evaluation.</param>
/// <param name="Value">The number.</param>
public sealed record ScalarValue(long Time, double Value) : QueryValue;

/// <summary>A text.</summary>
/// <param name="Time">The time of evaluation.</param>
/// <param name="Value">The text.</param>
public sealed record TextValue(long Time, string Value) : QueryValue;

/// <summary>Series with one sample each.</summary>
/// <param name="Samples">In the order of evaluation: <c>sort</c> and <c>topk</c> decide it, otherwise it has no meaning.</param>
public sealed record VectorValue(IReadOnlyList<VectorSample> Samples) : QueryValue;

/// <summary>Series with samples.</summary>
/// <param name="Series">Sorted by labels; none is empty.</param>
public sealed record MatrixValue(IReadOnlyList<MatrixSeries> Series) : QueryValue;

/// <summary>One sample of an instant query.</summary>
/// <param name="Labels">The series' labels.</param>
/// <param name="Time">The time of evaluation.</param>
/// <param name="Value">The value.</param>
public readonly record struct VectorSample(LabelSet Labels, long Time, double Value);

/// <summary>A series of a range query, or a window of an instant query.</summary>
/// <param name="Labels">Its labels.</param>
/// <param name="Times">Its times, ascending.</param>
/// <param name="Values">Its values, one for each time.</param>
public sealed record MatrixSeries(LabelSet Labels, ReadOnlyMemory<long> Times, ReadOnlyMemory<double> Values);
