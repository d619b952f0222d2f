using System.Globalization;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>Queries by a grammar: mostly sound, sometimes wrong.</summary>
internal sealed class RandomQueries(Random random)
{
    private static readonly string[] Metrics =
        ["cpu_seconds_total", "load1", "memory_bytes", "odd", "info", "gauge:small", "sparse", "tiny", "huge", "latency_bucket", "latency_count", "latency_sum", "missing"];

    private static readonly string[] LabelNames = ["instance", "job", "mode", "site", "group", "le", "version", "none"];

    private static readonly string[] LabelValues = ["a:9100", "b:9100", "node", "odd", "idle", "user", "x", "0.5", "+Inf", "1.2.3", "", "a", "io\\\"wait"];

    private static readonly string[] Expressions = [".*", ".+", "a.*", "a:9100|b:9100", "[ab]:.+", "i.*|u.*", "", "no.e", "(?i)NODE", "^node$", "\\\\d+\\\\.\\\\d+", "x|"];

    private static readonly string[] Durations = ["15s", "1m", "90s", "5m", "7m30s", "20m", "1h", "1ms", "2m1ms"];

    private static readonly string[] VectorFunctions =
    [
        "abs", "absent", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg", "exp", "floor", "ln", "log10", "log2", "rad", "sgn", "sin", "sinh",
        "sort", "sort_desc", "sqrt", "tan", "tanh", "timestamp", "days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year",
        "histogram_count", "histogram_sum", "round",
    ];

    private static readonly string[] RangeFunctions =
    [
        "absent_over_time", "avg_over_time", "changes", "count_over_time", "delta", "deriv", "idelta", "increase", "irate", "last_over_time", "max_over_time", "min_over_time",
        "present_over_time", "rate", "resets", "stddev_over_time", "stdvar_over_time", "sum_over_time",
    ];

    private static readonly string[] Aggregations = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"];

    private static readonly string[] Operators = ["+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<="];

    private static readonly string[] SetOperators = ["and", "or", "unless"];

    /// <summary>A query.</summary>
    public string Next()
    {
        var roll = random.Next(100);
        return roll < 70 ? Vector(3) : roll < 80 ? Scalar(2) : roll < 85 ? Range(2) : roll < 87 ? "\"te\\u00e4xt\"" : Broken(Vector(2));
    }

