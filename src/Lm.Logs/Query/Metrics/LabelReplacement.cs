using Lm.Platform;

namespace Lm.Logs.Query.Metrics;

/// <summary><c>label_replace</c>.</summary>
internal static class LabelReplacement
{
    /// <summary>Gives each series whose source label matches the new label.</summary>
    /// <exception cref="LogQueryException">Two series become one.</exception>
    public static IReadOnlyList<MetricSeries> Apply(LabelReplace replace, IReadOnlyList<MetricSeries> series)
    {
        var regex = AnchoredRegex.TryParse(replace.Pattern, out var parsed, out var fault) ? parsed! : throw new LogQueryException(fault);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var replaced = new List<MetricSeries>(series.Count);
        foreach (var member in series)
        {
            var source = Array.Find(member.Labels, label => label.Name == replace.Source).Value ?? "";
            var labels = regex.TryExpand(source, replace.Replacement, out var value) ? With(member.Labels, replace.Target, value) : member.Labels;
            if (!keys.Add(MetricSeries.KeyOf(labels)))
            {
                throw new LogQueryException("label_replace makes two series with the same labels");
            }

            replaced.Add(member with { Labels = labels });
        }

        return replaced;
    }

    /// <summary>Labels with one more, or another value, or without it when that is empty.</summary>
    public static LogField[] With(IEnumerable<LogField> labels, string name, string value)
    {
        var rest = labels.Where(label => label.Name != name);
        return [.. (value.Length == 0 ? rest : rest.Append(new LogField(name, value))).OrderBy(label => label.Name, StringComparer.Ordinal)];
    }
}
