using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <summary>The samples that no block holds yet: one series table, and windows of time that hold chunks.</summary>
/// <remarks>
/// One writer, any number of readers. Methods marked *writer* are for one thread at a time, the writer's; those marked *inside* also need
/// <see cref="EnterBatch"/>'s scope, in which a batch appears to readers as a whole. The rest is safe for concurrent use.
/// A series is an <c>int</c>; it stays valid until <see cref="RemovalGeneration"/> changes.
/// </remarks>
public sealed class Head : ISeriesReader, IDisposable
{
    /// <summary>Opens the head in a folder, with what its files hold; the log's replay comes next.</summary>
    /// <exception cref="FileSystemException">The folder or a file cannot be read or written.</exception>
    public static Head Open(IFileSystem files, HeadOptions options, out HeadOpening opening) => throw new NotImplementedException();

    /// <summary>Everything committed before it is in the head's files or in blocks: the log is needed from here on only (K13).</summary>
    public CommitPosition Covered => throw new NotImplementedException();

    /// <summary>Changes whenever series are removed: caches of series are void then. Writer.</summary>
    public int RemovalGeneration => throw new NotImplementedException();

    /// <summary>Whether samples were taken that no checkpoint covers. Writer.</summary>
    public bool IsDirty => throw new NotImplementedException();

    /// <summary>Begins a batch. Writer.</summary>
    /// <param name="receivedAt">When it was received, as its record in the log says: what is too old or too far ahead is judged by it, so that a replay
    /// years later judges the same.</param>
    /// <returns>To be disposed at the batch's end, soon: readers wait.</returns>
    public Lock.Scope EnterBatch(UnixMillis receivedAt) => throw new NotImplementedException();

    /// <summary>The series with these labels, made when there is none. Inside.</summary>
    public int FindOrAdd(LabelSet labels) => throw new NotImplementedException();

    /// <summary>A series' labels. Inside.</summary>
    public LabelSet LabelsOf(int series) => throw new NotImplementedException();

    /// <summary>Takes one sample. Inside.</summary>
    public AppendOutcome Append(int series, long time, double value) => throw new NotImplementedException();

    /// <summary>Lets series take their samples in rows from now on. Inside.</summary>
    /// <returns>Null when they cannot: one of them is among them twice or belongs to other rows already.</returns>
    public HeadRows? TryClaim(ReadOnlySpan<int> series) => throw new NotImplementedException();

    /// <summary>Takes the row that stands in <see cref="HeadRows.Next"/>: one sample for each of its series, all of one time. Inside.</summary>
    /// <returns>False when its time is not later than all that its series have, or out of bounds: then nothing was taken, and the samples go
    /// through <see cref="Append"/> one by one.</returns>
    public bool TryAppendRow(HeadRows rows, long time) => throw new NotImplementedException();

    /// <summary>Ends <see cref="TryClaim"/>. Inside.</summary>
    public void Release(HeadRows rows) => throw new NotImplementedException();

    /// <summary>Makes durable all that was taken, and says that it covers the log up to a position (K15). Writer, between batches.</summary>
    /// <param name="position">Where the log's records that were given to the head end.</param>
    /// <exception cref="FileSystemException">A step failed: <see cref="Covered"/> is what it was, nothing is lost, and the next checkpoint does it all.</exception>
    public void Checkpoint(CommitPosition position) => throw new NotImplementedException();

    /// <summary>Keeps the bounds of memory: late windows over the budget go to their files, series that no window holds any more are removed. Writer, between
    /// batches, every few seconds.</summary>
    /// <exception cref="FileSystemException">A window could not be written; it stays in memory.</exception>
    public void Maintain() => throw new NotImplementedException();

    /// <summary>What should become a block now: windows that are over, and ranges of late samples that have waited long enough (K18).</summary>
    public IReadOnlyList<HeadRange> DueRanges() => throw new NotImplementedException();

    /// <summary>All windows, by the same rules but without waiting: for a collector that is to end for good, and for tests.</summary>
    public IReadOnlyList<HeadRange> AllRanges() => throw new NotImplementedException();

    /// <summary>Closes a range's windows for writing: samples that come for it from now on go to new windows. Writer, right after
    /// <see cref="Checkpoint"/>, before any batch.</summary>
    /// <returns>Its content, for another thread to write to a block.</returns>
    public FrozenRange Freeze(HeadRange range) => throw new NotImplementedException();

    /// <summary>Lets go of a range that a durable block holds. Readers that found it before may read on. Writer, between batches.</summary>
    /// <exception cref="FileSystemException">The files still name it: call again.</exception>
    public void Drop(FrozenRange frozen) => throw new NotImplementedException();

    /// <summary>Counters and sizes.</summary>
    public HeadStatistics Statistics() => throw new NotImplementedException();

    /// <inheritdoc/>
    public ISeriesSelection Find(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelNames(IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public IReadOnlyList<string> LabelValues(string name, IReadOnlyList<LabelMatcher> matchers, long from, long until, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Closes the files. What no checkpoint covers is in the log.</summary>
    public void Dispose() => throw new NotImplementedException();
}
