namespace Lm.Toml;

/// <summary>Finds the key that a mistyped one was probably meant to be.</summary>
internal static class NearestKey
{
    // With a third of its letters wrong it is still the same word; of a long one no more than three, of one or two letters none.
    private const int LettersPerError = 3;
    private const int ErrorsMax = 3;

    /// <summary>The nearest of the known keys, or null when none is near.</summary>
    public static string? Find(string unknown, IEnumerable<string> known)
    {
        string? nearest = null;
        var allowed = Math.Min(unknown.Length / LettersPerError, ErrorsMax);
        foreach (var candidate in known)
        {
            if (string.Equals(candidate, unknown, StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }

            // The difference in length is a lower bound of the distance: no work for keys that cannot be near, however long.
            if (Math.Abs(candidate.Length - unknown.Length) > allowed)
            {
                continue;
            }

            var distance = Distance(unknown, candidate);
            if (distance <= allowed)
            {
                nearest = candidate;
                allowed = distance - 1;
            }
        }

        return nearest;
    }

    /// <summary>The fewest letters to insert, drop, change or swap with their neighbour to get from one to the other.</summary>
    /// <remarks>Damerau-Levenshtein distance in its restricted form (optimal string alignment), by Wagner and Fischer's table in three rows.</remarks>
    internal static int Distance(string from, string to)
    {
        var beforeLast = new int[to.Length + 1];
        var last = new int[to.Length + 1];
        var row = new int[to.Length + 1];
        for (var i = 0; i < last.Length; i++)
        {
            last[i] = i;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var change = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(change, Math.Min(last[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }

            (beforeLast, last, row) = (last, row, beforeLast);
        }

        return last[to.Length];
    }
}
