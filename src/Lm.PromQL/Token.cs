namespace Lm.PromQL;

/// <summary>A word of a query.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Start">Index of its first UTF-16 unit.</param>
/// <param name="End">Index behind its last.</param>
internal readonly record struct Token(TokenKind Kind, int Start, int End)
{
    /// <summary>Which aggregation, for <see cref="TokenKind.Aggregation"/>.</summary>
    public AggregationOperator Aggregation { get; init; }
}

/// <summary>The kinds of words.</summary>
internal enum TokenKind
{
    /// <summary>The end of the query.</summary>
    End,

    /// <summary>What cannot be a word; the lexer says why.</summary>
    Fault,

    /// <summary>A name without a colon.</summary>
    Identifier,

    /// <summary>A name with a colon.</summary>
    MetricIdentifier,

    /// <summary>A text in quotes.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A duration with its unit.</summary>
    Duration,

    /// <summary><c>(</c>.</summary>
    LeftParenthesis,

    /// <summary><c>)</c>.</summary>
    RightParenthesis,

    /// <summary><c>{</c>.</summary>
    LeftBrace,

    /// <summary><c>}</c>.</summary>
    RightBrace,

    /// <summary><c>[</c>.</summary>
    LeftBracket,

    /// <summary><c>]</c>.</summary>
    RightBracket,

    /// <summary><c>,</c>.</summary>
    Comma,

    /// <summary><c>:</c>.</summary>
    Colon,

    /// <summary><c>=</c>.</summary>
    Assign,

    /// <summary><c>=~</c>.</summary>
    Matches,

    /// <summary><c>!~</c>.</summary>
    MatchesNot,

    /// <summary><c>@</c>.</summary>
    At,

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

    /// <summary><c>sum</c> and its kin.</summary>
    Aggregation,

    /// <summary><c>limitk</c> and <c>limit_ratio</c>, which are experiments of Prometheus 3.</summary>
    ExperimentalAggregation,

    /// <summary><c>bool</c>.</summary>
    Bool,

    /// <summary><c>by</c>.</summary>
    By,

    /// <summary><c>without</c>.</summary>
    Without,

    /// <summary><c>on</c>.</summary>
    On,

    /// <summary><c>ignoring</c>.</summary>
    Ignoring,

    /// <summary><c>group_left</c>.</summary>
    GroupLeft,

    /// <summary><c>group_right</c>.</summary>
    GroupRight,

    /// <summary><c>offset</c>.</summary>
    Offset,

    /// <summary><c>anchored</c> and <c>smoothed</c>, experiments of Prometheus 3.</summary>
    RangeModifier,

    /// <summary><c>fill</c>, <c>fill_left</c>, <c>fill_right</c>, experiments of Prometheus 3.</summary>
    Fill,

    /// <summary><c>start</c>.</summary>
    StartWord,

    /// <summary><c>end</c>.</summary>
    EndWord,

    /// <summary><c>step</c>, <c>range</c>, <c>min_of</c>, <c>max_of</c>: experiments of Prometheus 3 where a duration stands.</summary>
    DurationWord,
}
