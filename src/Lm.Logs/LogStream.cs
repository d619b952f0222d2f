using System.Diagnostics.CodeAnalysis;

namespace Lm.Logs;

/// <summary>Where lines come from: the labels that select them. Streams are equal when their labels are.</summary>
/// <remarks>Labels are <c>instance</c> (the agent), <c>input</c>, <c>severity</c> (both only where known) and those of the agent's <c>[labels]</c>. A label of
/// an agent that has a name of <see cref="ReservedNames"/> is renamed with the prefix <c>exported_</c>, repeated until free, as for series (V22).</remarks>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "A log stream is the field's term.")]
public sealed class LogStream : IEquatable<LogStream>
{
    /// <summary>The label that names the agent.</summary>
    public const string InstanceLabel = "instance";

    /// <summary>The label that names the agent's input.</summary>
    public const string InputLabel = "input";

    /// <summary>The label that has the severity's name.</summary>
    public const string SeverityLabel = "severity";

    // What a runtime of 64 bits takes: two references and two texts' heads for a label; this object, its array and an entry in a table for a stream.
    private const int LabelBytes = 64;
    private const int OwnBytes = 160;

    private readonly LogField[] labels;
    private readonly int hash;

    /// <summary>Takes the labels as they are.</summary>
    /// <param name="labels">In any order; each name once; no value empty; no name of an agent's label among <see cref="ReservedNames"/>.</param>
    public LogStream(IEnumerable<LogField> labels)
    {
        this.labels = [.. labels.OrderBy(label => label.Name, StringComparer.Ordinal)];
        var code = new HashCode();
        foreach (var label in this.labels)
        {
            code.Add(label.Name, StringComparer.Ordinal);
            code.Add(label.Value, StringComparer.Ordinal);
            MemoryBytes += LabelBytes + (sizeof(char) * (long)(label.Name.Length + label.Value.Length));
        }

        MemoryBytes += OwnBytes;

        hash = code.ToHashCode();
    }

    /// <summary>Names that stored lines use for themselves.</summary>
    public static IReadOnlyList<string> ReservedNames { get; } =
        ["ts", InstanceLabel, InputLabel, SeverityLabel, "body", "attrs", "queue_id", "seq", "index"];

    /// <summary>All labels, sorted by name in ordinal order.</summary>
    public IReadOnlyList<LogField> Labels => labels;

    /// <summary>The agent.</summary>
    public string Instance => this[InstanceLabel];

    /// <summary>Bytes in memory, about.</summary>
    public long MemoryBytes { get; }

    /// <summary>A label's value; empty when the stream does not have it.</summary>
    public string this[string name]
    {
        get
        {
            foreach (var label in labels)
            {
                if (string.Equals(label.Name, name, StringComparison.Ordinal))
                {
                    return label.Value;
                }
            }

            return "";
        }
    }

    /// <inheritdoc/>
    public bool Equals(LogStream? other) => other is not null && hash == other.hash && labels.AsSpan().SequenceEqual(other.labels);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LogStream);

    /// <inheritdoc/>
    public override int GetHashCode() => hash;
}
