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
/// One process may have a journal open: its owner takes the lock of a directory (<see cref="IFileSystem.TryLock"/>) before.
/// </remarks>
public sealed class Journal : IAsyncDisposable
{
    private const int LateDamageMax = 1000; // stretches listed by LateDamage; more are passed over unlisted

    private readonly IFileSystem files;
    private readonly string directory;
    private readonly JournalOptions options;
    private readonly SegmentList segments;
    private readonly AppendQueue queue;
    private readonly Leftovers leftovers;
    private readonly JournalWriter writer;
    private readonly Lock deleting = new(); // held while segments are deleted: one at a time
    private readonly Lock damageGate = new(); // guards lateDamage, copies
    private readonly List<JournalDamage> lateDamage = [];
    private readonly DamageKeeper? copies; // of what opening did not read

    private Journal(IFileSystem files, string directory, JournalOptions options, OpenedJournal opened)
    {
        (this.files, this.directory, this.options) = (files, directory, options);
        (Id, Recovery, segments) = (opened.Id, opened.Recovery, opened.Segments);
        queue = new AppendQueue(options.PendingSizeMax);
        leftovers = new Leftovers(files, directory);
        copies = options.ReadsAllAtOpen ? null : new DamageKeeper(files, directory, options.SegmentSizeMax);
        writer = new JournalWriter(files, directory, options, opened, queue, leftovers);
        writer.Start();
    }

    /// <summary>Opens the journal in <paramref name="directory"/>, making it if there is none, and recovers it after a crash. Reads
    /// all segments, unless <see cref="JournalOptions.ReadsAllAtOpen"/> says otherwise; the first file appears with the first append.</summary>
    /// <exception cref="FileSystemException">The directory cannot be read, written or synced.</exception>
    /// <exception cref="JournalException">A segment has a format version of a later program.</exception>
    public static Journal Open(IFileSystem files, string directory, JournalOptions options) =>
        Open(files, directory, options, birthId: null);

