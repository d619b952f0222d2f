using System.Globalization;

namespace Lm.PromQL;

/// <summary>What a query found wrong without failing: each text once, with the place where it was said last.</summary>
/// <param name="isOn">Whether they are wanted; Prometheus 2 has none.</param>
internal sealed class Annotations(bool isOn)
{
    private readonly Dictionary<string, TextPlace> warnings = [];
    private readonly Dictionary<string, TextPlace> infos = [];
    private readonly Dictionary<(string Text, TextPlace Place), MonotonicityFix> fixes = [];

    public void Warn(string text, TextPlace place)
    {
        if (isOn)
        {
            warnings["PromQL warning: " + text] = place;
        }
    }

    public void Inform(string text, TextPlace place)
    {
        if (isOn)
        {
            infos["PromQL info: " + text] = place;
        }
    }

    /// <summary>A quantile outside of 0..1.</summary>
    public void CheckQuantile(double quantile, TextPlace place)
    {
        if (!(quantile >= 0 && quantile <= 1))
        {
            Warn("quantile value should be between 0 and 1, got " + FloatText.General(quantile), place);
        }
    }

    /// <summary>Buckets of a histogram decreased and were lifted; all such places of a query make one text.</summary>
    public void InformOfMonotonicity(TextPlace place, long time, double lowest, double highest, double difference)
    {
        if (!isOn)
        {
            return;
        }

        const string Text = "PromQL info: input to histogram_quantile needed to be fixed for monotonicity "
            + "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        var key = (Text, place);
        var found = new MonotonicityFix(time, time, lowest, highest, difference, 1);
        fixes[key] = fixes.TryGetValue(key, out var before) ? before.And(found) : found;
    }

    public IReadOnlyList<string> Warnings() => Sorted(warnings);

    public IReadOnlyList<string> Infos()
    {
        foreach (var ((text, place), fix) in fixes)
        {
            infos[text + fix] = place;
        }

        fixes.Clear();
        return Sorted(infos);
    }

    private static List<string> Sorted(Dictionary<string, TextPlace> texts)
    {
        List<string> sorted = [.. texts.Select(pair => $"{pair.Key} ({pair.Value})")];
        sorted.Sort(StringComparer.Ordinal);
        return sorted;
    }

    private readonly record struct MonotonicityFix(long From, long Until, double Lowest, double Highest, double Difference, int Count)
    {
        public MonotonicityFix And(MonotonicityFix other) => new(
            Math.Min(From, other.From), Math.Max(Until, other.Until), Math.Min(Lowest, other.Lowest), Math.Max(Highest, other.Highest),
            Math.Max(Difference, other.Difference), Count + other.Count);

        public override string ToString() =>
            $", from buckets {FloatText.General(Lowest)} to {FloatText.General(Highest)}, with a max diff of {FloatText.TwoDigits(Difference)}, "
            + string.Create(CultureInfo.InvariantCulture, $"over {Count} samples from {Second(From)} to {Second(Until)}");

        private const long LastSecond = 253_402_300_799; // of the year 9999

        private static string Second(long time) =>
            DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(time / 1000, 0, LastSecond)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}
