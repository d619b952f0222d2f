namespace Lm.Agent.LogTail;

/// <summary>A path with <c>*</c>, <c>?</c> and <c>[…]</c>, as glob(7) has them; a star does not cross a slash, and a dot at a name's start is met by a dot alone.</summary>
internal sealed class GlobPattern
{
    private readonly string fixedDirectory;
    private readonly string[] parts; // what follows the last directory that has no wildcard before it

    public GlobPattern(string path)
    {
        var all = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var first = Array.FindIndex(all, HasWildcard);
        var fixedCount = first < 0 ? Math.Max(0, all.Length - 1) : first;
        fixedDirectory = "/" + string.Join('/', all[..fixedCount]);
        parts = all[fixedCount..];
        IsPattern = first >= 0;
    }

    /// <summary>Whether it can name more than one file.</summary>
    public bool IsPattern { get; }

    /// <summary>The paths that are there now and match, and the directories whose entries decide that.</summary>
    /// <param name="countMax">More matches than these are left out.</param>
    /// <param name="directories">Gets the directories, those that are not there yet included.</param>
    public List<string> Expand(int countMax, ISet<string> directories)
    {
        var found = new List<string>();
        Expand(fixedDirectory, 0, found, countMax, directories);
        found.Sort(StringComparer.Ordinal);
        return found;
    }

    /// <summary>Whether a path is one that this names, be there a file or not.</summary>
    /// <param name="path">The path; slashes that follow each other count as one.</param>
    public bool Names(string path)
    {
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var fixedNames = fixedDirectory.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return names.Length == fixedNames.Length + parts.Length
            && names.AsSpan(0, fixedNames.Length).SequenceEqual(fixedNames)
            && names.Skip(fixedNames.Length).Zip(parts).All(pair => HasWildcard(pair.Second) ? IsMatch(pair.Second, pair.First) : pair.Second == pair.First);
    }

    /// <summary>Whether a name matches one part of a path.</summary>
    public static bool IsMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        return (!name.StartsWith('.') || pattern.StartsWith('.')) && IsMatchOfAny(pattern, name);
    }

    /// <summary>As <see cref="IsMatch"/>, but a dot at a name's start is a character like any other.</summary>
    public static bool IsMatchOfAny(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        // Where to go on after a mismatch: behind the last star, one character further in the name each time.
        var (at, starAt, nameAt) = (0, -1, 0);
        var i = 0;
        while (i < name.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                (starAt, nameAt) = (++at, i);
            }
            else if (at < pattern.Length && MatchesOne(pattern, ref at, name[i]))
            {
                i++;
            }
            else if (starAt >= 0)
            {
                (at, i) = (starAt, ++nameAt);
            }
            else
            {
                return false;
            }
        }

        while (at < pattern.Length && pattern[at] == '*')
        {
            at++;
        }

        return at == pattern.Length;
    }

    private void Expand(string directory, int part, List<string> found, int countMax, ISet<string> directories)
    {
        directories.Add(directory);
        var (pattern, isLast) = (parts[part], part == parts.Length - 1);
        foreach (var name in HasWildcard(pattern) ? NamesIn(directory, isLast) : [pattern])
        {
            if (found.Count >= countMax)
            {
                return;
            }

            if (HasWildcard(pattern) && !IsMatch(pattern, name))
            {
                continue;
            }

            var path = directory == "/" ? "/" + name : $"{directory}/{name}";
            if (!isLast)
            {
                Expand(path, part + 1, found, countMax, directories);
            }
            else if (File.Exists(path))
            {
                found.Add(path);
            }
        }
    }

    private static IEnumerable<string> NamesIn(string directory, bool wantsFiles)
    {
        try
        {
            var entries = wantsFiles ? Directory.EnumerateFiles(directory) : Directory.EnumerateDirectories(directory);
            return [.. entries.Select(path => Path.GetFileName(path))];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return []; // not there, or not for us: the next look may find it
        }
    }

    /// <summary>Compares one character; moves <paramref name="at"/> behind what it was compared with when they match.</summary>
    private static bool MatchesOne(ReadOnlySpan<char> pattern, ref int at, char character)
    {
        var close = pattern[at] == '[' ? pattern[(at + 1)..].IndexOf(']') : -1;
        if (close < 0)
        {
            // A bracket that is never closed is a character like any other.
            var matches = pattern[at] == '?' || pattern[at] == character;
            at += matches ? 1 : 0;
            return matches;
        }

        var set = pattern.Slice(at + 1, close);
        if (close == 0 && pattern[(at + 2)..].IndexOf(']') is >= 0 and var later)
        {
            set = pattern.Slice(at + 1, later + 1); // a bracket that comes first stands for itself
        }

        var isNegated = set.Length > 1 && set[0] is '!' or '^';
        if (IsIn(isNegated ? set[1..] : set, character) == isNegated)
        {
            return false;
        }

        at += set.Length + 2;
        return true;
    }

    private static bool IsIn(ReadOnlySpan<char> set, char character)
    {
        for (var i = 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                if (character >= set[i] && character <= set[i + 2])
                {
                    return true;
                }

                i += 2;
            }
            else if (set[i] == character)
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasWildcard(string part) => part.AsSpan().IndexOfAny('*', '?', '[') >= 0;
}
