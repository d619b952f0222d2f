using System.Runtime.InteropServices;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Head;

/// <summary>The samples that no block holds yet: one series table, and windows of time that hold chunks (docs/decisions/0012).</summary>
/// <remarks>
/// One writer, any number of readers. Methods marked *writer* are for one thread at a time, the writer's; those marked *inside* also need
/// <see cref="EnterBatch"/>'s scope, in which a batch's samples appear to readers together. The rest is safe for concurrent use.
/// A series is an <c>int</c>; it stays valid until <see cref="RemovalGeneration"/> changes.
/// Invariants: all state changes under the gate, but files are written without it; readers hold it to copy one series of one window, or a few thousand
/// numbers. A window holds each sample once: what a replay brings again is recognised.
/// </remarks>
public sealed partial class Head : ISeriesReader, IDisposable
{
    private readonly IFileSystem files;
    private readonly HeadOptions options;
    private readonly Lock gate = new(); // guards all fields below, and what they refer to
    private readonly SeriesTable table = new();
    private readonly ChunkPages pages = new();
    private readonly SeriesLabels labelSets;
    private readonly ReaderEpochs epochs = new();
    private readonly Dictionary<long, HeadWindow> active = []; // by start: the windows that take samples
    private readonly List<HeadRows> claims = [];
    private readonly int width; // of a new window, ms
    private HeadWindow[] windows = []; // by start, then by number; replaced whole
    private HeadWindow? lastWindow; // in memory, and active
    private HeadRows?[] rowsOf = new HeadRows?[64]; // by series
    private int[] columnOf = new int[64];
    private int[] touched = new int[64]; // by series: the newest window's number when it got its last slot
    private int[] births = new int[64]; // by series: the removals before it was made; -1 when it is gone
    private double[] column = [];
    private long oldestAccepted;
    private long newestAccepted;
    private long receivedAt;
    private long batches;
    private long rowBytes;
    private HeadCounters counters;

