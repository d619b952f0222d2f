using System.Runtime.InteropServices;
using Lm.Collector.Spool;
using Lm.Journal;

namespace Lm.Collector.Live;

/// <summary>Copies what became durable into a ring while someone listens, and costs next to nothing else.</summary>
/// <remarks>Consumers see a record after its sync, so whatever leaves from here was acknowledged, or its acknowledgement is due (G33). It never waits for
/// who reads.</remarks>
internal sealed class LiveRecorder : IBatchConsumer
{
    /// <summary>How much history there is for those who come back.</summary>
    public const int HistoryBytes = 16 << 20;

    private readonly Lock gate = new(); // guards last
    private LiveRing? ring;
    private bool isOn;
    private JournalPosition last;

    /// <summary>The newest record's place.</summary>
    public JournalPosition Last
    {
        get
        {
            lock (gate)
            {
                return last;
            }
        }
    }

    /// <summary>Begins to record, if it does not yet.</summary>
    /// <returns>The ring, and the oldest place in it without a hole behind it; null when it records already.</returns>
    public (LiveRing Ring, long? From) Start()
    {
        var records = ring ??= new LiveRing(HistoryBytes);
        if (Volatile.Read(ref isOn))
        {
            return (records, null);
        }

        var from = records.Head;
        Volatile.Write(ref isOn, true);
        return (records, from);
    }

    /// <summary>Records no more: nobody listens.</summary>
    public void Stop() => Volatile.Write(ref isOn, false);

    /// <inheritdoc/>
    public void Apply(AcceptedBatch batch)
    {
        if (Pass(batch.Position, out var before) is { } into)
        {
            var entry = Entry(LiveEntryKind.Batch, batch.Position, before, batch.ReceivedAt.Value) with
            {
                OldestAccepted = batch.Verdict.OldestAccepted.Value,
                NewestAccepted = long.MaxValue,
                SeriesEnd = int.MaxValue,
                FrameBytes = batch.FrameBytes,
            };
            into.Append(entry, Span(batch.Verdict.DroppedSeries), Span(batch.Verdict.DroppedLogs), batch.Batch.Payload.Span);
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedWrite write)
    {
        if (Pass(write.Position, out var before) is { } into)
        {
            var entry = Entry(LiveEntryKind.Write, write.Position, before, write.ReceivedAt.Value) with
            {
                OldestAccepted = write.Verdict.OldestAccepted.Value,
                NewestAccepted = write.Verdict.NewestAccepted.Value,
                SeriesEnd = write.Verdict.SeriesEnd,
            };
            into.Append(entry, Span(write.Verdict.DroppedSeries), [], write.Write.Payload.Span);
        }
    }

    /// <inheritdoc/>
    public void Apply(AcceptedUps ups)
    {
        if (Pass(ups.Position, out var before) is { } into)
        {
            into.Append(Entry(LiveEntryKind.Ups, ups.Position, before, ups.At.Value), [], [], UpRecord.Write(ups.At, ups.Agents));
        }
    }

    private LiveRing? Pass(JournalPosition position, out JournalPosition before)
    {
        lock (gate)
        {
            (before, last) = (last, position);
        }

        return Volatile.Read(ref isOn) ? ring : null;
    }

    private static LiveEntry Entry(LiveEntryKind kind, JournalPosition position, JournalPosition before, long receivedAt) => new()
    {
        Kind = kind,
        Segment = position.Segment,
        Offset = position.Offset,
        SegmentBefore = before.Segment,
        OffsetBefore = before.Offset,
        ReceivedAt = receivedAt,
        OldestAccepted = long.MinValue,
    };

    private static ReadOnlySpan<int> Span(IReadOnlyList<int> list) => list switch
    {
        int[] array => array,
        List<int> made => CollectionsMarshal.AsSpan(made),
        { Count: 0 } => [],
        _ => list.ToArray(),
    };
}
