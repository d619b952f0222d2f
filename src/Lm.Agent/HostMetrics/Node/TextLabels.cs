using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Labels whose values are texts of the kernel that may change; a string is made only when one does.</summary>
/// <param name="fixedLabels">The labels that never change, first.</param>
/// <param name="names">The names of those that may, behind them.</param>
internal sealed class TextLabels(Label[] fixedLabels, params string[] names)
{
    private readonly Label[] labels = [.. fixedLabels, .. Array.ConvertAll(names, name => new Label(name, ""))];
    private readonly byte[][] values = Array.ConvertAll(names, _ => Array.Empty<byte>());

    /// <summary>All labels; valid until the next change.</summary>
    public ReadOnlySpan<Label> Span => labels;

    /// <summary>Gives a label its value of this tick.</summary>
    /// <param name="at">Which of those that may change.</param>
    /// <param name="value">The value, blanks and newlines at its ends left out; empty where there is none.</param>
    public void Set(int at, ReadOnlySpan<byte> value)
    {
        value = value.Trim(" \t\n\0"u8);
        if (value.SequenceEqual(values[at]))
        {
            return;
        }

        values[at] = value.ToArray();
        ref var label = ref labels[fixedLabels.Length + at];
        label = new Label(label.Name, LabelText.From(value, LabelText.LongValueBytesMax));
    }
}
