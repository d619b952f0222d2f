using System.Globalization;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <content>Checkpoints, spilling, and letting go of what blocks hold.</content>
public sealed partial class Head
{
    private readonly SeriesFile seriesFile; // the writer's
    private readonly List<string> obsolete = []; // files that no manifest names once the next one is written; the writer's
    private readonly List<HeadManifest.LateBlock> lateBlocks = []; // the writer's; read under the gate
    private readonly Queue<(long Epoch, List<int> Series)> hidden = []; // series that readers may still hold; the writer's
    private uint nextNumber = 1; // the writer's
    private uint newestWindow; // the writer's
    private uint sweptAt; // the oldest window's number when unused series were looked for last

    /// <summary>Everything committed before it is in the head's files or in blocks: the log is needed from here on only (K13). Writer.</summary>
    public CommitPosition Covered { get; private set; }

    /// <summary>Makes durable all that was taken, and says that it covers the log up to a position (K15). Writer, between batches: every 64 MiB of log, and two
    /// hours after the oldest record that is not covered came in (K14).</summary>
    /// <param name="position">Where the log's records that were given to the head end.</param>
    /// <exception cref="FileSystemException">A step failed: <see cref="Covered"/> is what it was, nothing is lost, and the next checkpoint does it all.</exception>
    public void Checkpoint(CommitPosition position)
    {
        FlushRows();
        foreach (var window in windows)
        {
            if (window.IsChanged)
            {
                Persist(window);
            }
        }

        Commit(position);
        IsDirty = false;
        counters.Checkpoints++;
        DropCleanPages();
        SpillOverBudget();
    }

    /// <summary>Keeps the bounds of memory: windows over the budget go to their files, series that no window holds any more are removed. Writer, between
    /// batches, every few seconds.</summary>
    /// <exception cref="FileSystemException">A window could not be written; it stays in memory.</exception>
    public void Maintain()
    {
        SpillOverBudget();
        RemoveUnused();
        FreeHidden();
    }

    /// <summary>Lets go of a range that a durable block holds, or of which blocks held everything already. Readers that found it before may read on. Writer,
    /// between batches.</summary>
    /// <param name="frozen">The range. Files of windows of which <see cref="FrozenRange.WriteTo"/> could not read all are not deleted but set aside.</param>
    /// <exception cref="FileSystemException">The manifest may still name its files: call again.</exception>
    public void Drop(FrozenRange frozen)
    {
        ArgumentNullException.ThrowIfNull(frozen);

        // Before the manifest forgets them: what a crash leaves is then a window without files, which the opening reports, and never a deleted one.
        foreach (var window in frozen.Damaged)
        {
            SetAside(LogPath(window.Identity.Number));
            SetAside(StatePath(window.State.Number));
        }

        foreach (var window in frozen.Windows)
        {
            window.IsDropped = true;
        }

        if (frozen.Range.IsLate)
        {
            NoteLateBlock(frozen.Range.From);
        }

        Commit(Covered);
        frozen.Release();
    }

    /// <summary>Closes the files, those of windows that readers still hold when they leave. What no checkpoint covers is in the log.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var window in windows)
            {
                window.IsDropped = true;
                if (window.Pins == 0)
                {
                    Close(window);
                }
            }

