namespace Lm.Logs;

/// <summary>Stored lines: the seam that queries read through.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface ILogReader
{
    /// <summary>Shows streams that may have lines in a range, in no particular order; one that several files have comes as often.</summary>
    /// <param name="from">The earliest time, milliseconds since 1970-01-01T00:00:00Z.</param>
    /// <param name="until">The first time that no longer belongs to it.</param>
    /// <param name="look">Looks at a stream; what it keeps is its own to bound.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    void EachStream(long from, long until, Action<LogStream> look, CancellationToken cancellationToken);

    /// <summary>How much a search over a range would read at most, from indexes alone.</summary>
    /// <param name="from">The earliest time, milliseconds since 1970-01-01T00:00:00Z.</param>
    /// <param name="until">The first time that no longer belongs to it.</param>
    /// <param name="stream">Which streams.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    LogExtent Measure(long from, long until, Func<LogStream, bool> stream, CancellationToken cancellationToken);

    /// <summary>Reads lines in the order of (time, instance, queue id, sequence, index), or its reverse; each line once.</summary>
    /// <param name="scan">Which lines.</param>
    /// <param name="stages">Makes a stage for each thread that works for the search.</param>
    /// <param name="statistics">Counts what was read, while it is read.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>What the stages made of the lines, as it is found: who stops enumerating stops the search. Memory is bounded by a few frames and what
    /// the stages keep of them.</returns>
    /// <exception cref="OperationCanceledException">While enumerating: it was cancelled.</exception>
    /// <exception cref="IOException">While enumerating: a file cannot be read. Damage is counted in the statistics and passed over.</exception>
    IEnumerable<T> Read<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken);
}
