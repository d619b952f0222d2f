using System.Text;
using Lm.Logs.Query.Templates;

namespace Lm.Logs.Query.Pipeline;

/// <summary>A label filter.</summary>
internal sealed class LabelFilterStep(LabelCondition condition) : ILineStep
{
    private readonly ILabelTest test = LabelTests.Of(condition);

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context) => test.Holds(context);
}

/// <summary><c>| drop</c> and <c>| keep</c>.</summary>
internal sealed class PickStep(EquatableList<LabelPick> picks, bool keeps) : ILineStep
{
    private readonly (string Label, TextTest? Test)[] picks = [.. picks.Select(pick => (pick.Label, pick.Condition is null ? null : new TextTest(pick.Condition)))];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        var labels = context.Labels;
        for (var i = labels.Count - 1; i >= 0; i--)
        {
            var label = labels[i];

            // keep never takes the error away, so that it is not overlooked.
            if (label.IsThere && IsPicked(label.Name, context) != keeps && !(keeps && label.Name is LabelNames.Error or LabelNames.ErrorDetails))
            {
                labels.Remove(label.Name);
            }
        }

        return true;
    }

    private bool IsPicked(string name, LineContext context)
    {
        foreach (var (label, test) in picks)
        {
            if (label == name && (test is null || test.Holds(context)))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary><c>| line_format</c>.</summary>
internal sealed class LineFormatStep(LineFormatStage stage) : ILineStep
{
    private readonly TemplateRun template = TemplateRun.Of(stage.Template);

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        if (template.TryRun(line, context, out var text, out var fault))
        {
            line = context.Replace(text);
        }
        else
        {
            context.Labels.SetError(TemplateRun.Error, fault);
        }

        return true;
    }
}

/// <summary><c>| label_format</c>.</summary>
internal sealed class LabelFormatStep(LabelFormatStage stage) : ILineStep
{
    private readonly (LabelFormat Format, TemplateRun? Template)[] formats =
        [.. stage.Formats.Select(format => (format, format.IsTemplate ? TemplateRun.Of(format.Value) : null))];

    public bool Apply(ref ReadOnlySpan<byte> line, LineContext context)
    {
        foreach (var (format, template) in formats)
        {
            if (template is null)
            {
                Rename(format, context.Labels);
            }
            else if (!template.TryRun(line, context, out var text, out var fault))
            {
                context.Labels.SetError(TemplateRun.Error, fault);
            }
            else if (!context.Labels.TrySet(format.Label, Encoding.UTF8.GetBytes(text)))
            {
                context.Labels.SetErrorIfNone(TemplateRun.Error, $"the line has more than {LineLabels.ParsedMax} labels");
            }
        }

        return true;
    }

    private static void Rename(LabelFormat format, LineLabels labels)
    {
        var found = labels.Find(format.Value);
        if (found < 0)
        {
            return;
        }

        labels.TrySet(format.Label, labels[found].Value);
        labels.Remove(format.Value);
    }
}
