using System.Text.RegularExpressions;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>What becomes of a target's series before they are taken: rules in order, then the target's own labels.</summary>
/// <param name="SamplesMax">Samples of one reading.</param>
/// <param name="Own">Labels that every series gets; one that a series has already stays as it is under <c>exported_</c> and its name.</param>
/// <param name="Rules">The rules.</param>
internal sealed record SeriesRules(int SamplesMax, IReadOnlyList<Label> Own, IReadOnlyList<RelabelRule> Rules)
{
    /// <summary>Applies all of it.</summary>
    /// <param name="name">The metric's name; a rule may change it.</param>
    /// <param name="labels">The series' labels.</param>
    /// <returns>False when the series is dropped: by a rule, or because a label is left whose name begins with two underscores.</returns>
    public bool TryApply(ref string name, List<Label> labels)
    {
        foreach (var rule in Rules)
        {
            if (!rule.TryApply(ref name, labels))
            {
                return false;
            }
        }

        foreach (var own in Own)
        {
            var at = labels.FindIndex(label => label.Name == own.Name);
            if (at >= 0)
            {
                var moved = "exported_" + own.Name;
                while (labels.Exists(label => label.Name == moved))
                {
                    moved = "exported_" + moved;
                }

                labels[at] = new Label(moved, labels[at].Value);
            }

            labels.Add(own);
        }

        // Names of this kind are the collector's own: it would refuse the batch, with what others gave.
        return !labels.Exists(label => label.Name.StartsWith("__", StringComparison.Ordinal));
    }
}

/// <summary>One rule, as Prometheus' <c>metric_relabel_configs</c> has them.</summary>
/// <param name="Action">What to do.</param>
/// <param name="SourceLabels">Labels whose values, joined by ";", are compared; <c>__name__</c> is the metric's name.</param>
/// <param name="Pattern">Matches the whole.</param>
/// <param name="TargetLabel">For <see cref="RelabelAction.Replace"/>: the label that is set.</param>
/// <param name="Replacement">For <see cref="RelabelAction.Replace"/>: its value, with <c>$1</c> for what a group matched; empty takes the label away.</param>
internal sealed record RelabelRule(RelabelAction Action, IReadOnlyList<string> SourceLabels, AnchoredRegex Pattern, string TargetLabel, string Replacement)
{
    private const string MetricName = "__name__";

    /// <summary>Applies the rule.</summary>
    /// <returns>False when the series is dropped.</returns>
    public bool TryApply(ref string name, List<Label> labels)
    {
        try
        {
            switch (Action)
            {
                case RelabelAction.Keep:
                    return Pattern.IsMatch(Join(name, labels));
                case RelabelAction.Drop:
                    return !Pattern.IsMatch(Join(name, labels));
                case RelabelAction.LabelDrop:
                    labels.RemoveAll(label => Pattern.IsMatch(label.Name));
                    return true;
                default:
                    return TryReplace(ref name, labels);
            }
        }
        catch (RegexMatchTimeoutException)
        {
            return false; // a value that cannot be judged in time is not let through
        }
    }

    private bool TryReplace(ref string name, List<Label> labels)
    {
        if (!Pattern.TryExpand(Join(name, labels), Replacement, out var value))
        {
            return true;
        }

        if (TargetLabel == MetricName)
        {
            if (!Exposition.ExpositionLine.IsName(System.Text.Encoding.UTF8.GetBytes(value)))
            {
                return false; // it would have no name that anybody takes
            }

            name = value;
            return true;
        }

        labels.RemoveAll(label => label.Name == TargetLabel);
        if (value.Length > 0)
        {
            labels.Add(new Label(TargetLabel, value));
        }

        return true;
    }

    private string Join(string name, List<Label> labels)
    {
        var values = new string[SourceLabels.Count];
        for (var i = 0; i < values.Length; i++)
        {
            var source = SourceLabels[i];
            values[i] = source == MetricName ? name : labels.Find(label => label.Name == source).Value ?? "";
        }

        return string.Join(';', values);
    }
}

/// <summary>What a rule does.</summary>
internal enum RelabelAction
{
    /// <summary>Sets a label where the pattern matches.</summary>
    Replace = 0,

    /// <summary>Drops series that do not match.</summary>
    Keep,

    /// <summary>Drops series that match.</summary>
    Drop,

    /// <summary>Takes labels away whose name matches.</summary>
    LabelDrop,
}
