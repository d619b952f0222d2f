using System.Text;
using Lm.Agent.LogTail;
using Lm.Protocol;

namespace Lm.Agent.SystemdJournal;

/// <summary>The attributes of journal entries: <c>input</c>, <c>unit</c>, <c>identifier</c>, and <c>pid</c> or, where something was done to the entry,
/// <c>marks</c>. Those of the last entry are kept: the same array makes the next one cheap.</summary>
internal sealed class JournalAttributes(string input)
{
    private readonly byte[] unit = new byte[JournalExport.FieldBytesMax];
    private readonly byte[] identifier = new byte[JournalExport.FieldBytesMax];
    private readonly byte[] pid = new byte[JournalExport.FieldBytesMax];
    private int unitLength = -1;
    private int identifierLength;
    private int pidLength;
    private LineMarks marks;
    private int valueBytesMax;
    private Label[] labels = [];

    /// <summary>The attributes of an entry.</summary>
    public Label[] Of(JournalExport entry, LineMarks marksOfEntry, int bytesMax)
    {
        if (unitLength < 0 || marks != marksOfEntry || valueBytesMax != bytesMax || !entry.Unit.SequenceEqual(unit.AsSpan(0, unitLength))
            || !entry.Identifier.SequenceEqual(identifier.AsSpan(0, identifierLength)) || !entry.Pid.SequenceEqual(pid.AsSpan(0, pidLength)))
        {
            (marks, valueBytesMax) = (marksOfEntry, bytesMax);
            unitLength = Keep(entry.Unit, unit);
            identifierLength = Keep(entry.Identifier, identifier);
            pidLength = Keep(entry.Pid, pid);
            labels =
            [
                new Label("input", input),
                new Label("unit", ValueOf(entry.Unit)),
                new Label("identifier", ValueOf(entry.Identifier)),
                marks == LineMarks.None ? new Label("pid", ValueOf(entry.Pid)) : new Label("marks", LineText.NamesOf(marks)),
            ];
        }

        return labels;
    }

    private string ValueOf(ReadOnlySpan<byte> value) => LabelValue.Cut(Encoding.UTF8.GetString(value), valueBytesMax);

    private static int Keep(ReadOnlySpan<byte> value, byte[] place)
    {
        value.CopyTo(place);
        return value.Length;
    }
}
