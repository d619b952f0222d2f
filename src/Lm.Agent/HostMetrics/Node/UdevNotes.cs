using System.Text;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>What udev wrote down of a block device: lines <c>E:ID_MODEL=…</c> of its file <c>bMAJOR:MINOR</c>.</summary>
internal sealed class UdevNotes
{
    private static readonly UdevNotes None = new();

    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    /// <summary>A value; empty where there is none.</summary>
    /// <param name="key">Its name.</param>
    public string this[string key] => values.GetValueOrDefault(key, "");

    /// <summary>Reads a device's notes; none where udev does not run.</summary>
    public static UdevNotes Read(ProcFs udev, ulong major, ulong minor)
    {
        if (udev.ReadWhole(Encoding.ASCII.GetBytes($"b{major}:{minor}"), out var text) != 0)
        {
            return None;
        }

        var notes = new UdevNotes();
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            var equals = line.IndexOf((byte)'=');
            if (line.StartsWith("E:"u8) && equals > 2)
            {
                notes.values[Encoding.UTF8.GetString(line[2..equals])] = LabelText.From(line[(equals + 1)..], LabelText.LongValueBytesMax);
            }
        }

        return notes;
    }
}
