using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>A parsed expression: an immutable tree.</summary>
/// <remarks>Closed set: every kind stands in this file. The language is that of https://prometheus.io/docs/prometheus/latest/querying/basics/.
/// All durations and times are milliseconds.</remarks>
/// <param name="Place">Where it stands in the query's text.</param>
public abstract record Expression(TextPlace Place)
{
    /// <summary>What it evaluates to.</summary>
    public abstract ValueKind Kind { get; }

    /// <summary>Whether it reads series anywhere.</summary>
    public bool HasSelector() => this switch
    {
        VectorSelector or MatrixSelector => true,
        Subquery subquery => subquery.Inner.HasSelector(),
        Parenthesized parenthesized => parenthesized.Inner.HasSelector(),
        Unary unary => unary.Inner.HasSelector(),
        Binary binary => binary.Left.HasSelector() || binary.Right.HasSelector(),
        Aggregation aggregation => aggregation.Inner.HasSelector() || aggregation.Parameter?.HasSelector() == true,
        FunctionCall call => call.Arguments.Any(argument => argument.HasSelector()),
        _ => false,
    };
}

/// <summary>A part of a query's text.</summary>
/// <param name="Start">Index of its first UTF-16 unit.</param>
/// <param name="End">Index behind its last.</param>
public readonly record struct TextPlace(int Start, int End)
{
    /// <summary>The line that it begins on, from 1.</summary>
    public int Line { get; init; }

    /// <summary>The column that it begins at, from 1, in bytes of UTF-8, as Prometheus counts it.</summary>
    public int Column { get; init; }

    /// <summary>As Prometheus names places in annotations: <c>1:8</c>.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Line}:{Column}");
}

/// <summary>The four types of PromQL.</summary>
public enum ValueKind
{
    /// <summary>One number for each time.</summary>
    Scalar,

    /// <summary>A text.</summary>
    Text,

    /// <summary>For each time, series with one sample each ("instant vector").</summary>
    Vector,

    /// <summary>For each time, series with samples of a range ("range vector").</summary>
    Matrix,
}

/// <summary>A number: <c>1.5</c>, <c>0x1f</c>, <c>Inf</c>, or a duration as seconds.</summary>
public sealed record NumberLiteral(double Value, TextPlace Place) : Expression(Place)
{
    /// <summary>Whether it was written as a duration: <c>5m</c>.</summary>
    public bool IsDuration { get; init; }

    /// <inheritdoc/>
    public override ValueKind Kind => ValueKind.Scalar;
}

/// <summary>A text in quotes, escapes resolved.</summary>
public sealed record TextLiteral(string Value, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => ValueKind.Text;
}

/// <summary>An expression in parentheses.</summary>
public sealed record Parenthesized(Expression Inner, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => Inner.Kind;
}

/// <summary>Which time a selector or subquery looks at.</summary>
/// <param name="OffsetMs">How far back it looks (<c>offset</c>); negative looks ahead.</param>
/// <param name="Pin">What <c>@</c> pins it to.</param>
/// <param name="PinnedMs">The time, for <see cref="TimePin.At"/>.</param>
public readonly record struct TimeShift(long OffsetMs, TimePin Pin, long PinnedMs)
{
    /// <summary>Neither <c>offset</c> nor <c>@</c>.</summary>
    public static TimeShift None => default;
}

/// <summary>The forms of <c>@</c>.</summary>
public enum TimePin
{
    /// <summary>Not there.</summary>
    None,

    /// <summary><c>@ 1609746000</c>.</summary>
    At,

    /// <summary><c>@ start()</c>.</summary>
    Start,

    /// <summary><c>@ end()</c>.</summary>
    End,
}

/// <summary><c>name{label="value"} offset 5m @ end()</c>.</summary>
/// <param name="Name">The metric's name as written before the braces; empty when there is none. Its matcher is among <paramref name="Matchers"/>.</param>
/// <param name="Matchers">All conditions.</param>
/// <param name="Shift">Offset and <c>@</c>.</param>
/// <param name="Place">Where it stands.</param>
public sealed record VectorSelector(string Name, IReadOnlyList<LabelMatcher> Matchers, TimeShift Shift, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => ValueKind.Vector;
}

/// <summary><c>selector[5m]</c>. Offset and <c>@</c> stand at the selector.</summary>
public sealed record MatrixSelector(VectorSelector Selector, long RangeMs, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => ValueKind.Matrix;
}

/// <summary><c>expression[1h:5m]</c>.</summary>
/// <param name="Inner">What is evaluated at each step.</param>
/// <param name="RangeMs">How far back.</param>
/// <param name="StepMs">Between two evaluations; 0 takes the default evaluation interval.</param>
/// <param name="Shift">Offset and <c>@</c>.</param>
/// <param name="Place">Where it stands.</param>
public sealed record Subquery(Expression Inner, long RangeMs, long StepMs, TimeShift Shift, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => ValueKind.Matrix;
}

/// <summary><c>-x</c>, <c>+x</c>.</summary>
public sealed record Unary(bool IsMinus, Expression Inner, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => Inner.Kind;
}

