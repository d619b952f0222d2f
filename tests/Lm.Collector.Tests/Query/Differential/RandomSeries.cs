using System.Globalization;
using Lm.Tsdb;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>Series of every kind that queries meet: counters with resets, gauges, histograms, gaps, stale markers, NaN and infinities.</summary>
internal static class RandomSeries
{
    /// <summary>Where the data begin: an odd time, so that no step falls on a sample by design.</summary>
    public const long Start = 1_700_000_003_123;

    /// <summary>How long they last: less than the two hours and a half that one head takes.</summary>
    public const long LengthMs = 5_400_000;

    private static readonly double Stale = BitConverter.Int64BitsToDouble(StaleMarker.Bits);

    /// <summary>Makes all samples.</summary>
    public static List<(LabelSet Labels, long Time, double Value)> Make(int seed)
    {
        var random = new Random(seed);
        var samples = new List<(LabelSet, long, double)>();
        foreach (var instance in (string[])["a:9100", "b:9100", "c-1:9100"])
        {
            foreach (var mode in (string[])["idle", "user", "system", "io\"wait"])
            {
                Add(samples, random, Counter(random), 15_000, "cpu_seconds_total", ("instance", instance), ("job", "node"), ("mode", mode));
            }

            Add(samples, random, _ => 1 + (random.NextDouble() * 10), 15_000, "load1", ("instance", instance), ("job", "node"));
            Add(samples, random, i => Math.Round(1e9 * Math.Sin(i / 30.0)), 30_000, "memory_bytes", ("instance", instance), ("job", "node"), ("site", instance[..1]));
            Add(samples, random, Odd(random), 60_000, "odd", ("instance", instance), ("job", "odd"));
            AddHistogram(samples, random, instance);
        }

        Add(samples, random, _ => 1, 60_000, "info", ("instance", "a:9100"), ("version", "1.2.3"), ("job", "node"));
        Add(samples, random, _ => 1, 60_000, "info", ("instance", "b:9100"), ("version", "1.2.4"), ("job", "node"));
        Add(samples, random, i => i % 7, 61_000, "gauge:small", ("group", "x"), ("ü", "größe"), ("empty", ""));
        Add(samples, random, i => 0.1 * i, 300_000, "sparse", ("group", "y"));
        Add(samples, random, i => i * 1e-9, 45_000, "tiny", ("group", "z"));
        Add(samples, random, i => i * 1e21, 45_000, "huge", ("group", "z"));
        return samples;
    }

    private static Func<int, double> Counter(Random random)
    {
        var value = random.NextDouble() * 1000;
        return _ => value = random.Next(60) == 0 ? random.NextDouble() : value + (random.NextDouble() * 15);
    }

    private static Func<int, double> Odd(Random random) => _ => random.Next(8) switch
    {
        0 => double.NaN,
        1 => double.PositiveInfinity,
        2 => double.NegativeInfinity,
        3 => 0,
        4 => -0.0,
        _ => (random.NextDouble() - 0.5) * 1e3,
    };

    private static void AddHistogram(List<(LabelSet Labels, long Time, double Value)> samples, Random random, string instance)
    {
        string[] bounds = ["0.005", "0.1", "0.5", "1", "10", "+Inf"];
        var counts = new double[bounds.Length];
        for (var time = Start; time < Start + LengthMs; time += 30_000)
        {
            double sum = 0;
            for (var i = 0; i < bounds.Length; i++)
            {
                counts[i] += random.Next(5);
                sum += counts[i];
                samples.Add((Labels("latency_bucket", ("instance", instance), ("le", bounds[i])), time, sum));
            }

            samples.Add((Labels("latency_count", ("instance", instance)), time, sum));
            samples.Add((Labels("latency_sum", ("instance", instance)), time, sum * 0.37));
        }
    }

    private static void Add(
        List<(LabelSet Labels, long Time, double Value)> samples, Random random, Func<int, double> value, long interval, string name, params (string Name, string Value)[] labels)
    {
        var set = Labels(name, labels);
        var time = Start + random.Next(15_000);
        for (var i = 0; time < Start + LengthMs; i++)
        {
            var next = value(i);
            var roll = random.Next(100);
            if (roll < 2)
            {
                samples.Add((set, time, Stale));
                time += 4 * interval;
            }
            else if (roll > 3)
            {
                samples.Add((set, time, next));
            }

            time += interval + random.Next(200);
        }
    }

    private static LabelSet Labels(string name, params (string Name, string Value)[] labels) =>
        new([new Label(LabelSet.MetricNameLabel, name), .. labels.Select(label => new Label(label.Name, label.Value))]);

    /// <summary>A time near or among the data, as the API writes it.</summary>
    public static string Time(Random random) =>
        ((Start + (long)(random.NextDouble() * (LengthMs + 600_000)) - 300_000) / 1000.0).ToString("F3", CultureInfo.InvariantCulture);
}
