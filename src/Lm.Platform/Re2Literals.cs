using System.Text;

namespace Lm.Platform;

/// <summary>The plain texts that an expression's matches contain, as far as they are easily seen.</summary>
/// <remarks>Cautious: what is not understood is taken to match anything.</remarks>
internal sealed class Re2Literals
{
    private const int BranchesMax = 8;
    private static readonly Re2Literals Nothing = new([], [], isWhole: false);
    private readonly byte[][] required;
    private readonly byte[][] anyOf;

    private Re2Literals(byte[][] required, byte[][] anyOf, bool isWhole)
    {
        this.required = required;
        this.anyOf = anyOf;
        IsWhole = isWhole;
    }

    /// <summary>Texts that every match contains, each of them.</summary>
    public IReadOnlyList<byte[]> Required => required;

    /// <summary>Whether whatever <see cref="MayMatch"/> does match.</summary>
    public bool IsWhole { get; }

    /// <summary>Finds them.</summary>
    /// <param name="pattern">An expression that can be used.</param>
    public static Re2Literals Of(string pattern)
    {
        if (!Re2Escapes.TryExpand(pattern, out pattern, out _) || HasFlags(pattern))
        {
            return Nothing;
        }

        var branches = Branches(pattern);
        if (branches.Count == 1)
        {
            var (texts, isWhole) = Texts(pattern);
            return new Re2Literals([.. texts.Select(Encoding.UTF8.GetBytes)], [], isWhole && texts.Count <= 1);
        }

        if (branches.Count > BranchesMax)
        {
            return Nothing;
        }

        var anyOf = new List<byte[]>();
        var isAll = true;
        foreach (var branch in branches)
        {
            var (texts, isWhole) = Texts(branch);
            if (texts.Count == 0)
            {
                return Nothing;
            }

            isAll &= isWhole && texts.Count == 1;
            anyOf.Add(Encoding.UTF8.GetBytes(texts.MaxBy(text => text.Length)!));
        }

        return new Re2Literals([], [.. anyOf], isAll);
    }

    /// <summary>Whether a text has what a match needs.</summary>
    public bool MayMatch(ReadOnlySpan<byte> text)
    {
        foreach (var literal in required)
        {
            if (text.IndexOf(literal) < 0)
            {
                return false;
            }
        }

        foreach (var literal in anyOf)
        {
            if (text.IndexOf(literal) >= 0)
            {
                return true;
            }
        }

        return anyOf.Length == 0;
    }

    // (?i) and its kin change what a character means: (?: and (?P<name> alone do not.
    private static bool HasFlags(string pattern)
    {
        for (var at = pattern.IndexOf("(?", StringComparison.Ordinal); at >= 0; at = pattern.IndexOf("(?", at + 2, StringComparison.Ordinal))
        {
            var rest = pattern.AsSpan(at + 2);
            if (!rest.StartsWith(":") && !rest.StartsWith("P<") && !rest.StartsWith("<"))
            {
                return true;
            }
        }

        return false;
    }

