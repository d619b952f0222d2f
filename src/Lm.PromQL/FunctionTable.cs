using System.Collections.Frozen;

namespace Lm.PromQL;

/// <summary>The functions of both generations of PromQL, without those that Prometheus 3 calls experimental.</summary>
public static class FunctionTable
{
    private const ValueKind S = ValueKind.Scalar;
    private const ValueKind T = ValueKind.Text;
    private const ValueKind V = ValueKind.Vector;
    private const ValueKind M = ValueKind.Matrix;

    private static readonly FrozenDictionary<string, FunctionSignature> Both = ByName(
    [
        .. EachTakes([V], "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor", "histogram_count",
            "histogram_sum", "ln", "log10", "log2", "rad", "sgn", "sin", "sinh", "sort", "sort_desc", "sqrt", "tan", "tanh", "timestamp"),
        .. EachTakes([M], "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta", "increase", "irate", "last_over_time",
            "max_over_time", "min_over_time", "present_over_time", "rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time"),
        .. EachTakes([V], "days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year").Select(function => function with { OptionalCount = 1 }),
        new("clamp", [V, S, S], 0, V),
        new("clamp_max", [V, S], 0, V),
        new("clamp_min", [V, S], 0, V),
        new("histogram_fraction", [S, S, V], 0, V),
        new("histogram_quantile", [S, V], 0, V),
        new("label_join", [V, T, T, T], -1, V),
        new("label_replace", [V, T, T, T, T], 0, V),
        new("pi", [], 0, S),
        new("predict_linear", [M, S], 0, V),
        new("quantile_over_time", [S, M], 0, V),
        new("round", [V, S], 1, V),
        new("scalar", [V], 0, S),
        new("time", [], 0, S),
        new("vector", [S], 0, V),
    ]);

    private static readonly FrozenDictionary<string, FunctionSignature> OnlyV2 = ByName([new("holt_winters", [M, S, S], 0, V)]);

    private static readonly FrozenDictionary<string, FunctionSignature> OnlyV3 = ByName(
    [
        .. EachTakes([V], "histogram_avg", "histogram_stddev", "histogram_stdvar"),
        .. EachTakes([M], "first_over_time"),
    ]);

    private static readonly FrozenSet<string> ExperimentalNames = FrozenSet.Create(
        StringComparer.Ordinal,
        "double_exponential_smoothing", "end", "histogram_quantiles", "info", "mad_over_time", "max_of", "min_of", "range", "sort_by_label", "sort_by_label_desc",
        "start", "start_timestamp", "step", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time");

    /// <summary>All functions of both generations.</summary>
    public static IEnumerable<FunctionSignature> All => [.. Both.Values, .. OnlyV2.Values, .. OnlyV3.Values];

    /// <summary>Finds a function.</summary>
    /// <param name="name">Its name; the case of letters counts.</param>
    /// <param name="semantics">Whose functions.</param>
    /// <returns>Null when there is none.</returns>
    public static FunctionSignature? Find(string name, PromSemantics semantics) =>
        Both.GetValueOrDefault(name) ?? (semantics == PromSemantics.V2 ? OnlyV2 : OnlyV3).GetValueOrDefault(name);

    /// <summary>Whether a name is a function that Prometheus 3 has only when its experiments are turned on. They are never on here.</summary>
    public static bool IsExperimental(string name, PromSemantics semantics) => semantics == PromSemantics.V3 && ExperimentalNames.Contains(name);

    private static IEnumerable<FunctionSignature> EachTakes(ValueKind[] parameters, params string[] names) =>
        names.Select(name => new FunctionSignature(name, parameters, 0, V));

    private static FrozenDictionary<string, FunctionSignature> ByName(IEnumerable<FunctionSignature> functions) =>
        functions.ToFrozenDictionary(function => function.Name, StringComparer.Ordinal);
}
