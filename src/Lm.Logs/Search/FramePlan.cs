namespace Lm.Logs.Search;

/// <summary>The frames of a search in the order in which they are read: by their oldest line, or backward by their newest.</summary>
/// <remarks>Files are opened when nothing before them is left: a search that ends early opens few.</remarks>
internal sealed class FramePlan : IDisposable
{
    private readonly PriorityQueue<object, long> waiting = new(); // ISearchFile or Cursor, by the first time that it may have
    private readonly LogScan scan;
    private readonly IReadOnlyList<ushort[]> hashes;
    private readonly LogScanStatistics? statistics;

    /// <summary>Plans.</summary>
    /// <param name="files">The files.</param>
    /// <param name="scan">What is looked for.</param>
    /// <param name="hashes">Of each required text.</param>
    /// <param name="statistics">Counts what is passed over; null when it was counted already.</param>
    public FramePlan(IReadOnlyList<ISearchFile> files, LogScan scan, IReadOnlyList<ushort[]> hashes, LogScanStatistics? statistics)
    {
        (this.scan, this.hashes, this.statistics) = (scan, hashes, statistics);
        foreach (var file in files)
        {
            if (file.MaxTime >= scan.From && file.MinTime < scan.Until)
            {
                waiting.Enqueue(file, scan.IsBackward ? -file.MaxTime : file.MinTime);
            }
        }
    }

    /// <summary>The time before which (backward: behind which) no frame that is still to come has a line.</summary>
    /// <returns>False when none is to come.</returns>
    public bool TryPeek(out long time)
    {
        var has = waiting.TryPeek(out _, out var order);
        time = scan.IsBackward ? -order : order;
        return has;
    }

    /// <summary>The next frame.</summary>
    /// <param name="file">Its file, held once for whoever reads it.</param>
    /// <param name="frame">The frame.</param>
    public bool TryNext(out FileInUse file, out FrameRef frame)
    {
        while (waiting.TryDequeue(out var next, out _))
        {
            if (next is ISearchFile closed)
            {
                Open(closed);
                continue;
            }

            var cursor = (Cursor)next;
            (file, frame) = (cursor.File, cursor.File.Frames[cursor.Next]);
            cursor.Next++;
            file.Hold();
            Enqueue(cursor);
            return true;
        }

        (file, frame) = (null!, null!);
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (waiting.TryDequeue(out var next, out _))
        {
            (next as Cursor)?.File.Release();
        }
    }

    private void Open(ISearchFile closed)
    {
        var file = closed.Open(scan, hashes, out var skipped);
        statistics?.CountSkipped(skipped);
        if (file is null)
        {
            return;
        }

        if (scan.IsBackward)
        {
            file.Frames.Sort(static (left, right) => right.Info.MaxTime.CompareTo(left.Info.MaxTime));
        }
        else
        {
            file.Frames.Sort(static (left, right) => left.Info.MinTime.CompareTo(right.Info.MinTime));
        }

        Enqueue(new Cursor(file));
    }

    private void Enqueue(Cursor cursor)
    {
        if (cursor.Next == cursor.File.Frames.Count)
        {
            cursor.File.Release();
            return;
        }

        var info = cursor.File.Frames[cursor.Next].Info;
        waiting.Enqueue(cursor, scan.IsBackward ? -info.MaxTime : info.MinTime);
    }

    private sealed class Cursor(FileInUse file)
    {
        public FileInUse File => file;

        public int Next { get; set; }
    }
}