    /// <summary>A selector.</summary>
    public string Selector()
    {
        var matchers = string.Join(',', Enumerable.Range(0, random.Next(3)).Select(_ => Matcher()));
        var isNamed = random.Next(10) > 0;
        return (isNamed ? Pick(Metrics) : "") + (matchers.Length > 0 || !isNamed ? $"{{{matchers}{(isNamed ? "" : (matchers.Length > 0 ? "," : "") + $"__name__=~\"{Pick(["load1|odd", "l.*", "cpu.+", "(info)"])}\"")}}}" : "");
    }

    /// <summary>A label.</summary>
    public string LabelName() => Pick(LabelNames);

    private string Pick(string[] from) => from[random.Next(from.Length)];

    private string Matcher() => Pick(LabelNames) + (random.Next(2) == 0 ? Pick(["=", "!="]) + $"\"{Pick(LabelValues)}\"" : Pick(["=~", "!~"]) + $"\"{Pick(Expressions)}\"");

    private string Shift() => random.Next(12) switch
    {
        0 => " offset " + Pick(Durations),
        1 => " offset -" + Pick(Durations),
        2 => " @ " + RandomSeries.Time(random),
        3 => " @ start()",
        4 => " @ end() offset 1m",
        _ => "",
    };

    private string Number() => random.Next(6) switch
    {
        0 => "0",
        1 => random.Next(1000).ToString(CultureInfo.InvariantCulture),
        2 => random.NextDouble().ToString("R", CultureInfo.InvariantCulture),
        3 => Pick(["1e3", "0x1f", "NaN", "Inf", "-1", ".5", "1e-7", "1e21", "-Inf", "017", "2.50"]),
        4 => "-" + random.NextDouble().ToString("F2", CultureInfo.InvariantCulture),
        _ => random.Next(5).ToString(CultureInfo.InvariantCulture),
    };

    private string Scalar(int depth) => depth == 0 ? Number() : random.Next(8) switch
    {
        0 => "time()",
        1 => "pi()",
        2 => $"scalar({Vector(depth - 1)})",
        3 => $"({Scalar(depth - 1)} {Pick(["+", "-", "*", "/", "%", "^", "atan2", "== bool", "> bool", "<= bool", "!= bool"])} {Scalar(depth - 1)})",
        4 => $"-{Scalar(depth - 1)}",
        _ => Number(),
    };

    private string Range(int depth) => depth > 0 && random.Next(3) == 0
        ? $"({Vector(depth - 1)})[{Pick(Durations[3..])}:{Pick(["", "15s", "1m", "37s"])}]{Shift()}"
        : $"{Selector()}[{Pick(Durations)}]{Shift()}";

    private string Vector(int depth)
    {
        if (depth == 0)
        {
            return Selector() + Shift();
        }

        return random.Next(12) switch
        {
            0 or 1 => $"{Pick(VectorFunctions)}({Vector(depth - 1)})",
            2 or 3 or 4 => $"{Pick(RangeFunctions)}({Range(depth - 1)})",
            5 or 6 => Aggregation(depth),
            7 or 8 => Operation(depth),
            9 => OtherFunction(depth),
            10 => $"-{Vector(depth - 1)}",
            _ => Selector() + Shift(),
        };
    }

    private string Aggregation(int depth)
    {
        var grouping = random.Next(4) switch
        {
            0 => $" by ({Labels()})",
            1 => $" without ({Labels()})",
            _ => "",
        };
        var inner = Vector(depth - 1);
        var call = random.Next(6) switch
        {
            0 => ("topk", $"({Scalar(1)}, {inner})"),
            1 => ("bottomk", $"({random.Next(4)}, {inner})"),
            2 => ("quantile", $"({Pick(["0.5", "0.9", "0", "1", "-1", "2", "NaN"])}, {inner})"),
            3 => ("count_values", $"(\"{Pick(["value", "instance", "job"])}\", {inner})"),
            _ => (Pick(Aggregations), $"({inner})"),
        };
        return random.Next(2) == 0 ? $"{call.Item1}{grouping}{call.Item2}" : $"{call.Item1}{call.Item2}{grouping}";
    }

    private string Labels() => string.Join(", ", Enumerable.Range(0, random.Next(3)).Select(_ => Pick(LabelNames)));

    private string Operation(int depth)
    {
        if (random.Next(4) == 0)
        {
            return $"{Vector(depth - 1)} {Pick(SetOperators)}{Matching(mayGroup: false)} {Vector(depth - 1)}";
        }

        var symbol = Pick(Operators);
        var isComparison = symbol is "==" or "!=" or ">" or "<" or ">=" or "<=";
        var suffix = isComparison && random.Next(2) == 0 ? " bool" : "";
        return random.Next(4) switch
        {
            0 => $"{Vector(depth - 1)} {symbol}{suffix} {Scalar(1)}",
            1 => $"{Scalar(1)} {symbol}{suffix} {Vector(depth - 1)}",
            2 => Like(symbol + suffix),
            _ => $"{Vector(depth - 1)} {symbol}{suffix}{Matching(mayGroup: true)} {Vector(depth - 1)}",
        };
    }

    // Two sides that have partners.
    private string Like(string symbol) => Pick(
    [
        $"cpu_seconds_total {symbol} on (instance) group_left () load1", $"load1 {symbol} ignoring (site) memory_bytes", $"info {symbol} on (instance) group_right (version) cpu_seconds_total",
        $"latency_sum {symbol} latency_count", $"cpu_seconds_total {symbol} on (instance, job) group_left (version) info", $"odd {symbol} odd offset 1m",
        $"sum by (instance) (rate(cpu_seconds_total[5m])) {symbol} on (instance) load1", $"cpu_seconds_total {symbol} ignoring (mode) group_left load1",
    ]);

    private string Matching(bool mayGroup)
    {
        var matching = random.Next(3) switch
        {
            0 => $" on ({Labels()})",
            1 => $" ignoring ({Labels()})",
            _ => "",
        };
        return matching.Length > 0 && mayGroup && random.Next(2) == 0 ? $"{matching} {Pick(["group_left", "group_right"])} ({(random.Next(2) == 0 ? Labels() : "")})" : matching;
    }

    private string OtherFunction(int depth) => random.Next(14) switch
    {
        0 => $"clamp({Vector(depth - 1)}, {Scalar(1)}, {Scalar(1)})",
        1 => $"clamp_min({Vector(depth - 1)}, {Scalar(1)})",
        2 => $"clamp_max({Vector(depth - 1)}, {Scalar(1)})",
        3 => $"histogram_quantile({Pick(["0.5", "0.99", "0", "1", "-0.1", "1.1", "NaN"])}, {Pick(["latency_bucket", "rate(latency_bucket[5m])", "sum by (le) (rate(latency_bucket[10m]))", Vector(depth - 1)])})",
        4 => $"label_replace({Vector(depth - 1)}, \"{Pick(["new", "instance", "job", "9bad"])}\", \"{Pick(["$1", "x-$1-${1}", "", "$name"])}\", \"{Pick(LabelNames)}\", \"{Pick(["(.*)", "(.*):.*", "(?P<name>.).*", "", "(a).*|b.*"])}\")",
        5 => $"label_join({Vector(depth - 1)}, \"{Pick(["new", "instance"])}\", \"{Pick(["-", ""])}\", \"instance\", \"{Pick(LabelNames)}\")",
        6 => $"predict_linear({Range(depth - 1)}, {Pick(["60", "3600", "-10"])})",
        7 => $"quantile_over_time({Pick(["0.5", "0.95", "-1", "2"])}, {Range(depth - 1)})",
        8 => $"round({Vector(depth - 1)}, {Pick(["0.1", "5", "10", "0"])})",
        9 => $"vector({Scalar(depth - 1)})",
        10 => $"holt_winters({Range(depth - 1)}, {Pick(["0.3", "0.9", "1.5"])}, 0.4)",
        11 => $"histogram_fraction(0, 1, {Vector(depth - 1)})",
        12 => $"{Pick(["hour", "minute", "day_of_week", "year"])}()",
        _ => $"timestamp({Selector()}{Shift()})",
    };

    private string Broken(string query)
    {
        var at = random.Next(query.Length + 1);
        return random.Next(3) switch
        {
            0 => query.Insert(at, Pick([")", "(", "{", "}", "]", "\"", " by ", ",", "=", "[5m]", "bool", "@"])),
            1 => at < query.Length ? query.Remove(at, 1) : query,
            _ => query[..at],
        };
    }
}
