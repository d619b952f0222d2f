namespace Lm.Journal;

/// <summary>The journal's segments as they stand, shared by writer, readers and deletions.</summary>
internal sealed class SegmentList
{
    private readonly Lock gate = new(); // guards segments, their fields, and sizeBytes
    private readonly List<Segment> segments = []; // oldest first
    private long sizeBytes;

    public long SizeBytes
    {
        get
        {
            lock (gate)
            {
                return sizeBytes;
            }
        }
    }

    public Segment? Newest
    {
        get
        {
            lock (gate)
            {
                return segments.Count == 0 ? null : segments[^1];
            }
        }
    }

    public JournalPosition CommittedEnd
    {
        get
        {
            lock (gate)
            {
                return segments.Count == 0 ? default : new JournalPosition(segments[^1].Number, segments[^1].CommittedEnd);
            }
        }
    }

    public JournalSegment[] Snapshot()
    {
        lock (gate)
        {
            return [.. segments.ConvertAll(segment => new JournalSegment(segment.Number, segment.CommittedEnd))];
        }
    }

    public void Add(Segment segment)
    {
        lock (gate)
        {
            segments.Add(segment);
            sizeBytes += segment.CommittedEnd;
        }
    }

    public void Commit(Segment segment, long end)
    {
        lock (gate)
        {
            sizeBytes += end - segment.CommittedEnd;
            segment.CommittedEnd = end;
        }
    }

    public void MarkUnclean(Segment segment)
    {
        lock (gate)
        {
            segment.MayHoldMore = true;
        }
    }

    /// <summary>Notes that a segment's file was cut at its committed end, durably.</summary>
    public void MarkCut(Segment segment)
    {
        lock (gate)
        {
            segment.MayHoldMore = false;
        }
    }

    public void Remove(uint number)
    {
        lock (gate)
        {
            var at = segments.FindIndex(segment => segment.Number == number);
            if (at >= 0)
            {
                sizeBytes -= segments[at].CommittedEnd;
                segments.RemoveAt(at);
            }
        }
    }

    /// <summary>The oldest segment whose number is at least <paramref name="number"/>.</summary>
    public JournalSegment? FirstFrom(uint number)
    {
        lock (gate)
        {
            var found = segments.Find(segment => segment.Number >= number);
            return found is null ? null : new JournalSegment(found.Number, found.CommittedEnd);
        }
    }

    /// <summary>The segment right before another one.</summary>
    public Segment? Before(uint number)
    {
        lock (gate)
        {
            return segments.FindLast(segment => segment.Number < number);
        }
    }
}

/// <summary>A segment of an open journal; its fields are guarded by the list's lock.</summary>
internal sealed class Segment(uint number, long committedEnd)
{
    public uint Number => number;

    /// <summary>Where its last committed record ends.</summary>
    public long CommittedEnd { get; set; } = committedEnd;

    /// <summary>The file may hold more than what was committed, now or after a power cut: a failed group, or a tail that was not cut
    /// durably. Only the next segment's header tells where to stop reading.</summary>
    public bool MayHoldMore { get; set; }
}
