using System.Globalization;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.LogTail;

/// <summary>Makes records of one file's lines.</summary>
/// <param name="path">The path that they name.</param>
/// <param name="counters">Counts them.</param>
internal sealed class LineRecords(string path, InputCounters counters)
{
    private readonly Label[]?[] attributes = new Label[]?[8]; // by marks
    private int attributeBytesMax;

    /// <summary>Adds a line to the batch, unless the input excludes it.</summary>
    /// <param name="input">What the line came from, as it is set up now.</param>
    /// <param name="line">The line, without its line feed.</param>
    /// <param name="offset">Where it begins in the file.</param>
    /// <param name="batch">Takes it.</param>
    /// <param name="facts">Reads times and severities.</param>
    /// <param name="marks">What was done to it by now.</param>
    /// <returns>False when the batch takes no more.</returns>
    public bool TryAdd(LogInput input, ReadOnlySpan<byte> line, long offset, LogBatch batch, LineFacts facts, LineMarks marks)
    {
        line = LineText.WithoutReturn(line);
        foreach (var pattern in input.Exclude)
        {
            if (pattern.IsMatch(line))
            {
                counters.AddExcluded();
                return true;
            }
        }

        var body = LineText.Clean(line, batch.Limits.MessageBytesMax, ref marks);
        if (!batch.Takes(body.Length))
        {
            return false;
        }

        var (time, severity) = (batch.ReadAt, 0);
        if (input.Recognises)
        {
            facts.Read(body, batch.ReadAt, out time, out severity);
        }

        batch.Add(time, severity, body, AttributesFor(input, marks, offset, batch.Limits.ValueBytesMax));
        counters.AddLine(marks);
        return true;
    }

    private Label[] AttributesFor(LogInput input, LineMarks marks, long offset, int valueBytesMax)
    {
        if (attributeBytesMax != valueBytesMax)
        {
            Array.Clear(attributes);
            attributeBytesMax = valueBytesMax;
        }

        var common = attributes[(int)marks] ??= MakeAttributes(input, marks, valueBytesMax);
        return input.HasOffsets ? [.. common, new Label("offset", offset.ToString(CultureInfo.InvariantCulture))] : common;
    }

    private Label[] MakeAttributes(LogInput input, LineMarks marks, int valueBytesMax)
    {
        var labels = new List<Label>(4) { new("input", input.Name), new("file", LabelValue.Cut(path, valueBytesMax)) };
        if (marks != LineMarks.None)
        {
            labels.Add(new Label("marks", LineText.NamesOf(marks)));
        }

        return [.. labels];
    }
}