    private Head(IFileSystem files, HeadOptions options)
    {
        (this.files, this.options) = (files, options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BlockHours, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.BlockHours, 24);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.RowDepth, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.RowDepth, 64);
        width = (int)TimeSpan.FromHours(options.BlockHours).TotalMilliseconds;
        column = new double[options.RowDepth];
        (seriesFile, labelSets) = (new SeriesFile(files, table), new SeriesLabels(table));
    }

    /// <summary>Changes whenever series are removed: caches of series are void then, but for rows, whose series stay. Writer.</summary>
    public int RemovalGeneration { get; private set; }

    /// <summary>Series that there are; any thread.</summary>
    public int SeriesCount => table.Count;

    /// <summary>Whether samples were taken that no checkpoint covers. Writer.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>Begins a batch. Writer.</summary>
    /// <param name="receivedAt">When it was received, as its record in the log says: what is too old or too far ahead is judged by it, so that a replay
    /// later judges the same.</param>
    /// <returns>To be disposed at the batch's end, soon: readers wait.</returns>
    public Lock.Scope EnterBatch(UnixMillis receivedAt)
    {
        var scope = gate.EnterScope();
        this.receivedAt = receivedAt.Value;
        oldestAccepted = receivedAt.Add(-options.Backfill).Value;
        newestAccepted = receivedAt.Add(options.AheadMax).Value;
        batches++;
        return scope;
    }

    /// <summary>The series with these labels, made when there is none. Inside.</summary>
    public int FindOrAdd(LabelSet labels) => Added(table.FindOrAdd(labels, out var isNew), isNew);

    /// <summary>The series with these labels, made when there is none. Inside.</summary>
    /// <param name="labels">What <see cref="LabelOf"/> gave, by the bytes of the labels' names, each name once.</param>
    public int FindOrAdd(ReadOnlySpan<int> labels) => Added(table.FindOrAdd(labels, out var isNew), isNew);

    /// <summary>A label's number, for <see cref="FindOrAdd(ReadOnlySpan{int})"/>; it is valid until <see cref="RemovalGeneration"/> changes. Inside.</summary>
    public int LabelOf(string name, string value) => table.Labels.FindOrAdd(name, value);

    /// <summary>Whether there is a series with these labels. Inside, or under <see cref="EnterLookup"/>.</summary>
    public bool Contains(LabelSet labels) => table.Find(labels) is >= 0 and var series && births[series] >= 0;

    /// <summary>When a series was made, told by the removals before it: two series that have the same number one after the other differ in it. -1 for one that was
    /// removed. Inside, or under <see cref="EnterLookup"/>.</summary>
    public int BirthOf(int series) => births[series];

    /// <summary>Lets look up series outside of a batch; any thread.</summary>
    /// <returns>To be disposed of soon: the writer waits.</returns>
    public Lock.Scope EnterLookup() => gate.EnterScope();

    /// <summary>A series' labels. Inside.</summary>
    public LabelSet LabelsOf(int series) => table.LabelSetOf(series);

    /// <summary>Takes one sample. Inside.</summary>
    public AppendOutcome Append(int series, long time, double value)
    {
        if (time < oldestAccepted || time > newestAccepted)
        {
            counters.OutOfBounds++;
            return time < oldestAccepted ? AppendOutcome.TooOld : AppendOutcome.TooFarAhead;
        }

        var window = WindowFor(time);
        if (rowsOf[series] is { } rows && rows.Window == window)
        {
            Flush(rows);
            rows.NewestTime = Math.Max(rows.NewestTime, time);
        }

        var outcome = window.Append(series, table.Limit, time, value, out var isFirst);
        if (isFirst)
        {
            touched[series] = (int)newestWindow;
        }

        Count(window, outcome);
        return outcome;
    }

    /// <summary>Lets series take their samples in rows from now on. Inside.</summary>
    /// <returns>Null when they cannot: one of them is among them twice or belongs to other rows already.</returns>
    public HeadRows? TryClaim(ReadOnlySpan<int> series)
    {
        var rows = new HeadRows(series.ToArray(), options.RowDepth);
        for (var i = 0; i < series.Length; i++)
        {
            if (rowsOf[series[i]] is not null)
            {
                foreach (var claimed in series[..i])
                {
                    rowsOf[claimed] = null;
                }

                return null;
            }

            (rowsOf[series[i]], columnOf[series[i]]) = (rows, i);
        }

        rows.ListIndex = claims.Count;
        claims.Add(rows);
        rowBytes += rows.SizeBytes;
        return rows;
    }

    /// <summary>Takes the row that stands in <see cref="HeadRows.Next"/>: one sample for each of its series, all of one time. Inside.</summary>
    /// <returns>False when its time is not later than all that its series have around it, or is out of bounds, or the series are released: then nothing was taken,
    /// and the samples go through <see cref="Append"/> one by one.</returns>
    public bool TryAppendRow(HeadRows rows, long time)
    {
        if (time < oldestAccepted || time > newestAccepted || rows.IsReleased)
        {
            return false;
        }

        if (rows.Window is not { } window || time < window.Start || time >= window.End || window.IsFrozen || window.Memory is null)
        {
            if (rows.Window is { } before && time < before.Start)
            {
                return false; // a backlog between live batches: rows that go to and fro would be handed on one by one
            }

            window = MoveTo(rows, time);
        }

        if (time <= rows.NewestTime)
        {
            return false;
        }

        IsDirty = true;
        counters.Added += rows.Width;
        counters.Late += window.IsLate ? rows.Width : 0;
        window.LastBatch = batches;
        if (rows.Add(time))
        {
            Flush(rows);
        }

        return true;
    }

    /// <summary>Ends <see cref="TryClaim"/>. Inside.</summary>
    public void Release(HeadRows rows)
    {
        if (rows.IsReleased)
        {
            return;
        }

        Flush(rows);
        foreach (var series in rows.Series)
        {
            rowsOf[series] = null;
        }

        claims[rows.ListIndex] = claims[^1];
        claims[rows.ListIndex].ListIndex = rows.ListIndex;
        claims.RemoveAt(claims.Count - 1);
        rowBytes -= rows.SizeBytes;
        rows.Window = null;
        rows.IsReleased = true;
    }

    /// <summary>Counters and sizes.</summary>
    public HeadStatistics Statistics()
    {
        lock (gate)
        {
            long open = 0, closed = 0, late = 0, fileBytes = seriesFile.Length, samples = 0;
            var spilled = 0;
            foreach (var window in windows)
            {
                samples += window.Samples;
                closed += window.Log.SizeBytes;
                open += window.SizeBytes - window.Log.SizeBytes;
                late += window.IsLate ? window.SizeBytes : 0;
                spilled += window.Memory is null ? 1 : 0;
                fileBytes += window.Log.Written + window.State.Length;
            }

            foreach (var rows in claims)
            {
                samples += (long)rows.Count * rows.Width;
            }

            return new HeadStatistics
            {
                Series = table.Count,
                Samples = samples,
                Windows = windows.Length,
                WindowsSpilled = spilled,
                SeriesBytes = table.SizeBytes + (touched.Length * 20L),
                OpenBytes = open,
                SealedBytes = closed,
                RowBytes = rowBytes,
                LateBytes = late,
                FileBytes = fileBytes,
                SamplesAdded = counters.Added,
                SamplesRepeated = counters.Repeated,
                SamplesConflicting = counters.Conflicting,
                SamplesOutOfBounds = counters.OutOfBounds,
                SamplesLate = counters.Late,
                Spills = counters.Spills,
                Checkpoints = counters.Checkpoints,
                ChunksUnreadable = counters.Unreadable,
                FilesSetAside = filesSetAside,
                OldestWindow = windows.Length == 0 ? null : windows[0].Start,
            };
        }
    }

    private int Added(int series, bool isNew)
    {
        if (isNew)
        {
            MakeRoomFor(series);
            touched[series] = (int)newestWindow;
            births[series] = RemovalGeneration;
            seriesFile.Add(series);
        }

        return series;
    }

    private void MakeRoomFor(int series)
    {
        if (series >= rowsOf.Length)
        {
            var size = Math.Max(series + 1, rowsOf.Length * 2);
            Array.Resize(ref rowsOf, size);
            Array.Resize(ref columnOf, size);
            Array.Resize(ref touched, size);
            Array.Resize(ref births, size);
        }
    }

    private void Count(HeadWindow window, AppendOutcome outcome)
    {
        switch (outcome)
        {
            case AppendOutcome.Added:
                IsDirty = true;
                counters.Added++;
                counters.Late += window.IsLate ? 1 : 0;
                window.LastBatch = batches;
                break;
            case AppendOutcome.Repeated:
                counters.Repeated++;
                break;
            default:
                counters.Conflicting++;
                break;
        }
    }

    private HeadWindow MoveTo(HeadRows rows, long time)
    {
        var before = rows.Count;
        Flush(rows);
        rows.Keep(before);
        var window = WindowFor(time);
        rows.Window = window;
        rows.NewestTime = long.MinValue;
        foreach (var series in rows.Series)
        {
            rows.NewestTime = Math.Max(rows.NewestTime, window.NewestOf(series));
        }

        return window;
    }

    private void Flush(HeadRows rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var window = rows.Window!;
        var series = rows.Series;
        for (var i = 0; i < series.Length; i++)
        {
            var times = rows.Read(i, column);
            window.AppendRun(series[i], table.Limit, times, column.AsSpan(0, times.Length), out var isFirst);
            if (isFirst)
            {
                touched[series[i]] = (int)newestWindow;
            }
        }

        rows.Clear();
    }

    // The window that takes samples of a time, in memory.
    private HeadWindow WindowFor(long time)
    {
        if (lastWindow is { } last && time >= last.Start && time < last.End)
        {
            return last;
        }

        var start = StartOf(time, width);
        ref var found = ref CollectionsMarshal.GetValueRefOrAddDefault(active, start, out _);
        if (found is { Memory: null } && !TryLoad(found))
        {
            found = null; // what its files still give is read; new samples go to another
        }

        return lastWindow = found ??= AddWindow(start);
    }

    private HeadWindow AddWindow(long start)
    {
        var identity = new WindowIdentity(NextNumber(), start, width);
        newestWindow = identity.Number;
        var isLate = start + width + (long)options.WindowGrace.TotalMilliseconds <= receivedAt;
        var window = new HeadWindow(identity, ChunkLog.Create(files, LogPath(identity.Number), pages, identity), isLate, receivedAt) { Memory = new WindowMemory() };
        Insert(window);
        return window;
    }

    private void Insert(HeadWindow window)
    {
        var longer = new HeadWindow[windows.Length + 1];
        var at = 0;
        while (at < windows.Length && (windows[at].Start, windows[at].Identity.Number).CompareTo((window.Start, window.Identity.Number)) < 0)
        {
            at++;
        }

        windows.AsSpan(0, at).CopyTo(longer);
        longer[at] = window;
        windows.AsSpan(at).CopyTo(longer.AsSpan(at + 1));
        windows = longer;
    }

    private static long StartOf(long time, long step) => (time / step * step) - (time % step < 0 ? step : 0);

    private struct HeadCounters
    {
        public long Added;
        public long Repeated;
        public long Conflicting;
        public long OutOfBounds;
        public long Late;
        public long Spills;
        public long Checkpoints;
        public long Unreadable;
    }
}
