namespace Lm.Tsdb;

/// <summary>Series and samples of a time range: the seam that queries read through.</summary>
/// <remarks>Safe for concurrent use. All times are milliseconds since 1970-01-01T00:00:00Z, and both ends of a range belong to it.</remarks>
public interface ISeriesReader
{
    /// <summary>Finds the series that match.</summary>
    /// <param name="matchers">The conditions; all must hold. Empty matches every series.</param>
    /// <param name="from">The earliest time asked for.</param>
    /// <param name="until">The latest time asked for.</param>
    /// <param name="cancellationToken">Ends a long search early.</param>
    /// <returns>What was found; to be disposed, since it keeps files open that retention would delete.</returns>
    /// <exception cref="System.Text.RegularExpressions.RegexMatchTimeoutException">An expression took too long for one value.</exception>
    ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken);

    /// <summary>The names of all labels that series matching in a range have; sorted by ordinal, each once.</summary>
    /// <param name="matchers">The conditions; empty matches every series.</param>
    /// <param name="from">The earliest time asked for.</param>
    /// <param name="until">The latest time asked for.</param>
    /// <param name="cancellationToken">Ends a long search early.</param>
    IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken);

    /// <summary>The values of a label among the series that match in a range; sorted by ordinal, each once, never empty.</summary>
    /// <param name="name">The label's name.</param>
    /// <param name="matchers">The conditions; empty matches every series.</param>
    /// <param name="from">The earliest time asked for.</param>
    /// <param name="until">The latest time asked for.</param>
    /// <param name="cancellationToken">Ends a long search early.</param>
    IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken);
}

/// <summary>The series that a search found: a consistent set, whose samples are read one series at a time.</summary>
/// <remarks>Not safe for concurrent use. A series may be listed without a sample in the range: the index knows ranges of chunks only.</remarks>
public interface ISeriesSelection : IDisposable
{
    /// <summary>How many series; each label set once, in no particular order.</summary>
    int Count { get; }

    /// <summary>A series' labels.</summary>
    /// <param name="index">Which one, from 0.</param>
    LabelSet Labels(int index);

    /// <summary>Appends a series' samples of a range within the one that was searched, ascending, at most one for each time, stale markers included.</summary>
    /// <param name="index">Which series, from 0.</param>
    /// <param name="from">The earliest time.</param>
    /// <param name="until">The latest time.</param>
    /// <param name="into">Where they go, behind what is there.</param>
    void Read(int index, long from, long until, SampleBuffer into);

    /// <summary>As <see cref="Read"/>, when only the newest sample of the range matters: older ones may be left out.</summary>
    /// <param name="index">Which series, from 0.</param>
    /// <param name="from">The earliest time.</param>
    /// <param name="until">The latest time.</param>
    /// <param name="into">Where it goes, behind what is there.</param>
    void ReadNewest(int index, long from, long until, SampleBuffer into) => Read(index, from, until, into);

    /// <summary>The same series in the same order, to be read by another thread meanwhile.</summary>
    /// <returns>What must be disposed of before this is; null where only one thread can read.</returns>
    ISeriesSelection? Another() => null;
}
