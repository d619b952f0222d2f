using Lm.Agent.LogTail;

namespace Lm.Agent.Settings;

/// <summary>One <c>[[watch]]</c>: a directory whose changes are told as events.</summary>
/// <param name="Name">What the events' attribute <c>watch</c> says; the path where none is given.</param>
/// <param name="Path">An absolute path without a slash at its end.</param>
internal sealed record WatchSettings(string Name, string Path)
{
    /// <summary>Whether directories within are watched, too. Default true.</summary>
    public bool IsRecursive { get; init; } = true;

    /// <summary>What is told. Default all.</summary>
    public FileChangeKinds Kinds { get; init; } = FileChangeKinds.All;

    /// <summary>What is told of; empty: everything.</summary>
    public IReadOnlyList<PathPattern> Include { get; init; } = [];

    /// <summary>What is not told of; directories that match are not looked into.</summary>
    public IReadOnlyList<PathPattern> Exclude { get; init; } = [];

    /// <summary>Events told one by one in a minute; the rest is told as a number. Default 600.</summary>
    public int EventsPerMinuteMax { get; init; } = 600;

    /// <summary>Whether nothing differs.</summary>
    public bool IsSame(WatchSettings other) =>
        this with { Include = [], Exclude = [] } == other with { Include = [], Exclude = [] } && HasSame(Include, other.Include) && HasSame(Exclude, other.Exclude);

    private static bool HasSame(IReadOnlyList<PathPattern> some, IReadOnlyList<PathPattern> others) =>
        some.Select(pattern => pattern.Text).SequenceEqual(others.Select(pattern => pattern.Text));
}

/// <summary>What can happen to a file or directory.</summary>
[Flags]
internal enum FileChangeKinds
{
    None = 0,
    Created = 1,
    Modified = 2,
    Deleted = 4,
    Moved = 8,
    Attributes = 16,
    All = Created | Modified | Deleted | Moved | Attributes,
}

/// <summary>A pattern over paths within a watched directory: one without a slash is about names wherever they are, one with a slash about the whole path
/// from the watched directory on, in which <c>**</c> stands for any number of directories.</summary>
internal sealed class PathPattern(string text)
{
    private readonly string[] parts = text.Split('/', StringSplitOptions.RemoveEmptyEntries);
    private readonly bool isPath = text.Contains('/', StringComparison.Ordinal);

    /// <summary>As it was written.</summary>
    public string Text => text;

    /// <summary>Whether it matches.</summary>
    /// <param name="path">From the watched directory on, without a slash at its start.</param>
    public bool IsMatch(string path)
    {
        var names = path.Split('/');
        return isPath ? IsMatch(parts, names) : GlobPattern.IsMatchOfAny(text, names[^1]);
    }

    // Patterns are short and have few "**": the bound on their length bounds the work.
    private static bool IsMatch(ReadOnlySpan<string> pattern, ReadOnlySpan<string> names)
    {
        if (pattern.IsEmpty)
        {
            return names.IsEmpty;
        }

        if (pattern[0] != "**")
        {
            return !names.IsEmpty && GlobPattern.IsMatchOfAny(pattern[0], names[0]) && IsMatch(pattern[1..], names[1..]);
        }

        for (var i = 0; i <= names.Length; i++)
        {
            if (IsMatch(pattern[1..], names[i..]))
            {
                return true;
            }
        }

        return false;
    }
}
