using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Opens a journal's directory and recovers it.</summary>
/// <remarks>
/// Invariants:
/// the page cache is not believed: names are synced before they are listed, and the last segment is synced and its pages
/// dropped before it is read, so that nothing is taken for committed that a second crash would lose;
/// in every segment but the last, the next header says what was committed: what lies behind is never read again;
/// a last segment without a whole record was never finished: it goes, before its predecessor may grow.
/// </remarks>
/// <param name="files">The file system.</param>
/// <param name="directory">The journal's directory.</param>
/// <param name="options">How the journal is kept.</param>
/// <param name="birthId">The id of a journal that is born now; null for a random one.</param>
internal sealed class JournalOpening(IFileSystem files, string directory, JournalOptions options, Guid? birthId)
{
    private readonly DamageKeeper damage = new(files, directory, options.SegmentSizeMax);
    private readonly SegmentCursor cursor = new(options.RecordSizeMax);
    private readonly SegmentList segments = new();
    private Guid id;
    private uint nextSegment;
    private long tornBytes;
    private Segment? lastSegment;

    public OpenedJournal Run()
    {
        files.CreateDirectory(directory);
        files.SyncDirectory(directory);
        var survey = JournalSurvey.Take(files, directory);
        id = survey.Id ?? birthId ?? JournalIdentity.New();
        nextSegment = survey.NextNumber;
        PutAsideForeign(survey);
        Delete(survey.Void);
        var found = survey.Segments;
        var current = RecoverLast(found);
        AddEarlier(found);
        if (found.Count > 0)
        {
            segments.Add(lastSegment!);
        }

        return new OpenedJournal(
            id, survey.IdIsStored, segments, nextSegment, current, new JournalRecovery { TornBytes = tornBytes, Damage = damage.Found });
    }

    private void PutAsideForeign(JournalSurvey survey)
    {
        foreach (var segment in survey.Foreign)
        {
            var reason = segment.Header is { } header
                ? $"it is segment {header.Segment} of journal {header.Journal:N}, not segment {segment.Number} of {id:N}"
                : $"its header is damaged and {JournalIdentity.FileName} is missing: its journal is not known";
            damage.SetAsideWhole(segment.Number, segment.Length, reason);
        }
    }

    private void Delete(List<FoundSegment> segmentsToDelete)
    {
        foreach (var segment in segmentsToDelete)
        {
            files.Delete(PathOf(segment.Number));
        }

        if (segmentsToDelete.Count > 0)
        {
            files.SyncDirectory(directory);
        }
    }

    /// <summary>Finds the last segment that holds a record, deleting those behind it that were never finished.</summary>
    /// <returns>Its file when appends may go on in it.</returns>
    private IFileHandle? RecoverLast(List<FoundSegment> found)
    {
        while (found.Count > 0)
        {
            var file = files.Open(PathOf(found[^1].Number), writable: true);
            var keep = false;
            try
            {
                file.Sync();
                file.DropCache();
                found[^1] = FoundSegment.Read(file, found[^1].Number);
                if (WalkLast(file, found[^1]))
                {
                    keep = CutTail(file, found[^1]);
                    return keep ? file : null;
                }

                tornBytes += cursor.ContentEnd(0);
            }
            finally
            {
                if (!keep)
                {
                    file.Dispose();
                }
            }

            DeleteUnfinished(found);
        }

        return null;
    }

    /// <summary>Walks the last segment; its committed records end at the cursor's offset.</summary>
    /// <returns>False when it holds no record at all.</returns>
    private bool WalkLast(IFileHandle file, FoundSegment segment)
    {
        var any = false;
        cursor.Begin(file, Salt(segment), SegmentFormat.HeaderSize, segment.Length, provenEnd: SegmentFormat.HeaderSize, limitIsFileEnd: true);
        for (var step = cursor.MoveNext(); step != SegmentStep.End; step = cursor.MoveNext())
        {
            if (step == SegmentStep.Damage)
            {
                damage.SetAside(segment.Number, cursor.Offset, cursor.Next - cursor.Offset, cursor.Reason);
            }
            else
            {
                any |= !cursor.Header.IsPreamble;
            }
        }

        return any;
    }

