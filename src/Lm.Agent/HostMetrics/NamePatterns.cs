using Lm.Agent.LogTail;

namespace Lm.Agent.HostMetrics;

/// <summary>Which names have series: those that match an include pattern, where there are any, and no exclude pattern.</summary>
/// <param name="Include">Patterns of names that have series; empty: all.</param>
/// <param name="Exclude">Patterns of names that have none.</param>
/// <remarks><c>*</c> stands for any characters, a slash included, <c>?</c> for one, <c>[…]</c> for one of several.</remarks>
internal sealed record NamePatterns(IReadOnlyList<string> Include, IReadOnlyList<string> Exclude)
{
    /// <summary>Every name.</summary>
    public static NamePatterns All { get; } = new([], []);

    /// <summary>Whether a name has series.</summary>
    public bool Allows(string name) => (Include.Count == 0 || IsMatch(Include, name)) && !IsMatch(Exclude, name);

    /// <inheritdoc/>
    public bool Equals(NamePatterns? other) => other is not null && Include.SequenceEqual(other.Include) && Exclude.SequenceEqual(other.Exclude);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Include.Count, Exclude.Count);

    private static bool IsMatch(IReadOnlyList<string> patterns, string name)
    {
        foreach (var pattern in patterns)
        {
            if (GlobPattern.IsMatchOfAny(pattern, name))
            {
                return true;
            }
        }

        return false;
    }
}
