namespace Lm.Tsdb.Head;

/// <summary>Series found in a head. It pins the windows that it was made over: what becomes a block meanwhile can be read on.</summary>
/// <param name="head">Whose.</param>
/// <param name="windows">The windows, by start.</param>
/// <param name="epoch">The reader's epoch, that the first of several selections of the same series leaves.</param>
/// <param name="original">That one; null when this is it.</param>
internal sealed class HeadSelection(Head head, HeadWindow[] windows, long epoch, HeadSelection? original = null) : ISeriesSelection
{
    private readonly SeriesView view = new();
    private readonly HeadWindow? newest = NewestOf(windows);
    private WindowMerge? merge; // windows seldom overlap
    private long unreadable; // by others of the same series
    private bool isDisposed;

    /// <summary>The windows, by start.</summary>
    public HeadWindow[] Windows => windows;

    /// <summary>The series, ascending.</summary>
    public int[] Series { get; set; } = [];

    /// <inheritdoc/>
    public int Count => Series.Length;

    /// <inheritdoc/>
    public LabelSet Labels(int index) => head.LabelsForReader(Series[index]);

    /// <inheritdoc/>
    public void Read(int index, long from, long until, SampleBuffer into)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        var series = Series[index];
        for (var first = 0; first < windows.Length;)
        {
            var next = WindowMerge.EndOfGroup(windows, first);
            if (windows[first].Start > until)
            {
                break;
            }

            if (next - first > 1)
            {
                merge ??= new WindowMerge();
                merge.Read(head, view, windows.AsSpan(first, next - first), series, from, until, into);
            }
            else if (windows[first].Overlaps(from, until))
            {
                head.CopyTo(view, windows[first], series, from, until);
                view.Read(from, until, into);
            }

            first = next;
        }
    }

    /// <inheritdoc/>
    /// <remarks>A series' newest sample lies open: nothing is decoded for it. Late samples are older.</remarks>
    public void ReadNewest(int index, long from, long until, SampleBuffer into)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (newest is not null && head.TryNewest(newest, Series[index], out var time, out var value) && time >= from && time <= until)
        {
            into.Add(time, value);
            return;
        }

        Read(index, from, until, into);
    }

    /// <inheritdoc/>
    public ISeriesSelection Another() => new HeadSelection(head, windows, epoch, original ?? this) { Series = Series };

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isDisposed)
        {
            return;
        }

        isDisposed = true;
        if (original is not null)
        {
            Interlocked.Add(ref original.unreadable, view.Unreadable);
        }
        else
        {
            head.Leave(epoch, windows, view.Unreadable + Interlocked.Read(ref unreadable));
        }
    }

    // The window that has the newest samples of all; null when another one reaches into its time.
    private static HeadWindow? NewestOf(HeadWindow[] windows) =>
        windows.Length > 0 && Array.TrueForAll(windows, window => window == windows[^1] || window.End <= windows[^1].Start) ? windows[^1] : null;
}
