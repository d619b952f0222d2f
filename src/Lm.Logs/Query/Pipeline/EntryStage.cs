using System.Text;

namespace Lm.Logs.Query.Pipeline;

/// <summary>Lines → entries of an answer.</summary>
/// <param name="program">The query's stages.</param>
/// <param name="after">Where the page before ended; null for the first.</param>
/// <param name="isBackward">Newest first.</param>
internal sealed class EntryStage(PipelineProgram program, LogPosition? after, bool isBackward) : ILineStage<LogEntry>
{
    // Finds only what filters ask for: most lines are left out, and all fields of those need not be found.
    private readonly LinePipeline? probe = program.FiltersWhatItParses() ? program.Create(program.LabelsAskedFor()) : null;
    private readonly LinePipeline pipeline = program.Create(wanted: null);

    public bool TryTake(in LogLine line, out LogEntry taken)
    {
        taken = null!;
        if (after is { } last && (isBackward ? LogPosition.Of(line).CompareTo(last) >= 0 : LogPosition.Of(line).CompareTo(last) <= 0))
        {
            return false;
        }

        if ((probe is not null && !probe.TryRun(line, out _)) || !pipeline.TryRun(line, out var body))
        {
            return false;
        }

        taken = EntryOf(line, body);
        return true;
    }

    public long SizeOf(LogEntry taken) => taken.HeldBytes;

    private LogEntry EntryOf(in LogLine line, ReadOnlySpan<byte> body)
    {
        var isChanged = !pipeline.Context.HasOwnLabels;
        return new LogEntry
        {
            Position = LogPosition.Of(line),
            Stream = line.Stream,
            Body = body.ToArray(),
            Labels = isChanged ? LabelsOf(LabelOrigin.Stream) : line.Stream.Labels,
            Attributes = isChanged ? LabelsOf(LabelOrigin.Attribute) : Copy(line.Attributes),
            Parsed = isChanged ? [.. LabelsOf(LabelOrigin.Parsed).OrderBy(label => label.Name, StringComparer.Ordinal)] : [],
            Level = isChanged ? LevelLeft() : LevelOf(line),
        };
    }

    // Unless a stage took it away, or the line has a label of that name itself.
    private string LevelLeft()
    {
        var labels = pipeline.Context.Labels;
        var found = labels.Find(DetectedLevel.Label);
        return found >= 0 && labels[found].Origin == LabelOrigin.Derived ? Encoding.UTF8.GetString(labels[found].Value) : "";
    }

    private static string LevelOf(in LogLine line)
    {
        if (line.Stream[DetectedLevel.Label].Length > 0)
        {
            return "";
        }

        foreach (var attribute in line.Attributes)
        {
            if (attribute.Name == DetectedLevel.Label && attribute.Value.Length > 0)
            {
                return "";
            }
        }

        return DetectedLevel.Of(line.Stream);
    }

    private List<LogField> LabelsOf(LabelOrigin origin)
    {
        var found = new List<LogField>();
        var labels = pipeline.Context.Labels;
        for (var i = 0; i < labels.Count; i++)
        {
            var label = labels[i];
            if (label.IsThere && label.Origin == origin)
            {
                found.Add(new LogField(label.Name, Encoding.UTF8.GetString(label.Value)));
            }
        }

        return found;
    }

    private static IReadOnlyList<LogField> Copy(IReadOnlyList<LogField> attributes) =>
        attributes.Count == 0 ? [] : [.. attributes.Where(attribute => attribute.Value.Length > 0)];
}
