using Lm.Journal;
using Lm.Platform.Files;

namespace Lm.Collector.Changes;

/// <summary>What people changed, in the order in which they did: a journal of its own in <c>spool_dir/changes</c>, only ever appended to.</summary>
/// <remarks>The state that people see is the fold of these records, so a change is in effect once its record is durable and not before.</remarks>
internal sealed class ChangeLog : IAsyncDisposable
{
    /// <summary>The folder under <c>spool_dir</c>.</summary>
    public const string Folder = "changes";

    /// <summary>Bytes that the journal may hold. Nothing of it is ever deleted; a hundred thousand edits of usual size fit.</summary>
    public const long SizeMax = 1L << 30;

    // Two definitions of the longest kind, each character of which JSON writes as two.
    internal const int RecordSizeMax = 2 << 20;
    private const long SegmentSizeMax = 16L << 20;

    private readonly Journal.Journal journal;
    private readonly long sizeMax;

    private ChangeLog(Journal.Journal journal, long sizeMax) => (this.journal, this.sizeMax) = (journal, sizeMax);

    /// <summary>Bytes that the journal holds.</summary>
    public long SizeBytes => journal.SizeBytes;

    /// <summary>The journal's id; it has one from its first record on.</summary>
    public Guid Id => journal.Id;

    /// <summary>Whether it has no record, and never had one.</summary>
    public bool IsEmpty => journal.Segments.Count == 0;

    /// <summary>Reads records as they are, oldest first, from a place on.</summary>
    /// <param name="from">A record's place, or its end.</param>
    /// <exception cref="IOException">The journal cannot be read.</exception>
    public IEnumerable<JournalRecord> Read(JournalPosition from) => journal.Read(from).Where(static record => !record.IsPreamble);

    /// <summary>Makes a record durable that another journal had.</summary>
    /// <exception cref="IOException">It is not.</exception>
    public async Task AppendAsync(ReadOnlyMemory<byte> record)
    {
        if (journal.SizeBytes >= sizeMax)
        {
            throw new IOException($"the journal of changes holds {journal.SizeBytes} bytes, and may hold {sizeMax}: no change is taken any more");
        }

        // Not the request's token: a change whose client went away is whole or not there.
        await journal.AppendAsync(ReadOnlyMemory<byte>.Empty, record, null, CancellationToken.None);
    }

    /// <summary>Opens the journal and reads all of it.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="directory">The journal's folder.</param>
    /// <param name="fold">Told of each change that is in it, oldest first.</param>
    /// <param name="logger">Told of records that cannot be read; they are passed over.</param>
    /// <param name="sizeMax">Bytes that it may hold.</param>
    /// <exception cref="IOException">The folder cannot be used.</exception>
    public static ChangeLog Open(IFileSystem files, string directory, Action<Change> fold, ILogger logger, long sizeMax = SizeMax)
    {
        files.CreateDirectory(directory);
        var journal = Journal.Journal.Open(files, directory, new JournalOptions { SegmentSizeMax = SegmentSizeMax, RecordSizeMax = RecordSizeMax, PendingSizeMax = 2L * RecordSizeMax });
        foreach (var damage in journal.Recovery.Damage)
        {
            ChangesLog.Damaged(logger, directory, damage.Segment, damage.Offset, damage.Reason, damage.SizeBytes, damage.SavedAs);
        }

        foreach (var record in journal.Read())
        {
            if (ChangeRecord.TryRead(record.Payload, out var change) is { } fault)
            {
                ChangesLog.Unreadable(logger, directory, record.Position.Segment, record.Position.Offset, fault);
                continue;
            }

            fold(change!);
        }

        return new ChangeLog(journal, sizeMax);
    }

    /// <summary>Makes a change durable.</summary>
    /// <exception cref="IOException">It is not: the disk, or the journal is full.</exception>
    public Task AppendAsync(Change change) => AppendAsync(ChangeRecord.Write(change));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => journal.DisposeAsync();
}
