using Lm.Logs;
using Lm.Logs.Query;

namespace Lm.Collector.Query;

/// <summary>Finds out what fields lines have: attributes, what a query found in them, and what <c>json</c> or <c>logfmt</c> would find.</summary>
internal sealed class FieldDetector
{
    private const string Error = "__error__";
    private const string ErrorDetails = "__error_details__";
    private const int ValueOverheadBytes = 80;

    private readonly Dictionary<string, DetectedField> fields = new(StringComparer.Ordinal);
    private readonly LogLineFilter json = ParserOf("json");
    private readonly LogLineFilter logfmt = ParserOf("logfmt");

    /// <summary>What was found, the most frequent first.</summary>
    public IEnumerable<DetectedField> Fields => fields.Values.OrderByDescending(static found => found.Lines).ThenBy(static found => found.Name, StringComparer.Ordinal);

    /// <summary>Bytes in memory, about.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Looks at a line.</summary>
    public void Add(LogEntry entry)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal); // a field of the line counts once
        if (entry.Level.Length > 0)
        {
            Add(entry.LevelLabel, null, seen);
        }

        foreach (var attribute in entry.Attributes)
        {
            Add(attribute, null, seen);
        }

        var (parsed, parser) = Parse(entry);
        foreach (var label in parsed)
        {
            Add(label, parser, seen);
        }

        foreach (var label in entry.Parsed)
        {
            Add(label, null, seen);
        }
    }

    private (IReadOnlyList<LogField> Fields, string Parser) Parse(LogEntry entry)
    {
        var line = new LogLine(entry.Time, entry.Stream, entry.Body.Span, [], entry.Position.Identity);
        if (entry.Body.Span.TrimStart(" \t"u8).StartsWith("{"u8))
        {
            return json.TryTake(line, out var found) && !HasError(found!) ? (found!.Parsed, "json") : ([], "");
        }

        // Any word could be a key without a value: only what has at least one pair is taken for logfmt.
        return entry.Body.Span.Contains((byte)'=') && logfmt.TryTake(line, out var pairs) && !HasError(pairs!) ? (pairs!.Parsed, "logfmt") : ([], "");
    }

    private void Add(LogField label, string? parser, HashSet<string> seen)
    {
        if (label.Name is Error or ErrorDetails || !seen.Add(label.Name))
        {
            return;
        }

        if (!fields.TryGetValue(label.Name, out var field))
        {
            fields[label.Name] = field = new DetectedField(label.Name, parser);
        }

        HeldBytes += field.Add(label.Value) ? ValueOverheadBytes + (sizeof(char) * (long)label.Value.Length) : 0;
    }

    private static bool HasError(LogEntry entry) => entry.Parsed.Any(static label => label.Name == Error);

    private static LogLineFilter ParserOf(string stage) =>
        LogQuery.TryParse($"{LogAsk.AllLines} | {stage}", out var query, out var fault) ? query!.CreateFilter() : throw new ArgumentException(fault.ToString(), nameof(stage));
}

/// <summary>A field of lines.</summary>
/// <param name="name">Its name.</param>
/// <param name="parser">The stage that finds it; null for what the line has beside its text.</param>
internal sealed class DetectedField(string name, string? parser)
{
    private readonly HashSet<string> values = new(StringComparer.Ordinal);
    private FieldType? type;

    public string Name => name;

    public string? Parser => parser;

    /// <summary>How many lines have it.</summary>
    public int Lines { get; private set; }

    /// <summary>Its values, each once.</summary>
    public IReadOnlyCollection<string> Values => values;

    /// <summary>What all its values are, in Loki's words.</summary>
    public string Type => type switch
    {
        FieldType.Whole => "int",
        FieldType.Number => "float",
        FieldType.Truth => "boolean",
        FieldType.Duration => "duration",
        FieldType.Bytes => "bytes",
        _ => "string",
    };

    /// <summary>Takes a value.</summary>
    /// <returns>Whether it is a new one.</returns>
    public bool Add(string value)
    {
        Lines++;
        if (!values.Add(value))
        {
            return false;
        }

        var of = FieldTypes.Of(value);
        type = type is not { } before || before == of ? of
            : before is FieldType.Whole or FieldType.Number && of is FieldType.Whole or FieldType.Number ? FieldType.Number
            : FieldType.Text;
        return true;
    }
}