    /// <summary>Cuts what the crash tore.</summary>
    /// <returns>Whether appends may go on behind the cut.</returns>
    private bool CutTail(IFileHandle file, FoundSegment segment)
    {
        var end = cursor.Offset;
        var damaged = NoteDamagedHeader(segment) || damage.Found.Any(stretch => stretch.Segment == segment.Number);
        lastSegment = new Segment(segment.Number, end) { MayHoldMore = segment.Length > end };
        tornBytes += cursor.ContentEnd(end) - end;
        if (lastSegment.MayHoldMore)
        {
            try
            {
                file.Truncate(end);
                file.Sync();
                lastSegment.MayHoldMore = false;
            }
            catch (FileSystemException)
            {
                return false; // a new segment begins, whose header names the end
            }
        }

        return !damaged && end < options.SegmentSizeMax;
    }

    /// <summary>Deletes a last segment that a crash left without a record.</summary>
    private void DeleteUnfinished(List<FoundSegment> found)
    {
        var unfinished = found[^1];
        found.RemoveAt(found.Count - 1);

        // Its header may be the only one that knows of a refused group at the end of its predecessor.
        if (found.Count > 0 && JournalSurvey.NamedEnd(found[^1], unfinished) is { } end && end <= found[^1].Length)
        {
            CutDurably(found[^1].Number, end);
        }

        files.Delete(PathOf(unfinished.Number));
        files.SyncDirectory(directory); // before its predecessor grows beyond the end that it names
    }

    private void CutDurably(uint number, long end)
    {
        using var file = files.Open(PathOf(number), writable: true);
        cursor.Begin(file, 0, end, file.Length, end, limitIsFileEnd: true);
        tornBytes += cursor.ContentEnd(end) - end;
        file.Truncate(end);
        file.Sync();
    }

    /// <summary>Reads all segments but the last, up to the ends that the next ones name; or takes those ends for it (<see cref="JournalOptions.ReadsAllAtOpen"/>).</summary>
    private void AddEarlier(List<FoundSegment> found)
    {
        for (var at = 0; at + 1 < found.Count; at++)
        {
            var segment = found[at];
            var named = JournalSurvey.NamedEnd(segment, found[at + 1]);
            var end = named ?? segment.Length;
            if (!options.ReadsAllAtOpen && segment.Header is not null && named >= SegmentFormat.HeaderSize && named <= segment.Length)
            {
                segments.Add(new Segment(segment.Number, end) { MayHoldMore = true });
                continue; // its end is certain, and whoever reads it checks each record
            }

            NoteDamagedHeader(segment);
            using var file = files.Open(PathOf(segment.Number), writable: false);
            cursor.Begin(file, Salt(segment), SegmentFormat.HeaderSize, end, provenEnd: end, limitIsFileEnd: named is null);
            for (var step = cursor.MoveNext(); step != SegmentStep.End; step = cursor.MoveNext())
            {
                if (step == SegmentStep.Damage)
                {
                    damage.SetAside(segment.Number, cursor.Offset, cursor.Next - cursor.Offset, cursor.Reason);
                }
            }

            // Even when its length is right: a cut that was not synced before the last stop may still be undone.
            segments.Add(new Segment(segment.Number, cursor.Offset) { MayHoldMore = true });
        }
    }

    private bool NoteDamagedHeader(FoundSegment segment)
    {
        if (segment.Header is not null)
        {
            return false;
        }

        damage.SetAside(
            segment.Number, 0, SegmentFormat.HeaderSize, "the segment's header does not match its checksum; its records were read nevertheless");
        return true;
    }

    private uint Salt(FoundSegment segment) => SegmentFormat.Salt(id, segment.Number);

    private string PathOf(uint segment) => Path.Combine(directory, SegmentFormat.FileName(segment));
}
