using System.Buffers;
using System.Text.RegularExpressions;

namespace Lm.Agent.Settings;

/// <summary>One <c>[[log_inputs]]</c>: files to follow, or the systemd journal.</summary>
/// <param name="Name">What the records' attribute <c>input</c> says.</param>
/// <param name="Path">An absolute path or pattern; empty for the journal.</param>
/// <param name="StartAtEnd">Whether what is there when the input is first seen is left out.</param>
internal sealed record LogInput(string Name, string Path, bool StartAtEnd)
{
    /// <summary>Whether it is the systemd journal.</summary>
    public bool IsJournal { get; init; }

    /// <summary>The journal's matches, as <c>journalctl</c> takes them: <c>_SYSTEMD_UNIT=nginx.service</c>.</summary>
    public IReadOnlyList<string> Matches { get; init; } = [];

    /// <summary>Lines that match one of them are left out, counted.</summary>
    public IReadOnlyList<LinePattern> Exclude { get; init; } = [];

    /// <summary>A line that matches begins a record, others go on with the one before; null: each line is a record.</summary>
    public LinePattern? MultilineStart { get; init; }

    /// <summary>How long a record of several lines waits for the next one. Default 1 s.</summary>
    public TimeSpan MultilineTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Whether time and severity are looked for in the line.</summary>
    public bool Recognises { get; init; } = true;

    /// <summary>Whether each record says where its line begins in the file.</summary>
    public bool HasOffsets { get; init; }

    /// <summary>Whether the same files are followed in the same way: then their offsets go on.</summary>
    public bool IsSameSource(LogInput other) => Name == other.Name && Path == other.Path && IsJournal == other.IsJournal;
}

/// <summary>A regular expression over a line; a plain text is sought as bytes.</summary>
internal sealed class LinePattern
{
    // Characters that mean something in a regular expression, but for the anchor at the start.
    private static readonly SearchValues<char> Special = SearchValues.Create(@"\^$.|?*+()[]{}");

    private readonly byte[]? literal;
    private readonly bool isAtStart;
    private readonly Regex? regex;

    private LinePattern(string text, byte[]? literal, bool isAtStart, Regex? regex) => (Text, this.literal, this.isAtStart, this.regex) = (text, literal, isAtStart, regex);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Reads one.</summary>
    /// <param name="text">A regular expression without back references and look-arounds: it takes a time that is proportional to the line's length.</param>
    /// <param name="fault">What is wrong with it, when the result is null.</param>
    public static LinePattern? TryParse(string text, out string fault)
    {
        fault = "";
        var isAtStart = text.StartsWith('^');
        var rest = isAtStart ? text[1..] : text;
        if (rest.Length > 0 && !rest.AsSpan().ContainsAny(Special))
        {
            return new LinePattern(text, System.Text.Encoding.UTF8.GetBytes(rest), isAtStart, null);
        }

        try
        {
            return new LinePattern(text, null, false, new Regex(text, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant));
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            fault = failure.Message;
            return null;
        }
    }

    /// <summary>Whether the line matches anywhere.</summary>
    /// <param name="line">UTF-8; what is not is taken as U+FFFD.</param>
    public bool IsMatch(ReadOnlySpan<byte> line)
    {
        if (literal is not null)
        {
            return isAtStart ? line.StartsWith(literal) : line.IndexOf(literal) >= 0;
        }

        var rented = ArrayPool<char>.Shared.Rent(line.Length);
        try
        {
            System.Text.Unicode.Utf8.ToUtf16(line, rented, out _, out var count, replaceInvalidSequences: true);
            return regex!.IsMatch(rented.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
        }
    }
}