    /// <summary>As above, with the id that a journal gets when it is born now.</summary>
    internal static Journal Open(IFileSystem files, string directory, JournalOptions options, Guid? birthId)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.RecordSizeMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.RecordSizeMax, SegmentFormat.RecordSizeLimit);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.SegmentSizeMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.PendingSizeMax);
        ArgumentOutOfRangeException.ThrowIfNegative(options.ZerosAhead);
        return new Journal(files, directory, options, new JournalOpening(files, directory, options, birthId).Run());
    }

    /// <summary>16 random bytes made at the journal's birth (the spool's incarnation, the queue's origin). A journal without a
    /// committed record has not been born yet: reopened, it has another one.</summary>
    public Guid Id { get; }

    /// <summary>What opening found.</summary>
    public JournalRecovery Recovery { get; }

    /// <summary>Damage that readers met and opening did not, since it came later or opening did not read that segment; at most 1,000 stretches.</summary>
    public IReadOnlyList<JournalDamage> LateDamage
    {
        get
        {
            lock (damageGate)
            {
                return [.. lateDamage];
            }
        }
    }

    /// <summary>The end of the last committed record: where the next one goes, unless a new segment begins.</summary>
    public JournalPosition CommittedEnd => segments.CommittedEnd;

    /// <summary>Committed bytes of all segments. The newest one's file may be longer by <see cref="JournalOptions.ZerosAhead"/>.</summary>
    public long SizeBytes => segments.SizeBytes;

    /// <summary>The segments, oldest first: a snapshot.</summary>
    public IReadOnlyList<JournalSegment> Segments => segments.Snapshot();

    /// <summary>Appends one record made of two parts (so that a header needs no copy of a frame); both must stay unchanged until
    /// the returned task has ended.</summary>
    /// <param name="head">The record's first bytes.</param>
    /// <param name="body">The rest; may be empty.</param>
    /// <param name="state">Handed to <see cref="JournalOptions.Committed"/>.</param>
    /// <param name="cancellationToken">Gives up waiting for room; once the record is handed to the writer it is not withdrawn.</param>
    /// <returns>Where the record stands, once it is durable.</returns>
    /// <exception cref="JournalException">It was not committed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">It is empty, or larger than <see cref="JournalOptions.RecordSizeMax"/>.</exception>
    public ValueTask<JournalPosition> AppendAsync(
        ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, object? state, CancellationToken cancellationToken)
    {
        var size = (long)head.Length + body.Length;
        ArgumentOutOfRangeException.ThrowIfZero(size, nameof(body));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, options.RecordSizeMax, nameof(body));
        var append = new PendingAppend(head, body, state);
        if (!queue.TryAdd(append, out var place))
        {
            return ValueTask.FromException<JournalPosition>(new JournalException($"{directory}: the journal is closed"));
        }

        return place is null ? new(append.Task) : new(WaitForRoomAsync(append, place, cancellationToken));
    }

    /// <summary>Reads committed records from a position on (default: all), oldest first, up to what is committed when the end is reached;
    /// preambles are among them (see <see cref="JournalRecord.IsPreamble"/>), damage is passed over.
    /// Memory is bounded by the largest record. Safe beside appends; a segment deleted meanwhile ends with <see cref="FileNotFoundException"/>.</summary>
    /// <param name="from">Where to begin: a record's position or end; offset 0 for a segment's beginning.</param>
    public IEnumerable<JournalRecord> Read(JournalPosition from = default)
    {
        var cursor = new SegmentCursor(options.RecordSizeMax);
        var position = from;
        while (segments.FirstFrom(position.Segment) is { } segment)
        {
            var number = segment.Number;
            var start = number == position.Segment ? Math.Max(position.Offset, SegmentFormat.HeaderSize) : SegmentFormat.HeaderSize;
            using var file = JournalReader.OpenSegment(files, directory, number);
            cursor.Begin(file, SegmentFormat.Salt(Id, number), start, segment.SizeBytes, provenEnd: segment.SizeBytes, limitIsFileEnd: false);
            do
            {
                for (var step = cursor.MoveNext(); step != SegmentStep.End; step = cursor.MoveNext())
                {
                    if (step == SegmentStep.Record)
                    {
                        yield return JournalReader.RecordAt(cursor, number);
                    }
                    else
                    {
                        NoteLateDamage(number, cursor);
                    }
                }
            }
            while (HasGrown(cursor, number));

            if (number == uint.MaxValue)
            {
                yield break;
            }

            position = new JournalPosition(number + 1, 0);
        }
    }

    /// <summary>For reading parts of payloads again, by the positions that <see cref="Read"/> gave.</summary>
    public PayloadReader OpenPayloads() => new(files, directory);

    /// <summary>The next record goes into a segment of this number, or of a later one: for an owner who knows that records stood behind the end that opening found,
    /// and that their places are known elsewhere.</summary>
    public void SkipTo(uint segment) => writer.SkipTo(segment);

    /// <summary>Deletes every segment before <paramref name="segment"/>; the newest is never deleted.</summary>
    /// <exception cref="FileSystemException">A segment could not be deleted; those before it may have been.</exception>
    public void DeleteBefore(uint segment)
    {
        var snapshot = segments.Snapshot();
        var before = Array.FindAll(snapshot, each => each.Number < segment && each != snapshot[^1]);
        DeleteAll(Array.ConvertAll(before, each => each.Number));
    }

    /// <summary>Deletes one whole segment, which need not be the oldest; not the newest.</summary>
    /// <exception cref="InvalidOperationException">It is the newest.</exception>
    /// <exception cref="FileSystemException">It could not be deleted, or not durably.</exception>
    public void Delete(uint segment)
    {
        if (segments.Newest?.Number == segment)
        {
            throw new InvalidOperationException($"{directory}: segment {segment} is the newest, which is never deleted");
        }

        DeleteAll([segment]);
    }

    /// <summary>Commits what waits, then closes the files. The last appends may be answered a moment later.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Close();
        await writer.Stopped;
    }

    private async Task<JournalPosition> WaitForRoomAsync(
        PendingAppend append, LinkedListNode<PendingAppend> place, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(
            _ =>
            {
                if (queue.TryWithdraw(place))
                {
                    append.SetCanceled(cancellationToken);
                }
            },
            null);
        return await append.Task;
    }

    private bool HasGrown(SegmentCursor cursor, uint number)
    {
        if (segments.FirstFrom(number) is not { } now || now.Number != number || now.SizeBytes <= cursor.Limit)
        {
            return false;
        }

        cursor.Limit = cursor.ProvenEnd = now.SizeBytes;
        return true;
    }

    private void NoteLateDamage(uint segment, SegmentCursor cursor)
    {
        bool IsThisOne(JournalDamage known) => known.Segment == segment && known.Offset == cursor.Offset;
        lock (damageGate)
        {
            if (lateDamage.Count >= LateDamageMax || lateDamage.Exists(IsThisOne) || Recovery.Damage.Any(IsThisOne))
            {
                return;
            }

            var size = cursor.Next - cursor.Offset;
            copies?.SetAside(segment, cursor.Offset, size, cursor.Reason);
            lateDamage.Add(copies?.Found[^1] ?? new JournalDamage(segment, cursor.Offset, size, cursor.Reason, ""));
        }
    }

    private void DeleteAll(uint[] numbers)
    {
        if (numbers.Length == 0)
        {
            return;
        }

        lock (deleting)
        {
            leftovers.Delete();
            foreach (var number in numbers)
            {
                CutPredecessor(number);
            }

            foreach (var number in numbers)
            {
                files.Delete(Path.Combine(directory, SegmentFormat.FileName(number)));
                segments.Remove(number);
            }

            files.SyncDirectory(directory);
        }
    }

    /// <summary>Cuts a refused group off the segment before, for the header that told to ignore it goes now.</summary>
    private void CutPredecessor(uint number)
    {
        if (segments.Before(number) is not { MayHoldMore: true } previous)
        {
            return;
        }

        using var file = files.Open(Path.Combine(directory, SegmentFormat.FileName(previous.Number)), writable: true);
        if (file.Length > previous.CommittedEnd)
        {
            file.Truncate(previous.CommittedEnd);
        }

        file.Sync(); // also for a cut that was made earlier without a sync
        segments.MarkCut(previous);
    }
}
