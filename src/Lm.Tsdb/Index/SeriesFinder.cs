namespace Lm.Tsdb.Index;

/// <summary>Which series of an index satisfy matchers, as Prometheus answers: a label that a series does not have counts as empty.</summary>
/// <remarks>Matchers that name their values come first. For the others there are two ways: from the label's values to their series, or
/// from the series that are left to their labels; the shorter one is taken.</remarks>
internal static class SeriesFinder
{
    // Looking at one series costs about as much as looking at this many values and taking in their lists.
    private const int ValuesOfOneSeries = 2;

    public static uint[] Find(IndexReader index, IReadOnlyList<LabelMatcher> matchers, CancellationToken cancellationToken)
    {
        uint[]? found = null;
        foreach (var matcher in matchers)
        {
            if (!matcher.MatchesEmpty && matcher.NamedValues is { } values)
            {
                found = Narrow(found, SeriesOf(index, matcher.Name, values));
                if (found.Length == 0)
                {
                    return [];
                }
            }
        }

        foreach (var matcher in matchers)
        {
            if (matcher.MatchesEmpty || matcher.NamedValues is null)
            {
                found = Apply(index, matcher, found, cancellationToken);
                if (found.Length == 0)
                {
                    return [];
                }
            }
        }

        return found ?? index.AllSeries();
    }

    private static uint[] Apply(IndexReader index, LabelMatcher matcher, uint[]? found, CancellationToken cancellationToken)
    {
        if (matcher.Kind == MatchKind.NotEqual && matcher.MatchesEmpty)
        {
            return Postings.Subtract(found ?? index.AllSeries(), index.SeriesOf(matcher.Name, matcher.Value));
        }

        if (found is not null && (long)found.Length * ValuesOfOneSeries < index.ValueCountOf(matcher.Name))
        {
            return LookAt(index, matcher, found, cancellationToken);
        }

        // A series without the label matches with the others: then those whose value does not match are taken away.
        var isInverse = matcher.MatchesEmpty;
        var series = SeriesOfValues(index, matcher, isInverse, cancellationToken);
        return isInverse ? Postings.Subtract(found ?? index.AllSeries(), series) : Narrow(found, series);
    }

    private static uint[] Narrow(uint[]? found, uint[] series) => found is null ? series : Postings.Intersect(found, series);

    private static uint[] SeriesOf(IndexReader index, string name, IReadOnlyCollection<string> values)
    {
        var lists = new List<uint[]>(values.Count);
        foreach (var value in values)
        {
            lists.Add(index.SeriesOf(name, value));
        }

        return Postings.Union(lists);
    }

    private static uint[] LookAt(IndexReader index, LabelMatcher matcher, uint[] found, CancellationToken cancellationToken)
    {
        var known = new Dictionary<string, bool>(StringComparer.Ordinal);
        return Array.FindAll(found, series =>
        {
            var value = index.LabelsOf(series).ValueOf(matcher.Name);
            if (!known.TryGetValue(value, out var isMatch))
            {
                cancellationToken.ThrowIfCancellationRequested();
                isMatch = matcher.Matches(value);
                known.Add(value, isMatch);
            }

            return isMatch;
        });
    }

    private static uint[] SeriesOfValues(IndexReader index, LabelMatcher matcher, bool isInverse, CancellationToken cancellationToken)
    {
        var lists = new List<uint[]>();
        var prefix = isInverse ? "" : matcher.ValuePrefix;
        var prefixBytes = Utf8Order.Encoding.GetBytes(prefix);
        for (var values = index.ValuesOf(matcher.Name, prefix); values.MoveNext() && values.Value.StartsWith(prefixBytes);)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (matcher.Matches(index.Text(values.Value)) != isInverse)
            {
                lists.Add(index.Postings(values.PostingsAt));
            }
        }

        return Postings.Union(lists);
    }
}
