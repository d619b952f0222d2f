using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>The one thread that writes: takes everything that waits as a group, writes it, syncs once, reports, answers.</summary>
/// <remarks>
/// Invariants:
/// an append is answered only after the sync of its group, and, in a new segment, after that of the directory;
/// after any failure the current segment is never written again: the next group begins a new one, whose header names the last
/// committed end. That holds for a failed creation too: the half-made segment names an end of its predecessor, which therefore must
/// not grow any more.
/// </remarks>
internal sealed class JournalWriter
{
    private const long GroupSizeMax = 8L << 20; // the most bytes that a crash can tear, and that share one failure

    private readonly IFileSystem files;
    private readonly string directory;
    private readonly JournalOptions options;
    private readonly SegmentList segments;
    private readonly AppendQueue queue;
    private readonly Leftovers leftovers;
    private readonly Guid id;
    private readonly SegmentOutput output = new();
    private readonly List<PendingAppend> group = [];
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool idIsStored;
    private uint nextSegment;
    private uint firstAllowed; // segments before this one take no more records; set by any thread
    private IFileHandle? file; // that of the current segment; null when the next group begins a new one
    private Segment? current;
    private long zerosEnd; // how far zeros were written in it, or tried
    private bool withoutZeros; // it was begun after a failure, which may have been for want of the room that zeros take

    public JournalWriter(
        IFileSystem files, string directory, JournalOptions options, OpenedJournal opened, AppendQueue queue, Leftovers leftovers)
    {
        (this.files, this.directory, this.options, this.queue, this.leftovers) = (files, directory, options, queue, leftovers);
        (segments, id, idIsStored, nextSegment, file) = (opened.Segments, opened.Id, opened.IdIsStored, opened.NextSegment, opened.Current);
        current = file is null ? null : segments.Newest;
    }

    /// <summary>Ends when the queue is closed and everything in it was committed and reported, or refused; the last answers may still be on their way.</summary>
    public Task Stopped => stopped.Task;

    /// <summary>Segments before this one take no more records.</summary>
    public void SkipTo(uint segment) => Volatile.Write(ref firstAllowed, segment);

    public void Start() =>
        new Thread(Run) { Name = "journal " + Path.GetFileName(directory), IsBackground = true }.Start();

    private void Run()
    {
        while (queue.WaitForNext() is { } first)
        {
            WriteGroup(first);
        }

        CloseCurrent();
        stopped.SetResult();
    }

    private void WriteGroup(PendingAppend first)
    {
        var mustBegin = current is null || current.Number < Volatile.Read(ref firstAllowed) || !Fits(first.RecordSize);
        var preamble = mustBegin ? MakePreamble() : default;
        var used = mustBegin ? SegmentFormat.HeaderSize + SegmentFormat.RecordHeaderSize + preamble.Length : current!.CommittedEnd;
        queue.TakeGroup(group, Math.Min(GroupSizeMax, options.SegmentSizeMax - used));
        var bytes = group.Sum(append => append.RecordSize);
        if (TryCommit(mustBegin, preamble))
        {
            Answer();
        }

        group.Clear();
        queue.Release(bytes);
    }

    private ReadOnlyMemory<byte> MakePreamble()
    {
        var preamble = options.Preamble?.Invoke() ?? default;
        return preamble.Length <= options.RecordSizeMax
            ? preamble
            : throw new InvalidOperationException($"a preamble of {preamble.Length} bytes: at most {options.RecordSizeMax} are allowed");
    }

    private bool TryCommit(bool mustBegin, ReadOnlyMemory<byte> preamble)
    {
        try
        {
            if (mustBegin)
            {
                BeginSegment(preamble);
            }
            else
            {
                Extend(current!, file!);
            }

            return true;
        }
        catch (FileSystemException failure)
        {
            withoutZeros = true;
            Refuse(failure);
            return false;
        }
    }

    private bool Fits(long recordSize) => current!.CommittedEnd + recordSize <= options.SegmentSizeMax;

    private void Extend(Segment segment, IFileHandle target)
    {
        try
        {
            output.Begin(target, SegmentFormat.Salt(id, segment.Number), segment.CommittedEnd);
            WriteRecords(segment.Number, followsSync: true);
            WriteZeros();
            target.Sync();
        }
        catch (FileSystemException)
        {
            GiveUp(segment, target);
            throw;
        }

        segments.Commit(segment, output.End);
    }

