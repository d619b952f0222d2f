using System.Text;
using Lm.Logs.Query.Templates;
using Lm.Platform;

namespace Lm.Logs.Query.Pipeline;

/// <summary>The stages of a query, ready to be set to work on any number of threads.</summary>
internal sealed class PipelineProgram(LineSelection lines)
{
    private readonly EquatableList<Stage> stages = lines.Stages;

    /// <summary>Whether lines of a stream are wanted.</summary>
    public bool Selects(LogStream stream)
    {
        foreach (var matcher in lines.Matchers)
        {
            if (!matcher.Matches(stream[matcher.Label]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Texts that every line that is kept contains.</summary>
    public IReadOnlyList<byte[]> Required()
    {
        var required = new List<byte[]>();
        foreach (var stage in stages)
        {
            if (stage is LineFormatStage or UnpackStage or DecolorizeStage)
            {
                break; // what comes behind sees another line than the stored one
            }

            if (stage is LineFilter { Texts.Count: 1, Addresses.Count: 0 } filter)
            {
                required.AddRange(filter.Kind switch
                {
                    LineFilterKind.Contains => [Encoding.UTF8.GetBytes(filter.Texts[0])],
                    LineFilterKind.Matches when SearchRegex.TryParse(filter.Texts[0], out var regex, out _) => regex!.Required,
                    _ => [],
                });
            }
        }

        return [.. required.Where(text => text.Length > 0)];
    }

    /// <summary>Whether labels of lines are found and then filtered: then it pays to find only those that the filters ask for first.</summary>
    public bool FiltersWhatItParses()
    {
        var parses = false;
        foreach (var stage in stages)
        {
            parses |= stage is JsonStage { Extractions.Count: 0 } or LogfmtStage { Extractions.Count: 0 };
            if (parses && stage is LabelFilterStage)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The labels that the stages ask for.</summary>
    public HashSet<string> LabelsAskedFor()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var stage in stages)
        {
            switch (stage)
            {
                case LabelFilterStage filter:
                    AddLabels(filter.Condition, names);
                    break;
                case LineFormatStage format:
                    AddTemplate(format.Template, names);
                    break;
                case LabelFormatStage formats:
                    foreach (var format in formats.Formats)
                    {
                        AddFormat(format, names);
                    }

                    break;
                case DropStage drop:
                    names.UnionWith(drop.Picks.Select(pick => pick.Label));
                    break;
                case KeepStage keep:
                    names.UnionWith(keep.Picks.Select(pick => pick.Label));
                    break;
            }
        }

        return names;
    }

    /// <summary>Adds the labels that a condition asks for.</summary>
    public static void AddLabels(LabelCondition condition, HashSet<string> names)
    {
        switch (condition)
        {
            case TextCondition text:
                names.Add(text.Label);
                break;
            case QuantityCondition quantity:
                names.Add(quantity.Label);
                break;
            case AddressCondition address:
                names.Add(address.Label);
                break;
            case BothConditions both:
                AddLabels(both.Left, names);
                AddLabels(both.Right, names);
                break;
            case EitherCondition either:
                AddLabels(either.Left, names);
                AddLabels(either.Right, names);
                break;
        }
    }

    /// <summary>Sets the stages to work for one thread.</summary>
    /// <param name="wanted">The labels that anyone asks for; null for all.</param>
    public LinePipeline Create(IReadOnlySet<string>? wanted)
    {
        // A label of the stream's name is found under another one.
        IReadOnlySet<string>? found = wanted is null ? null : new HashSet<string>(
            wanted.Concat(wanted.Where(name => name.EndsWith(LabelNames.ExtractedSuffix, StringComparison.Ordinal)).Select(name => name[..^LabelNames.ExtractedSuffix.Length])),
            StringComparer.Ordinal);
        return new LinePipeline([.. stages.Select(stage => StepOf(stage, found))]);
    }

    private static ILineStep StepOf(Stage stage, IReadOnlySet<string>? wanted) => stage switch
    {
        LineFilter { Kind: LineFilterKind.Contains or LineFilterKind.ContainsNot } filter => new ContainsStep(filter),
        LineFilter { Kind: LineFilterKind.Matches or LineFilterKind.MatchesNot } filter => new MatchesStep(filter),
        LineFilter filter => new PatternFilterStep(filter),
        JsonStage { Extractions.Count: 0 } => new JsonStep(wanted),
        JsonStage json => new JsonExtractStep(json),
        LogfmtStage logfmt => new LogfmtStep(logfmt, wanted),
        RegexpStage regexp => new RegexpStep(regexp),
        PatternStage pattern => new PatternStep(pattern),
        UnpackStage => new UnpackStep(),
        LabelFilterStage filter => new LabelFilterStep(filter.Condition),
        LineFormatStage format => new LineFormatStep(format),
        LabelFormatStage format => new LabelFormatStep(format),
        DropStage drop => new PickStep(drop.Picks, keeps: false),
        KeepStage keep => new PickStep(keep.Picks, keeps: true),
        DecolorizeStage => new DecolorizeStep(),
        _ => throw new ArgumentOutOfRangeException(nameof(stage)),
    };

    private static void AddFormat(LabelFormat format, HashSet<string> names)
    {
        if (format.IsTemplate)
        {
            AddTemplate(format.Value, names);
        }
        else
        {
            names.Add(format.Value);
        }
    }

    private static void AddTemplate(string text, HashSet<string> names)
    {
        if (Template.TryParse(text, out var template, out _))
        {
            names.UnionWith(template!.Labels);
        }
    }
}
