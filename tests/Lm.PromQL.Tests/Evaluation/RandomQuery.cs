using System.Globalization;
using Lm.PromQL.Tests.Scripts;
using Lm.Tsdb;

namespace Lm.PromQL.Tests.Evaluation;

/// <summary>Random series and queries over them, out of one seed.</summary>
/// <remarks>Values are quarters of small numbers and a fraction of each series' own: their sums are exact in any order, and no two series are equal; comparisons are with numbers that no result is likely to hit.</remarks>
internal sealed class RandomQuery(int seed)
{
    private readonly Random random = new(seed);
    private int series;

    private static readonly string[] OverTime =
    [
        "sum_over_time", "avg_over_time", "count_over_time", "min_over_time", "max_over_time", "last_over_time", "present_over_time", "changes", "resets",
        "stdvar_over_time", "idelta", "irate", "rate", "increase", "delta",
    ];

    /// <summary>A few series of two metrics: regular and irregular, with gaps, ends and resets.</summary>
    public MemorySeries Series()
    {
        var reader = new MemorySeries();
        foreach (var metric in (string[])["a", "b"])
        {
            foreach (var host in (string[])["x", "y", "z"])
            {
                foreach (var disk in (string[])["0", "1"])
                {
                    if (random.Next(4) > 0)
                    {
                        AddSamples(reader, new LabelSet(new(LabelSet.MetricNameLabel, metric), new("host", host), new("disk", disk)));
                    }
                }
            }
        }

        return reader;
    }

    public string Vector(int depth) => random.Next(depth <= 0 ? 2 : 9) switch
    {
        0 or 1 => Selector(Metric()) + Shift(),
        2 or 3 => RangeCall(depth),
        4 or 5 => Aggregation(depth),
        6 => $"({Vector(depth - 1)}) {Pick("+", "-", "*", "/", "> 0.37 +", "< bool 3.77 -", "!= 2.13 *")} {Number(depth)}",
        7 => Pair(depth),
        _ => random.Next(4) == 0 ? $"{Pick("floor", "sgn")}({Selector(Metric())})" : $"{Pick("abs", "-", "absent", "timestamp")}({Vector(depth - 1)})",
    };

    private void AddSamples(MemorySeries reader, LabelSet labels)
    {
        var isCounter = random.Next(2) == 0;
        var isRegular = random.Next(2) == 0;
        var time = 1000L * random.Next(0, 400);
        var own = ++series / 1024.0;
        var value = random.Next(0, 40) / 4.0;
        for (var i = random.Next(0, 80); i > 0; i--)
        {
            reader.Add(labels, time, random.Next(25) == 0 ? BitConverter.Int64BitsToDouble(StaleMarker.Bits) : value + own);
            time += isRegular ? 15_000 : random.Next(5_000, 60_000);
            time += random.Next(20) == 0 ? 400_000 : 0;
            value = !isCounter ? random.Next(0, 80) / 4.0 : random.Next(10) == 0 ? 0 : value + (random.Next(0, 8) / 4.0);
        }
    }

    private string RangeCall(int depth)
    {
        var name = OverTime[random.Next(OverTime.Length)];
        var windows = random.Next(3) > 0 || depth < 1
            ? $"{Selector(Metric())}[{random.Next(5, 400)}s]{Shift()}"
            : $"({(IsSharp(name) ? Selector(Metric()) : Vector(depth - 1))})[{random.Next(30, 400)}s:{Pick("", "20s", "33s", "60s")}]{Shift()}";
        return random.Next(8) switch
        {
            0 => $"quantile_over_time(0.{random.Next(1, 9)}, {windows})",
            1 => $"predict_linear({windows}, {random.Next(0, 600)})",
            _ => $"{name}({windows})",
        };
    }

    // Makes much of a last digit, which naive sums and compensated ones do not share: only for values as stored, which are exact.
    private static bool IsSharp(string name) => name is "changes" or "resets" or "rate" or "increase" or "irate";

    private string Aggregation(int depth)
    {
        var grouping = Pick("", " by (host)", " by (disk, none)", " without (disk)", " without (host, disk)", " by ()");
        return random.Next(5) switch
        {
            // Of series as stored, no two of which share a value: which of equal ones stays is another test's matter.
            0 => $"{Pick("topk", "bottomk")}{grouping} ({random.Next(0, 4)}, {Selector(Metric())}{Shift()})",
            1 => $"quantile{grouping} (0.{random.Next(0, 9)}, {Vector(depth - 1)})",
            _ => $"{Pick("sum", "avg", "count", "min", "max", "group", "stdvar")}{grouping} ({Vector(depth - 1)})",
        };
    }

    private string Pair(int depth)
    {
        var matching = Pick("", "", "on (host, disk) ", "on (host) ", "ignoring (disk) ", "on (host, disk) group_left () ", "on (host) group_left () ", "on (host) group_right (disk) ");
        return random.Next(3) == 0
            ? $"({Vector(depth - 1)}) {Pick("and", "or", "unless")} {Pick("", "on (host) ", "ignoring (disk) ")}({Vector(depth - 1)})"
            : random.Next(3) == 0 ? $"{Selector(Metric())} {Pick(">", "<=", "== bool", "!=")} {matching}{Selector(Metric())}"
            : $"({Vector(depth - 1)}) {Pick("+", "-", "*")} {matching}({Vector(depth - 1)})";
    }

    private string Number(int depth) => random.Next(4) switch
    {
        0 => "time()",
        1 when depth > 1 => $"scalar({Selector("a")})",
        _ => (random.Next(1, 20) / 4.0).ToString(CultureInfo.InvariantCulture),
    };

    private string Selector(string metric) => metric + Pick("", "", "{host=\"x\"}", "{host!=\"x\"}", "{disk=~\"0|2\"}", "{host=~\"x|y\",disk=\"1\"}");

    private string Metric() => Pick("a", "b");

    private string Shift() => Pick("", "", "", " offset 1m", " offset -40s", " @ 700", " @ start()", " @ end() offset 2m");

    private string Pick(params string[] choices) => choices[random.Next(choices.Length)];
}
