namespace Lm.Tsdb.Head;

/// <summary>Reads a series from windows that overlap: one that is on its way to a block and the one that took its place, or windows of different widths.
/// The one made first has precedence, since its samples were committed first (V20).</summary>
internal sealed class WindowMerge
{
    private readonly SampleMerge merge = new();

    /// <summary>Where the windows end that overlap, directly or by others between them.</summary>
    public static int EndOfGroup(ReadOnlySpan<HeadWindow> windows, int first)
    {
        var end = windows[first].End;
        var next = first + 1;
        for (; next < windows.Length && windows[next].Start < end; next++)
        {
            end = Math.Max(end, windows[next].End);
        }

        return next;
    }

    /// <summary>Appends the samples of a range, ascending, each time once.</summary>
    public void Read(Head head, SeriesView view, ReadOnlySpan<HeadWindow> group, int series, long from, long until, SampleBuffer into)
    {
        var byNumber = group.ToArray();
        Array.Sort(byNumber, static (left, right) => left.Identity.Number.CompareTo(right.Identity.Number));
        var first = into.Count;
        foreach (var window in byNumber)
        {
            if (window.Overlaps(from, until))
            {
                var second = into.Count;
                head.CopyTo(view, window, series, from, until);
                view.Read(from, until, into);
                merge.Merge(into, first, second);
            }
        }
    }
}
