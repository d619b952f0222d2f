using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>A durable append-only log of records in numbered segments: what the agent's queue and the collector's spool are made of.</summary>
/// <remarks>
/// Invariants:
/// an append completes only after its bytes were synced;
/// records are committed in groups by one writer: many waiting appends, one write, one sync;
/// after a failed write or sync nothing of that group is committed, the segment is closed for good, and the next append begins
/// a new one whose header names the last committed end of the one before: what lies behind that end is never read;
/// recovery keeps every committed record, invents none, and keeps their order.
/// </remarks>
public sealed class Journal : IAsyncDisposable
{
    private Journal() => Recovery = new JournalRecovery();

    /// <summary>Opens the journal in <paramref name="directory"/>, making it if there is none, and recovers it after a crash.</summary>
    /// <exception cref="FileSystemException">The directory cannot be read or written.</exception>
    public static Journal Open(IFileSystem files, string directory, JournalOptions options) => throw new NotImplementedException();

    /// <summary>16 random bytes made at the journal's birth (the spool's incarnation, the queue's origin).</summary>
    public Guid Id { get; }

    /// <summary>What opening found.</summary>
    public JournalRecovery Recovery { get; }

    /// <summary>The end of the last committed record: where the next one goes, unless a new segment begins.</summary>
    public JournalPosition CommittedEnd { get; }

    /// <summary>Committed bytes of all segments.</summary>
    public long SizeBytes { get; }

    /// <summary>The segments, oldest first: a snapshot.</summary>
    public IReadOnlyList<JournalSegment> Segments => throw new NotImplementedException();

    /// <summary>Appends one record made of two parts (so that a header needs no copy of a frame); both must stay unchanged until
    /// the returned task has ended.</summary>
    /// <param name="head">The record's first bytes.</param>
    /// <param name="body">The rest; may be empty.</param>
    /// <param name="state">Handed to <see cref="JournalOptions.Committed"/>.</param>
    /// <param name="cancellationToken">Gives up waiting for room; once the record is handed to the writer it is not withdrawn.</param>
    /// <returns>Where the record stands, once it is durable.</returns>
    /// <exception cref="JournalException">It was not committed.</exception>
    public ValueTask<JournalPosition> AppendAsync(
        ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, object? state, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Reads committed records from a position on (default: all), oldest first, up to what is committed when the end is reached.
    /// Memory is bounded by the largest record. Safe beside appends; a segment deleted meanwhile ends with <see cref="FileNotFoundException"/>.</summary>
    public IEnumerable<JournalRecord> Read(JournalPosition from = default) => throw new NotImplementedException();

    /// <summary>Deletes every segment before <paramref name="segment"/>; the newest is never deleted.</summary>
    public void DeleteBefore(uint segment) => throw new NotImplementedException();

    /// <summary>Deletes one whole segment, which need not be the oldest; not the newest.</summary>
    public void Delete(uint segment) => throw new NotImplementedException();

    /// <summary>Commits what waits, then closes the files.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
