using System.Text;

namespace Lm.Logs.Query;

/// <summary>A pattern of plain texts with gaps between them: <c>&lt;ip&gt; - &lt;_&gt; "&lt;method&gt; &lt;path&gt;"</c>.</summary>
/// <remarks>A gap reaches to where the text behind it first comes; the last one to the end. What stands before the first gap must begin the line.</remarks>
internal sealed class LinePattern
{
    private readonly byte[] opening;
    private readonly (string Name, byte[] Until)[] gaps;
    private readonly bool endsOpen; // the last gap has no text behind it

    private LinePattern(byte[] opening, (string Name, byte[] Until)[] gaps)
    {
        this.opening = opening;
        this.gaps = gaps;
        endsOpen = gaps.Length > 0 && gaps[^1].Until.Length == 0;
    }

    /// <summary>The gaps' names; <c>_</c> for those without.</summary>
    public IEnumerable<string> Names => gaps.Select(gap => gap.Name);

    /// <summary>Reads a pattern.</summary>
    /// <param name="text">The pattern.</param>
    /// <param name="isFilter">Whether it filters lines (all gaps are <c>&lt;_&gt;</c>), or makes labels (one has a name at least).</param>
    /// <param name="pattern">What it means; null when false.</param>
    /// <param name="fault">Then: what is wrong.</param>
    public static bool TryParse(string text, bool isFilter, out LinePattern? pattern, out string fault)
    {
        pattern = null;
        var gaps = new List<(string Name, byte[] Until)>();
        var literal = new StringBuilder();
        byte[] opening = [];
        string? open = null;
        for (var i = 0; i < text.Length;)
        {
            if (!TryReadGap(text, i, out var name))
            {
                literal.Append(text[i++]);
                continue;
            }

            i += name.Length + 2;
            var before = Encoding.UTF8.GetBytes(literal.ToString());
            literal.Clear();
            if (open is not null && before.Length == 0)
            {
                fault = $"<{open}><{name}>: two gaps need a text between them";
                return false;
            }

            if (open is null)
            {
                opening = before;
            }
            else
            {
                gaps.Add((open, before));
            }

            open = name;
        }

        var rest = Encoding.UTF8.GetBytes(literal.ToString());
        if (open is null)
        {
            opening = rest;
        }
        else
        {
            gaps.Add((open, rest));
        }

        var named = gaps.Select(gap => gap.Name).Where(name => name != "_").ToArray();
        fault = Judge(text, isFilter, named);
        pattern = fault.Length == 0 ? new LinePattern(opening, [.. gaps]) : null;
        return pattern is not null;
    }

    /// <summary>Whether a line is made so to its end; no gap is empty. What stands before the first gap may stand anywhere, as in Loki.</summary>
    public bool IsMatch(ReadOnlySpan<byte> line)
    {
        var start = line.IndexOf(opening);
        if (line.IsEmpty || start < 0)
        {
            return false;
        }

        line = line[(start + opening.Length)..];
        foreach (var (_, until) in gaps)
        {
            if (until.Length == 0)
            {
                return !line.IsEmpty;
            }

            var found = line.IndexOf(until);
            if (found <= 0)
            {
                return false;
            }

            line = line[(found + until.Length)..];
        }

        return line.IsEmpty;
    }

    /// <summary>Cuts a line up.</summary>
    /// <param name="line">The line.</param>
    /// <param name="into">Is called for each gap with a name, in order, and what stands there.</param>
    public void Cut(ReadOnlySpan<byte> line, CutHandler into)
    {
        if (!line.StartsWith(opening) || line.IsEmpty)
        {
            return;
        }

        line = line[opening.Length..];
        for (var i = 0; i < gaps.Length; i++)
        {
            var (name, until) = gaps[i];
            var end = endsOpen && i == gaps.Length - 1 ? -1 : line.IndexOf(until);
            if (name != "_")
            {
                into(name, end < 0 ? line : line[..end]);
            }

            if (end < 0)
            {
                return;
            }

            line = line[(end + until.Length)..];
        }
    }

    /// <summary>Takes what stands in a gap.</summary>
    public delegate void CutHandler(string name, ReadOnlySpan<byte> value);

    private static string Judge(string text, bool isFilter, string[] named)
    {
        if (text.Length == 0)
        {
            return "the pattern is empty";
        }

        if (isFilter)
        {
            return named.Length == 0 ? "" : $"<{named[0]}>: a pattern that filters has only gaps without a name, <_>";
        }

        var twice = named.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);
        return named.Length == 0 ? "at least one gap needs a name that becomes a label, as in \"<ip> - <_>\""
            : twice is not null ? $"<{twice.Key}> stands in the pattern twice; only once is allowed"
            : "";
    }

    // <name>; anything else in angle brackets is text.
    private static bool TryReadGap(string text, int at, out string name)
    {
        name = "";
        if (text[at] != '<')
        {
            return false;
        }

        var end = text.IndexOf('>', at);
        name = end < 0 ? "" : text[(at + 1)..end];
        return LabelNames.IsValid(name);
    }
}