            windows = [];
            active.Clear();
            lastWindow = null;
            seriesFile.Close();
            directoryLock?.Dispose();
        }
    }

    private uint NextNumber() => nextNumber++;

    private string LogPath(uint number) => PathOf(number, "chunks");

    private string StatePath(uint number) => PathOf(number, "open");

    private string SeriesPath(uint number) => PathOf(number, "series");

    private string PathOf(uint number, string kind) => Path.Combine(options.Directory, number.ToString("D10", CultureInfo.InvariantCulture) + "." + kind);

    private void FlushRows()
    {
        // One at a time: readers get in between.
        for (var i = 0; i < claims.Count; i++)
        {
            lock (gate)
            {
                Flush(claims[i]);
            }
        }
    }

    // Files are written without the gate: only the writer, who is here, changes a window.
    private void Persist(HeadWindow window)
    {
        window.Log.Write();
        var number = NextNumber();
        try
        {
            var length = WindowState.Write(files, StatePath(number), window);
            if (window.State.Number != 0)
            {
                obsolete.Add(StatePath(window.State.Number));
            }

            window.State = (number, length);
            window.IsChanged = false;
        }
        catch (FileSystemException)
        {
            obsolete.Add(StatePath(number));
            throw;
        }
    }

    private void Commit(CommitPosition position)
    {
        var before = seriesFile.Number;
        if (seriesFile.Write(nextNumber, SeriesPath))
        {
            nextNumber++;
            if (before != 0)
            {
                obsolete.Add(SeriesPath(before));
            }
        }

        files.SyncDirectory(options.Directory);
        Manifest(position).Write(files, options.Directory);
        lock (gate)
        {
            Covered = position;
            ForgetDropped();
        }

        DeleteObsolete();
    }

    private HeadManifest Manifest(CommitPosition position) => new()
    {
        Incarnation = options.Incarnation,
        Covered = position,
        NextNumber = nextNumber,
        SeriesNumber = seriesFile.Number,
        SeriesLength = seriesFile.Length,
        LateBlocks = [.. lateBlocks],
        Windows =
        [
            .. windows.Where(static window => !window.IsDropped && window.State.Number != 0).OrderBy(static window => window.Identity.Number).Select(static window =>
                new HeadManifest.Window
                {
                    Identity = window.Identity,
                    IsLate = window.IsLate,
                    FirstReceived = window.FirstReceived,
                    Samples = window.Samples,
                    LogLength = window.Log.Written,
                    State = window.State,
                }),
        ],
    };

    private void ForgetDropped()
    {
        foreach (var window in windows)
        {
            if (!window.IsDropped)
            {
                continue;
            }

            obsolete.Add(LogPath(window.Identity.Number));
            if (window.State.Number != 0)
            {
                obsolete.Add(StatePath(window.State.Number));
            }

            if (window.Pins == 0)
            {
                Close(window);
            }
        }

        windows = [.. windows.Where(static window => !window.IsDropped)];
    }

    private static void Close(HeadWindow window)
    {
        window.Log.Dispose();
        window.Spilled?.Release();
        window.Spilled = null;
    }

    private void Unpin(HeadWindow window)
    {
        if (--window.Pins == 0 && window.IsDropped && Array.IndexOf(windows, window) < 0)
        {
            Close(window);
        }
    }

    private void DeleteObsolete()
    {
        for (var i = obsolete.Count - 1; i >= 0; i--)
        {
            try
            {
                files.Delete(obsolete[i]);
                obsolete.RemoveAt(i);
            }
            catch (FileSystemException)
            {
                // The next checkpoint tries again, and so does the next start: no manifest names it.
            }
        }
    }

    // What the files hold is read from there, mapped: it costs a query the checksums, and the machine's page cache has it anyway.
    private void DropCleanPages()
    {
        foreach (var window in windows)
        {
            lock (gate)
            {
                window.Log.DropClean(isRead: window.Pins > 0);
            }
        }
    }

    // All but the two newest windows share the budget: late ones, and those that wait to become blocks.
    private void SpillOverBudget()
    {
        long used = 0;
        var candidates = new List<HeadWindow>();
        for (var i = 0; i < windows.Length - 2; i++)
        {
            used += windows[i].SizeBytes;
            if (windows[i].Memory is not null)
            {
                candidates.Add(windows[i]);
            }
        }

        if (used <= options.LateBytesMax)
        {
            return;
        }

        candidates.Sort(static (left, right) => left.LastBatch.CompareTo(right.LastBatch));
        foreach (var window in candidates)
        {
            used -= window.SizeBytes;
            Spill(window);
            used += window.SizeBytes;
            if (used <= options.LateBytesMax / 8 * 7)
            {
                break; // a little more than needed: not one window at each batch
            }
        }
    }

    private void Spill(HeadWindow window)
    {
        foreach (var rows in claims)
        {
            if (rows.Window == window)
            {
                lock (gate)
                {
                    Flush(rows);
                    rows.Window = null;
                }
            }
        }

        if (window.IsChanged || window.State.Number == 0)
        {
            Persist(window);
        }

        var state = WindowState.Open(files, StatePath(window.State.Number), window.Identity, window.State.Length, out var damage)
            ?? throw new FileSystemException("read", StatePath(window.State.Number), 5, damage);
        lock (gate)
        {
            window.Memory = null;
            window.Spilled = state;
            window.Log.DropAll(isRead: window.Pins > 0);
            counters.Spills++;
            lastWindow = lastWindow == window ? null : lastWindow;
        }
    }

    // Inside the gate: a few milliseconds for ten thousand series.
    private bool TryLoad(HeadWindow window)
    {
        WindowMemory? memory = null;
        try
        {
            memory = window.Spilled!.Load(table.Limit, out _);
        }
        catch (FileSystemException)
        {
            // As damage: the sample at hand must not be lost because an older one cannot be read now.
        }

        if (memory is null)
        {
            counters.Unreadable++;
            return false;
        }

        window.Memory = memory;
        window.Spilled!.Release();
        window.Spilled = null;
        return true;
    }

    private void NoteLateBlock(long from)
    {
        var range = StartOf(from, (long)options.LateRange.TotalMilliseconds);
        var now = options.Time.GetUtcNow().ToUnixTimeMilliseconds();
        lock (gate)
        {
            lateBlocks.RemoveAll(block => block.Range == range || block.WrittenAt + options.LateEvery.TotalMilliseconds < now);
            lateBlocks.Add(new HeadManifest.LateBlock(range, now));
        }
    }

    private void RemoveUnused()
    {
        var oldest = windows.Length == 0 ? newestWindow + 1 : windows.Min(static window => window.Identity.Number);
        if (oldest == sweptAt)
        {
            return;
        }

        sweptAt = oldest;
        ReleaseIdleRows();
        var gone = new List<int>();
        foreach (var series in table.All().Unordered())
        {
            // Each window that may have it was made before its last slot; none of those is left.
            if (touched[series] < oldest && rowsOf[series] is null)
            {
                gone.Add(series);
            }
        }

        if (gone.Count == 0)
        {
            return;
        }

        lock (gate)
        {
            RemovalGeneration++;
            gone.ForEach(series => births[series] = -1);
        }

        table.Remove(gone, gate);
        seriesFile.NoteRemoval();
        lock (gate)
        {
            hidden.Enqueue((epochs.Current, gone));
        }
    }

    // Rows whose window is gone: their agent has sent nothing since.
    private void ReleaseIdleRows()
    {
        foreach (var rows in claims.ToArray())
        {
            if (rows.Count == 0 && (rows.Window is null || rows.Window.IsDropped))
            {
                lock (gate)
                {
                    Release(rows);
                }
            }
        }
    }

    private void FreeHidden()
    {
        lock (gate)
        {
            epochs.TryAdvance();
            while (hidden.Count > 0 && hidden.Peek().Epoch + 2 <= epochs.Current)
            {
                var gone = hidden.Dequeue().Series;
                gone.ForEach(labelSets.Forget);
                table.Free(gone);
            }
        }
    }
}
