namespace Lm.Collector.Spool;

/// <summary>What blocks and log files take together: <c>max_local_bytes</c> bounds both, and the oldest of both go first (K19).</summary>
/// <remarks>Each side tells what it has before it asks; it deletes its own only.</remarks>
internal sealed class LocalSpace
{
    private readonly Lock gate = new(); // guards blocks, logs
    private IReadOnlyList<LocalFile> blocks = [];
    private IReadOnlyList<LocalFile> logs = [];

    /// <summary>The newest time in the oldest file, milliseconds since 1970; null when there is none.</summary>
    public long? Oldest
    {
        get
        {
            lock (gate)
            {
                long? oldest = null;
                foreach (var file in blocks.Concat(logs))
                {
                    oldest = oldest < file.NewestTime ? oldest : file.NewestTime;
                }

                return oldest;
            }
        }
    }

    /// <summary>The blocks that there are.</summary>
    public void SetBlocks(IReadOnlyList<LocalFile> all)
    {
        lock (gate)
        {
            blocks = all;
        }
    }

    /// <summary>The log files that there are.</summary>
    public void SetLogs(IReadOnlyList<LocalFile> all)
    {
        lock (gate)
        {
            logs = all;
        }
    }

    /// <summary>Bytes beyond what is allowed that stay, because their files may not go.</summary>
    /// <param name="bytesMax">What all of them may take.</param>
    public long HeldBytes(long bytesMax)
    {
        lock (gate)
        {
            var all = blocks.Concat(logs);
            return Math.Min(Math.Max(0, all.Sum(static file => file.Bytes) - bytesMax), all.Where(static file => !file.MayGo).Sum(static file => file.Bytes));
        }
    }

    /// <summary>Which files are too much.</summary>
    /// <param name="bytesMax">What all of them may take.</param>
    /// <returns>All that may go and whose newest time is not later than this; the smallest value when none is.</returns>
    public long ExcessUntil(long bytesMax)
    {
        lock (gate)
        {
            var bytes = blocks.Sum(static file => file.Bytes) + logs.Sum(static file => file.Bytes);
            var until = long.MinValue;
            foreach (var file in blocks.Concat(logs).Where(static file => file.MayGo).OrderBy(static file => file.NewestTime))
            {
                if (bytes <= bytesMax)
                {
                    break;
                }

                bytes -= file.Bytes;
                until = file.NewestTime;
            }

            return until;
        }
    }
}

/// <summary>A block, or a log file.</summary>
/// <param name="NewestTime">The time of what is newest in it, milliseconds since 1970.</param>
/// <param name="Bytes">Its bytes on the disk.</param>
/// <param name="MayGo">Whether it may be deleted: with an object store, only what was verified there.</param>
internal readonly record struct LocalFile(long NewestTime, long Bytes, bool MayGo = true);
