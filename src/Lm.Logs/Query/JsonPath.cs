using System.Globalization;

namespace Lm.Logs.Query;

/// <summary>A place in a JSON document: <c>a.b[0]["c d"]</c>.</summary>
/// <param name="Steps">The way: a member's name, or an index.</param>
internal sealed record JsonPath(IReadOnlyList<JsonPathStep> Steps)
{
    private const int StepsMax = 64;

    /// <summary>Reads one.</summary>
    public static bool TryParse(string text, out JsonPath? path)
    {
        path = null;
        var steps = new List<JsonPathStep>();
        for (var i = 0; i < text.Length;)
        {
            if (steps.Count == StepsMax || !(text[i] == '[' ? TryBracket(text, ref i, steps) : TryMember(text, ref i, steps)))
            {
                return false;
            }
        }

        path = steps.Count > 0 ? new JsonPath(steps) : null;
        return path is not null;
    }

    private static bool TryMember(string text, ref int at, List<JsonPathStep> steps)
    {
        at += text[at] == '.' && steps.Count > 0 ? 1 : 0;
        var end = at;
        while (end < text.Length && text[end] is not ('.' or '[' or ']' or '"'))
        {
            end++;
        }

        steps.Add(new JsonPathStep(text[at..end], -1));
        var found = end > at;
        at = end;
        return found;
    }

    private static bool TryBracket(string text, ref int at, List<JsonPathStep> steps)
    {
        var isQuoted = at + 1 < text.Length && text[at + 1] == '"';
        var end = isQuoted ? EndOfQuoted(text, at + 1) : text.IndexOf(']', at);
        if (end < 0 || end >= text.Length || text[end] != ']')
        {
            return false;
        }

        var inside = text[(at + 1)..end];
        at = end + 1;
        if (isQuoted)
        {
            var isGood = QuotedString.TryUnquote(inside, out var name, out _);
            steps.Add(new JsonPathStep(name, -1));
            return isGood;
        }

        var isIndex = int.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var index);
        steps.Add(new JsonPathStep("", index));
        return isIndex;
    }

    // The place behind the closing quote.
    private static int EndOfQuoted(string text, int at)
    {
        for (var i = at + 1; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                return i + 1;
            }
        }

        return -1;
    }
}

/// <summary>One step of a path.</summary>
/// <param name="Name">The member; empty for an index.</param>
/// <param name="Index">The index; -1 for a member.</param>
internal readonly record struct JsonPathStep(string Name, int Index);
