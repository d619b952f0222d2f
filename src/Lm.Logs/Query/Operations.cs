namespace Lm.Logs.Query;

/// <summary>The operations' names.</summary>
internal static class Operations
{
    private static readonly (RangeOperation Operation, string Name)[] Ranges =
    [
        (RangeOperation.Rate, "rate"), (RangeOperation.Count, "count_over_time"), (RangeOperation.BytesRate, "bytes_rate"),
        (RangeOperation.Bytes, "bytes_over_time"), (RangeOperation.Absent, "absent_over_time"), (RangeOperation.Sum, "sum_over_time"),
        (RangeOperation.Average, "avg_over_time"), (RangeOperation.Min, "min_over_time"), (RangeOperation.Max, "max_over_time"),
        (RangeOperation.Quantile, "quantile_over_time"), (RangeOperation.Deviation, "stddev_over_time"), (RangeOperation.Variance, "stdvar_over_time"),
        (RangeOperation.First, "first_over_time"), (RangeOperation.Last, "last_over_time"), (RangeOperation.RateCounter, "rate_counter"),
    ];

    private static readonly (VectorOperation Operation, string Name)[] Vectors =
    [
        (VectorOperation.Sum, "sum"), (VectorOperation.Average, "avg"), (VectorOperation.Min, "min"), (VectorOperation.Max, "max"),
        (VectorOperation.Count, "count"), (VectorOperation.Deviation, "stddev"), (VectorOperation.Variance, "stdvar"), (VectorOperation.Top, "topk"),
        (VectorOperation.Bottom, "bottomk"), (VectorOperation.Sort, "sort"), (VectorOperation.SortDescending, "sort_desc"),
    ];

    // By strength: operators of one number bind alike.
    private static readonly (BinaryOperation Operation, string Symbol, int Strength)[] Binaries =
    [
        (BinaryOperation.Or, "or", 1), (BinaryOperation.And, "and", 2), (BinaryOperation.Unless, "unless", 2),
        (BinaryOperation.Equal, "==", 3), (BinaryOperation.NotEqual, "!=", 3), (BinaryOperation.Greater, ">", 3),
        (BinaryOperation.GreaterOrEqual, ">=", 3), (BinaryOperation.Less, "<", 3), (BinaryOperation.LessOrEqual, "<=", 3),
        (BinaryOperation.Add, "+", 4), (BinaryOperation.Subtract, "-", 4),
        (BinaryOperation.Multiply, "*", 5), (BinaryOperation.Divide, "/", 5), (BinaryOperation.Modulo, "%", 5), (BinaryOperation.Power, "^", 6),
    ];

    /// <summary>All range aggregations, for messages.</summary>
    public static string RangeNames => string.Join(", ", Ranges.Select(range => range.Name));

    /// <summary>All aggregations of series, for messages.</summary>
    public static string VectorNames => string.Join(", ", Vectors.Select(vector => vector.Name));

    /// <summary>A range aggregation's name.</summary>
    public static string NameOf(RangeOperation operation) => Array.Find(Ranges, range => range.Operation == operation).Name;

    /// <summary>An aggregation's name.</summary>
    public static string NameOf(VectorOperation operation) => Array.Find(Vectors, vector => vector.Operation == operation).Name;

    /// <summary>An operator's symbol.</summary>
    public static string SymbolOf(BinaryOperation operation) => Array.Find(Binaries, binary => binary.Operation == operation).Symbol;

    /// <summary>Whether an operator compares.</summary>
    public static bool IsComparison(BinaryOperation operation) => operation is >= BinaryOperation.Equal and <= BinaryOperation.LessOrEqual;

    /// <summary>Whether an operator is about which series there are.</summary>
    public static bool IsSet(BinaryOperation operation) => operation <= BinaryOperation.Unless;

    /// <summary>Whether a range aggregation is about a label's numbers, and needs <c>unwrap</c>.</summary>
    public static bool NeedsUnwrap(RangeOperation operation) => operation >= RangeOperation.Sum;

    /// <summary>Whether a range aggregation may have <c>by</c> or <c>without</c> of its own.</summary>
    public static bool TakesGrouping(RangeOperation operation) => operation is > RangeOperation.Sum and not RangeOperation.RateCounter;

    /// <summary>Finds a range aggregation.</summary>
    public static bool TryRange(string name, out RangeOperation operation)
    {
        var found = Array.FindIndex(Ranges, range => range.Name == name);
        operation = found < 0 ? default : Ranges[found].Operation;
        return found >= 0;
    }

    /// <summary>Finds an aggregation of series.</summary>
    public static bool TryVector(string name, out VectorOperation operation)
    {
        var found = Array.FindIndex(Vectors, vector => vector.Name == name);
        operation = found < 0 ? default : Vectors[found].Operation;
        return found >= 0;
    }

    /// <summary>Finds an operator.</summary>
    public static bool TryBinary(string symbol, out BinaryOperation operation, out int strength)
    {
        var found = Array.FindIndex(Binaries, binary => binary.Symbol == symbol);
        (operation, strength) = found < 0 ? (default, 0) : (Binaries[found].Operation, Binaries[found].Strength);
        return found >= 0;
    }
}

/// <summary>Range aggregations.</summary>
internal enum RangeOperation
{
    /// <summary>Lines a second, or the sum of a label a second.</summary>
    Rate,

    /// <summary>Lines.</summary>
    Count,

    /// <summary>Bytes of lines a second.</summary>
    BytesRate,

    /// <summary>Bytes of lines.</summary>
    Bytes,

    /// <summary>1 where there is none.</summary>
    Absent,

    /// <summary>The sum of a label.</summary>
    Sum,

    /// <summary>Its mean.</summary>
    Average,

    /// <summary>Its smallest.</summary>
    Min,

    /// <summary>Its largest.</summary>
    Max,

    /// <summary>A quantile of it.</summary>
    Quantile,

    /// <summary>Its standard deviation.</summary>
    Deviation,

    /// <summary>Its variance.</summary>
    Variance,

    /// <summary>Its first value.</summary>
    First,

    /// <summary>Its last value.</summary>
    Last,

    /// <summary>How much it grew a second, where it never falls but to begin anew.</summary>
    RateCounter,
}

/// <summary>Aggregations of series.</summary>
internal enum VectorOperation
{
    /// <summary>The sum.</summary>
    Sum,

    /// <summary>The mean.</summary>
    Average,

    /// <summary>The smallest.</summary>
    Min,

    /// <summary>The largest.</summary>
    Max,

    /// <summary>How many.</summary>
    Count,

    /// <summary>The standard deviation.</summary>
    Deviation,

    /// <summary>The variance.</summary>
    Variance,

    /// <summary>The k largest.</summary>
    Top,

    /// <summary>The k smallest.</summary>
    Bottom,

    /// <summary>All, smallest first.</summary>
    Sort,

    /// <summary>All, largest first.</summary>
    SortDescending,
}

/// <summary>What is between two sides.</summary>
internal enum BinaryOperation
{
    /// <summary><c>or</c>.</summary>
    Or,

    /// <summary><c>and</c>.</summary>
    And,

    /// <summary><c>unless</c>.</summary>
    Unless,

    /// <summary><c>==</c>.</summary>
    Equal,

    /// <summary><c>!=</c>.</summary>
    NotEqual,

    /// <summary><c>&gt;</c>.</summary>
    Greater,

    /// <summary><c>&gt;=</c>.</summary>
    GreaterOrEqual,

    /// <summary><c>&lt;</c>.</summary>
    Less,

    /// <summary><c>&lt;=</c>.</summary>
    LessOrEqual,

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
}
