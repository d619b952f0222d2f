using Lm.Tsdb.Index;

namespace Lm.Tsdb.Head;

/// <content>What readers do.</content>
public sealed partial class Head
{
    // Series looked for in the windows under one hold of the gate: about what one batch takes to write.
    private const int SliceSeries = 1024;

    /// <inheritdoc/>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) =>
        Select(matchers, from, until, cancellationToken);

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        using var selection = Select(matchers, from, until, cancellationToken);
        return Distinct(selection, static _ => true, static label => label.Name, cancellationToken);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        using var selection = Select(matchers, from, until, cancellationToken);
        return Distinct(selection, label => label.Name == name, static label => label.Value, cancellationToken);
    }

    /// <summary>Copies what a window has of a series, and reads the sealed chunks that a range needs. The caller has pinned the window.</summary>
    internal void CopyTo(SeriesView view, HeadWindow window, int series, long from, long until)
    {
        WindowState? spilled = null;
        view.Begin(window.Start);
        lock (gate)
        {
            if (window.Memory is { } memory)
            {
                view.Take(memory, series);
                CopyRows(view, window, series);
            }
            else if (window.Spilled is { } state)
            {
                state.Acquire(); // the writer may load the window meanwhile
                spilled = state;
            }
        }

        if (spilled is not null)
        {
            spilled.TryRead(series, view);
            spilled.Release();
        }

        view.Collect(window.Log, from, until);
    }

    /// <summary>A series' newest sample in a window, unless that is to be read from a file or a sealed chunk.</summary>
    internal bool TryNewest(HeadWindow window, int series, out long time, out double value)
    {
        lock (gate)
        {
            (time, value) = (0, 0);
            if (window.Memory is not { } memory)
            {
                return false;
            }

            if (rowsOf[series] is { Count: > 0 } rows && rows.Window == window)
            {
                (time, value) = rows.Newest(columnOf[series]);
                return true;
            }

            var at = memory.Find(series);
            if (at < 0 || memory[at].Count == 0)
            {
                return false;
            }

            ref var slot = ref memory[at];
            (time, value) = (window.Start + slot.LastTime, BitConverter.UInt64BitsToDouble(slot.LastValue));
            return true;
        }
    }

    /// <summary>All series of a window that takes no more samples, ascending; without those that cannot be read, which the view counts.</summary>
    internal int[] SeriesOf(HeadWindow frozen, SeriesView view)
    {
        WindowMemory? memory;
        WindowState? spilled;
        lock (gate)
        {
            memory = frozen.Memory;
            spilled = frozen.Spilled;
            spilled?.Acquire();
        }

        try
        {
            return memory?.Series() ?? spilled?.Series(view) ?? [];
        }
        finally
        {
            spilled?.Release();
        }
    }

    /// <summary>A series that a reader's epoch keeps.</summary>
    internal LabelSet LabelsForReader(int series) => labelSets.Of(series);

    /// <summary>The series, for a reader in an epoch.</summary>
    internal SeriesTable Table => table;

    /// <summary>Ends what <see cref="Find"/> or <see cref="Freeze"/> began.</summary>
    internal void Leave(long epoch, IReadOnlyList<HeadWindow> pinned, long unreadable)
    {
        lock (gate)
        {
            epochs.Leave(epoch);
            counters.Unreadable += unreadable;
            foreach (var window in pinned)
            {
                Unpin(window);
            }
        }
    }

    private HeadSelection Select(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken)
    {
        HeadSelection selection;
        lock (gate)
        {
            var overlapping = Array.FindAll(windows, window => window.Overlaps(from, until));
            foreach (var window in overlapping)
            {
                window.Pins++;
            }

            selection = new HeadSelection(this, overlapping, epochs.Enter());
        }

        var isFound = false;
        try
        {
            if (selection.Windows.Length > 0)
            {
                selection.Series = Present(SeriesSearch.Find(table, gate, matchers, cancellationToken), selection.Windows, cancellationToken);
            }

            isFound = true;
            return selection;
        }
        finally
        {
            if (!isFound)
            {
                selection.Dispose();
            }
        }
    }

    // Of the series that match, those that a window has. What a spilled window has is not known without reading it, and a series without samples may be listed.
    private int[] Present(int[] matching, HeadWindow[] overlapping, CancellationToken cancellationToken)
    {
        var count = 0;
        for (var start = 0; start < matching.Length; start += SliceSeries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            lock (gate)
            {
                foreach (var series in matching.AsSpan(start, Math.Min(SliceSeries, matching.Length - start)))
                {
                    if (IsPresent(series, overlapping))
                    {
                        matching[count++] = series;
                    }
                }
            }
        }

        return count == matching.Length ? matching : matching[..count];
    }

    private bool IsPresent(int series, HeadWindow[] overlapping)
    {
        for (var i = overlapping.Length - 1; i >= 0; i--)
        {
            if (overlapping[i].Memory is not { } memory || memory.Find(series) >= 0)
            {
                return true;
            }
        }

        return rowsOf[series] is { Count: > 0, Window: { } window } && Array.IndexOf(overlapping, window) >= 0;
    }

    private void CopyRows(SeriesView view, HeadWindow window, int series)
    {
        if (rowsOf[series] is not { Count: > 0 } rows || rows.Window != window)
        {
            return;
        }

        var times = rows.Read(columnOf[series], column);
        for (var i = 0; i < times.Length; i++)
        {
            view.TakeRow(times[i], column[i]);
        }
    }

    private string[] Distinct(HeadSelection selection, Func<Label, bool> isWanted, Func<Label, string> part, CancellationToken cancellationToken)
    {
        // Labels that are added meanwhile are not those of the series found.
        var marked = new ulong[1];
        foreach (var series in selection.Series)
        {
            foreach (var label in table.LabelsOf(series))
            {
                if (label >> 6 >= marked.Length)
                {
                    Array.Resize(ref marked, Math.Max((label >> 6) + 1, marked.Length * 2));
                }

                SeriesIds.Mark(marked, label);
            }
        }

        cancellationToken.ThrowIfCancellationRequested();
        var found = new HashSet<string>(StringComparer.Ordinal);
        for (var number = 0; number < marked.Length << 6; number++)
        {
            if (SeriesIds.IsMarked(marked, number) && table.Labels[number] is var label && isWanted(label))
            {
                found.Add(part(label));
            }
        }

        string[] sorted = [.. found];
        Array.Sort(sorted, StringComparer.Ordinal);
        return sorted;
    }
}
