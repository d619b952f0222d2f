namespace Lm.Tsdb.Index;

/// <summary>Which series of a head match: lists of series by label, united, intersected and subtracted.</summary>
/// <remarks>The gate is held to take lists, never to compare values or to combine lists. A condition that holds for series without the label excludes the series
/// whose values do not match; any other includes those whose values match.</remarks>
internal static class SeriesSearch
{
    // Lists taken under one hold of the gate.
    private const int Slice = 1024;

    /// <summary>The series that match, ascending.</summary>
    /// <param name="table">The series.</param>
    /// <param name="gate">The head's gate.</param>
    /// <param name="matchers">The conditions; empty matches every series.</param>
    /// <param name="cancellationToken">Ends a long search early.</param>
    public static int[] Find(SeriesTable table, Lock gate, IReadOnlyList<LabelMatcher> matchers, CancellationToken cancellationToken)
    {
        var includes = new List<int[]>();
        var excludes = new List<int[]>();
        foreach (var matcher in matchers)
        {
            var lists = Lists(table, gate, matcher, matcher.MatchesEmpty, cancellationToken);
            if (!matcher.MatchesEmpty)
            {
                if (lists.Count == 0)
                {
                    return [];
                }

                includes.Add(SeriesIds.Unite(lists));
            }
            else if (lists.Count > 0)
            {
                excludes.Add(SeriesIds.Unite(lists));
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        return Combine(table, gate, includes, excludes);
    }

    private static int[] Combine(SeriesTable table, Lock gate, List<int[]> includes, List<int[]> excludes)
    {
        int[] found;
        if (includes.Count == 0)
        {
            SeriesIds.Snapshot all;
            lock (gate)
            {
                all = table.All();
            }

            found = all.Ascending().ToArray();
        }
        else
        {
            includes.Sort(static (left, right) => left.Length.CompareTo(right.Length));
            found = includes[0];
            for (var i = 1; i < includes.Count; i++)
            {
                found = SeriesIds.Intersect(found, includes[i]);
            }
        }

        foreach (var excluded in excludes)
        {
            found = SeriesIds.Subtract(found, excluded);
        }

        return found;
    }

    private static List<SeriesIds.Snapshot> Lists(SeriesTable table, Lock gate, LabelMatcher matcher, bool isExcluding, CancellationToken cancellationToken)
    {
        // The very values whose lists are wanted, where the condition names them.
        IReadOnlyCollection<string>? named = isExcluding ? (matcher.Kind == MatchKind.NotEqual ? [matcher.Value] : null) : matcher.NamedValues;
        return named is not null
            ? ListsOf(table, gate, matcher.Name, named)
            : ListsWhere(table, gate, matcher, matches: !isExcluding, cancellationToken);
    }

    private static List<SeriesIds.Snapshot> ListsOf(SeriesTable table, Lock gate, string name, IReadOnlyCollection<string> values)
    {
        var lists = new List<SeriesIds.Snapshot>(values.Count);
        lock (gate)
        {
            foreach (var value in values)
            {
                if (table.Labels.Find(name, value) is >= 0 and var label)
                {
                    Add(table, label, lists);
                }
            }
        }

        return lists;
    }

    private static List<SeriesIds.Snapshot> ListsWhere(SeriesTable table, Lock gate, LabelMatcher matcher, bool matches, CancellationToken cancellationToken)
    {
        SeriesIds.Snapshot labels;
        lock (gate)
        {
            labels = table.Labels.LabelsOf(matcher.Name);
        }

        var lists = new List<SeriesIds.Snapshot>();
        var wanted = new List<int>();
        foreach (var label in labels.Unordered())
        {
            // Each time: an expression can take milliseconds for one value.
            cancellationToken.ThrowIfCancellationRequested();
            if (matcher.Matches(table.Labels[label].Value) == matches)
            {
                wanted.Add(label);
            }

            if (wanted.Count == Slice)
            {
                Take(table, gate, wanted, lists);
            }
        }

        Take(table, gate, wanted, lists);
        return lists;
    }

    private static void Take(SeriesTable table, Lock gate, List<int> wanted, List<SeriesIds.Snapshot> lists)
    {
        lock (gate)
        {
            foreach (var label in wanted)
            {
                Add(table, label, lists);
            }
        }

        wanted.Clear();
    }

    private static void Add(SeriesTable table, int label, List<SeriesIds.Snapshot> lists)
    {
        var list = table.Labels.SeriesOf(label);
        if (list.Count > 0)
        {
            lists.Add(list);
        }
    }
}