/// <summary><c>left op right</c>.</summary>
/// <param name="Operator">Which one.</param>
/// <param name="Left">The left side.</param>
/// <param name="Right">The right side.</param>
/// <param name="ReturnsBool">Whether <c>bool</c> stands behind a comparison: 0 or 1 instead of a filter.</param>
/// <param name="Matching">How series find their partners; null unless both sides are vectors.</param>
/// <param name="Place">Where it stands.</param>
public sealed record Binary(BinaryOperator Operator, Expression Left, Expression Right, bool ReturnsBool, VectorMatching? Matching, TextPlace Place)
    : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => Left.Kind == ValueKind.Scalar && Right.Kind == ValueKind.Scalar ? ValueKind.Scalar : ValueKind.Vector;
}

/// <summary>Which labels must be equal, and which side may have many.</summary>
/// <param name="Cardinality">Which side may have several series for one group.</param>
/// <param name="IsOn">Whether only <paramref name="Labels"/> count (<c>on</c>); otherwise all but them (<c>ignoring</c>).</param>
/// <param name="Labels">The labels named by <c>on</c> or <c>ignoring</c>.</param>
/// <param name="Include">The labels that <c>group_left</c> or <c>group_right</c> copies from the one side.</param>
public sealed record VectorMatching(MatchCardinality Cardinality, bool IsOn, IReadOnlyList<string> Labels, IReadOnlyList<string> Include);

/// <summary>How many series of each side may share a group.</summary>
public enum MatchCardinality
{
    /// <summary>One of each side.</summary>
    OneToOne,

    /// <summary>Many on the left, one on the right: <c>group_left</c>.</summary>
    ManyToOne,

    /// <summary>One on the left, many on the right: <c>group_right</c>.</summary>
    OneToMany,

    /// <summary>The set operators.</summary>
    ManyToMany,
}

/// <summary>The binary operators.</summary>
public enum BinaryOperator
{
    /// <summary><c>+</c>.</summary>
    Add,

    /// <summary><c>-</c>.</summary>
    Subtract,

    /// <summary><c>*</c>.</summary>
    Multiply,

    /// <summary><c>/</c>.</summary>
    Divide,

    /// <summary><c>%</c>.</summary>
    Modulo,

    /// <summary><c>^</c>.</summary>
    Power,

    /// <summary><c>atan2</c>.</summary>
    Atan2,

    /// <summary><c>==</c>.</summary>
    Equal,

    /// <summary><c>!=</c>.</summary>
    NotEqual,

    /// <summary><c>&lt;</c>.</summary>
    Less,

    /// <summary><c>&lt;=</c>.</summary>
    LessOrEqual,

    /// <summary><c>&gt;</c>.</summary>
    Greater,

    /// <summary><c>&gt;=</c>.</summary>
    GreaterOrEqual,

    /// <summary><c>and</c>.</summary>
    And,

    /// <summary><c>or</c>.</summary>
    Or,

    /// <summary><c>unless</c>.</summary>
    Unless,
}

/// <summary><c>sum by (instance) (x)</c>.</summary>
/// <param name="Operator">Which aggregation.</param>
/// <param name="Inner">What is aggregated.</param>
/// <param name="Parameter">The first argument of topk, quantile and the like; null for the others.</param>
/// <param name="IsWithout">Whether groups are made of all labels but <paramref name="Grouping"/>.</param>
/// <param name="Grouping">The labels named.</param>
/// <param name="Place">Where it stands.</param>
public sealed record Aggregation(
    AggregationOperator Operator, Expression Inner, Expression? Parameter, bool IsWithout, IReadOnlyList<string> Grouping, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => ValueKind.Vector;
}

/// <summary>The aggregations.</summary>
public enum AggregationOperator
{
    /// <summary><c>sum</c>.</summary>
    Sum,

    /// <summary><c>avg</c>.</summary>
    Avg,

    /// <summary><c>count</c>.</summary>
    Count,

    /// <summary><c>min</c>.</summary>
    Min,

    /// <summary><c>max</c>.</summary>
    Max,

    /// <summary><c>group</c>.</summary>
    Group,

    /// <summary><c>stddev</c>.</summary>
    Stddev,

    /// <summary><c>stdvar</c>.</summary>
    Stdvar,

    /// <summary><c>topk</c>.</summary>
    Topk,

    /// <summary><c>bottomk</c>.</summary>
    Bottomk,

    /// <summary><c>count_values</c>.</summary>
    CountValues,

    /// <summary><c>quantile</c>.</summary>
    Quantile,
}

/// <summary><c>rate(x[5m])</c>.</summary>
public sealed record FunctionCall(FunctionSignature Function, IReadOnlyList<Expression> Arguments, TextPlace Place) : Expression(Place)
{
    /// <inheritdoc/>
    public override ValueKind Kind => Function.Returns;
}

/// <summary>A function as the parser knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Parameters">The kinds of its parameters.</param>
/// <param name="OptionalCount">How many of the last parameters may be left out; -1: the last may be repeated any number of times, or left out.</param>
/// <param name="Returns">What it gives.</param>
public sealed record FunctionSignature(string Name, IReadOnlyList<ValueKind> Parameters, int OptionalCount, ValueKind Returns);
