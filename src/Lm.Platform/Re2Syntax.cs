using System.Text.RegularExpressions;

namespace Lm.Platform;

/// <summary>RE2's dialect of regular expressions on .NET's engine that never goes back.</summary>
/// <remarks>.NET's dialect differs where it would answer otherwise without a word: those forms are translated (<see cref="Re2Translation"/>); the rest is
/// equal or refused. Source: https://github.com/google/re2/wiki/Syntax.</remarks>
internal static class Re2Syntax
{
    /// <summary>Longest expression, characters. Grafana's lists of hosts stay below.</summary>
    public const int LengthMax = 8192;

    // The automaton's states grow with the product of nested counts: (.{1,1000}){1,1000} would take minutes and gigabytes. RE2 stops at 1000, too.
    private const int RepeatProductMax = 1000;

    /// <summary>What is said of an expression that is longer than <see cref="LengthMax"/>.</summary>
    public static string TooLong(string pattern) => $"regular expression has {pattern.Length} characters, at most {LengthMax} are allowed";

    /// <summary>Builds the automaton.</summary>
    /// <param name="pattern">The expression.</param>
    /// <param name="opening">What stands before it, in .NET's dialect.</param>
    /// <param name="closing">What stands behind it.</param>
    /// <param name="groupNames">Takes the groups' names by number, from 1; empty for those without.</param>
    /// <param name="automaton">The automaton; null when false.</param>
    /// <param name="fault">Then: what is wrong.</param>
    public static bool TryBuild(string pattern, string opening, string closing, List<string> groupNames, out Re2Automaton? automaton, out string fault)
    {
        automaton = null;
        if (!Re2Escapes.TryExpand(pattern, out pattern, out fault))
        {
            return false;
        }

        fault = Re2Faults.Find(pattern, isAnchored: opening.Length > 0);
        if (fault.Length > 0)
        {
            return false;
        }

        if (!HasModestRepeats(pattern))
        {
            fault = $"regular expression repeats too much: nested counts may multiply to {RepeatProductMax} at most";
            return false;
        }

        try
        {
            var translation = new Re2Translation(pattern, opening, closing);
            var basic = translation.Of(groupNames, knowsPairs: false);
            var paired = translation.Of([], knowsPairs: true);
            automaton = new Re2Automaton(Build(basic), paired == basic ? null : () => TryBuild(paired));
            return true;
        }
        catch (RegexParseException exception)
        {
            fault = Re2Faults.Describe(exception, pattern);
        }
        catch (NotSupportedException)
        {
            fault = "regular expression needs back-references, look-around or more states than are allowed";
        }

        return false;
    }

    private static Regex Build(string translated) =>
        new(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    // Larger than the one that could be built: it may be too large.
    private static Regex? TryBuild(string translated)
    {
        try
        {
            return Build(translated);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    // An upper bound: every count multiplies with those of the groups around it, which is more than the true nesting gives when groups follow
    // each other at one level; those are summed.
    private static bool HasModestRepeats(string pattern)
    {
        var open = new Stack<long>();
        long sum = 0;
        long last = 1;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    sum += last = 1;
                    break;
                case '[':
                    i = EndOfClass(pattern, i);
                    sum += last = 1;
                    break;
                case '(':
                    open.Push(sum);
                    sum = 0;
                    break;
                case ')':
                    last = Math.Max(1, sum);
                    sum = last + (open.Count > 0 ? open.Pop() : 0);
                    break;
                case '{' when ReadCount(pattern, ref i, out var count):
                    sum += last * (count - 1);
                    last *= count;
                    if (count > RepeatProductMax || last > RepeatProductMax * 10L)
                    {
                        return false;
                    }

                    break;
                default:
                    sum += last = 1;
                    break;
            }
        }

        return sum <= RepeatProductMax * 10L;
    }

    private static bool ReadCount(string pattern, ref int at, out long count)
    {
        count = 0;
        var end = pattern.IndexOf('}', at);
        if (end < 0)
        {
            return false;
        }

        var found = false;
        foreach (var part in pattern[(at + 1)..end].Split(','))
        {
            if (part.Length > 0 && !part.All(char.IsAsciiDigit))
            {
                return false;
            }

            found |= part.Length > 0;
            count = Math.Max(count, part.Length == 0 ? 0 : part.Length > 6 ? int.MaxValue : long.Parse(part, System.Globalization.CultureInfo.InvariantCulture));
        }

        at = found ? end : at;
        count = Math.Max(1, count);
        return found;
    }

    /// <summary>Where a class that begins at a place ends: at its bracket, or behind the text.</summary>
    public static int EndOfClass(string pattern, int start)
    {
        var i = start + 1;
        i += i < pattern.Length && pattern[i] == '^' ? 1 : 0;
        i += i < pattern.Length && pattern[i] == ']' ? 1 : 0; // a bracket that comes first is a character
        for (; i < pattern.Length && pattern[i] != ']'; i++)
        {
            if (pattern[i] == '\\')
            {
                i++;
            }
            else if (pattern[i] == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':')
            {
                var end = pattern.IndexOf(":]", i + 2, StringComparison.Ordinal);
                i = end < 0 ? i : end + 1;
            }
        }

        return i;
    }
}