    private void BeginSegment(ReadOnlyMemory<byte> preamble)
    {
        var previous = segments.Newest;
        withoutZeros &= current is null; // a segment that was filled without failing ends the caution
        CloseCurrent();
        if (!idIsStored)
        {
            JournalIdentity.Write(files, directory, id);
            idIsStored = true;
        }

        leftovers.TryDelete();
        var number = nextSegment = Math.Max(nextSegment, Volatile.Read(ref firstAllowed));
        var path = Path.Combine(directory, SegmentFormat.FileName(number));
        var created = Create(path);
        try
        {
            output.Begin(created, SegmentFormat.Salt(id, number), 0);
            output.WriteHeader(new SegmentHeader(id, number, previous?.Number, previous?.CommittedEnd ?? 0));
            if (!preamble.IsEmpty)
            {
                output.WriteRecord(preamble.Span, default, startsGroup: false, isPreamble: true);
            }

            WriteRecords(number, followsSync: false);
            WriteZeros();
            created.Sync();
            files.SyncDirectory(directory);
        }
        catch (FileSystemException)
        {
            created.Dispose();
            zerosEnd = 0;
            if (!leftovers.TryDelete(path))
            {
                nextSegment = number + 1; // the file may come back: the next segment passes over it
            }

            throw;
        }

        nextSegment = number + 1;
        file = created;
        current = new Segment(number, output.End);
        segments.Add(current);
    }

    private IFileHandle Create(string path)
    {
        try
        {
            return files.Create(path);
        }
        catch (FileSystemException)
        {
            // Whatever is there now under this name, or comes back after a crash, holds nothing that was committed.
            if (!leftovers.TryDelete(path))
            {
                nextSegment++;
            }

            throw;
        }
    }

    private void WriteRecords(uint segment, bool followsSync)
    {
        foreach (var append in group)
        {
            append.Position = new JournalPosition(segment, output.End);
            output.WriteRecord(append.Head.Span, append.Body.Span, followsSync, isPreamble: false);
            followsSync = false;
        }

        output.Flush();
    }

    // By the sync that pays for a longer file anyway: one in a thousand usual groups, and no other thread has to be in step with this one.
    private void WriteZeros()
    {
        if (options.ZerosAhead == 0 || withoutZeros || output.End <= zerosEnd)
        {
            return;
        }

        zerosEnd = Math.Max(output.End, Math.Min(output.End + options.ZerosAhead, options.SegmentSizeMax));
        try
        {
            output.WriteZeros(zerosEnd);
        }
        catch (FileSystemException)
        {
            // A full disk has no room for zeros, and may have room for records. What else is wrong the group's sync tells.
        }
    }

    private void Answer()
    {
        foreach (var append in group)
        {
            options.Committed?.Invoke(append.Position, append.State);
        }

        new GroupAnswer([.. group], failure: null).Begin();
    }

    private void Refuse(FileSystemException failure) => new GroupAnswer(
        [.. group],
        new JournalException($"{directory}: a group of {group.Count} records was not committed, none of them will be seen: {failure.Message}", failure)).Begin();

    private void CloseCurrent()
    {
        CutZeros();
        file?.Dispose();
        (file, current, zerosEnd) = (null, null, 0);
    }

    // Gives the room back. Nothing relies on it: zeros at a file's end are no records.
    private void CutZeros()
    {
        if (current is null || zerosEnd <= current.CommittedEnd)
        {
            return;
        }

        segments.MarkUnclean(current); // the cut is not synced
        try
        {
            file!.Truncate(current.CommittedEnd);
        }
        catch (FileSystemException)
        {
            // The next opening cuts it.
        }
    }

    /// <summary>Closes a segment for good after a failed write or sync.</summary>
    private void GiveUp(Segment segment, IFileHandle target)
    {
        segments.MarkUnclean(segment);
        zerosEnd = 0; // the cut takes them along
        try
        {
            // Gives room back on a full disk, and keeps a kill right now from reviving the group. Nothing relies on it: what
            // counts is the end that the next segment's header names.
            target.Truncate(segment.CommittedEnd);
        }
        catch (FileSystemException)
        {
            // The failure that led here is the one to report.
        }

        CloseCurrent();
    }
}