    private static List<string> Branches(string pattern)
    {
        var branches = new List<string>();
        var start = 0;
        var depth = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '[':
                    i = Re2Syntax.EndOfClass(pattern, i);
                    break;
                case '(':
                    depth++;
                    break;
                case ')':
                    depth--;
                    break;
                case '|' when depth == 0:
                    branches.Add(pattern[start..i]);
                    start = i + 1;
                    break;
            }
        }

        branches.Add(pattern[start..]);
        return branches;
    }

    // The runs of plain characters of an expression without alternatives, and whether it is one such run and nothing else.
    private static (List<string> Texts, bool IsWhole) Texts(string pattern)
    {
        var texts = new List<string>();
        var run = new StringBuilder();
        var isWhole = true;
        for (var i = 0; i < pattern.Length;)
        {
            var (literal, length, inside) = Piece(pattern, i);
            i += length;
            var (isOptional, repeatLength) = Repeat(pattern, i);
            i += repeatLength;
            if (literal is { } character && !isOptional)
            {
                run.Append(character);
            }

            if (literal is not null && repeatLength == 0)
            {
                continue;
            }

            isWhole = false;
            End(texts, run);
            if (inside.Length > 0 && !isOptional && Branches(inside).Count == 1)
            {
                texts.AddRange(Texts(inside).Texts);
            }
        }

        End(texts, run);
        return (texts, isWhole);
    }

    private static void End(List<string> texts, StringBuilder run)
    {
        // A surrogate that was parted from its other half by a count is no text.
        var text = run.ToString();
        run.Clear();
        if (text.Length > 0 && !char.IsHighSurrogate(text[^1]) && !char.IsLowSurrogate(text[0]))
        {
            texts.Add(text);
        }
    }

    // What stands at a place: a plain character, or something else with its length; for a group what is in it.
    private static (char? Literal, int Length, string Inside) Piece(string pattern, int at)
    {
        switch (pattern[at])
        {
            case '\\':
                return Escape(pattern, at);
            case '[':
                return (null, Math.Min(pattern.Length, Re2Syntax.EndOfClass(pattern, at) + 1) - at, "");
            case '(':
                return Group(pattern, at);
            case '.' or '^' or '$':
                return (null, 1, "");
            default:
                return (pattern[at], 1, "");
        }
    }

    private static (char? Literal, int Length, string Inside) Escape(string pattern, int at)
    {
        if (at + 1 >= pattern.Length)
        {
            return (null, 1, "");
        }

        var c = pattern[at + 1];
        if (char.IsAscii(c) && !char.IsAsciiLetterOrDigit(c))
        {
            return (c, 2, "");
        }

        var control = "tnrf".IndexOf(c, StringComparison.Ordinal);
        if (control >= 0)
        {
            return ("\t\n\r\f"[control], 2, "");
        }

        // Longer ones, as \x{41}, \x41, \pL, \p{Greek}, \123: whatever may belong to it is passed over.
        var end = at + 2;
        if (end < pattern.Length && pattern[end] == '{' && c is 'x' or 'p' or 'P')
        {
            var close = pattern.IndexOf('}', end);
            return (null, (close < 0 ? pattern.Length : close + 1) - at, "");
        }

        var more = c switch { 'x' => 2, 'u' => 4, 'c' or 'p' or 'P' => 1, _ when char.IsAsciiDigit(c) => 2, _ => 0 };
        return (null, Math.Min(pattern.Length, end + more) - at, "");
    }

    private static (char? Literal, int Length, string Inside) Group(string pattern, int at)
    {
        var depth = 0;
        for (var i = at; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '[':
                    i = Re2Syntax.EndOfClass(pattern, i);
                    break;
                case '(':
                    depth++;
                    break;
                case ')' when --depth == 0:
                    var inside = pattern[(at + 1)..i];
                    if (inside.StartsWith('?'))
                    {
                        var open = inside.StartsWith("?:", StringComparison.Ordinal) ? 1 : inside.IndexOf('>', StringComparison.Ordinal);
                        inside = open < 0 ? "" : inside[(open + 1)..];
                    }

                    return (null, i + 1 - at, inside);
            }
        }

        return (null, pattern.Length - at, "");
    }

    private static (bool IsOptional, int Length) Repeat(string pattern, int at)
    {
        if (at >= pattern.Length)
        {
            return (false, 0);
        }

        var length = pattern[at] switch
        {
            '*' or '+' or '?' => 1,
            '{' when at + 1 < pattern.Length && char.IsAsciiDigit(pattern[at + 1]) => pattern.IndexOf('}', at) + 1 - at,
            _ => 0,
        };
        if (length <= 0)
        {
            return (false, 0);
        }

        // {0,3} and {00} are optional, {10} is not taken for it; a brace that is no count is, which is cautious enough.
        var isOptional = pattern[at] is '*' or '?' || (pattern[at] == '{' && pattern[at + 1] == '0');
        var isLazy = at + length < pattern.Length && pattern[at + length] == '?';
        return (isOptional, length + (isLazy ? 1 : 0));
    }
}
