using Lm.Collector.Changes;
using Lm.Journal;
using Lm.ObjectStore;

namespace Lm.Collector.Landing;

/// <summary>Puts what people changed into the object store: each record once, in objects of their own that are never changed.</summary>
/// <remarks>
/// What has landed is known from the store: a start reads the last object and goes on behind its records. One that is damaged is put again, from its first record on.
/// One caller at a time.
/// </remarks>
/// <param name="parts">What landing works with.</param>
/// <param name="changes">The journal of changes.</param>
internal sealed class ChangeLanding(RawLandingParts parts, ChangeLog changes)
{
    private const byte NewLine = (byte)'\n';

    private readonly VerifiedPut puts = new(parts.Store, parts.Metrics, parts.Logger);
    private JournalPosition? next; // what stands before it has landed; null until the store was asked
    private long seen = -1; // bytes of the journal that were looked through

    /// <summary>Lands the oldest records that are not there.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="IOException">Store or disk failed.</exception>
    public async Task<bool> LandNextAsync(CancellationToken cancellationToken)
    {
        var size = changes.SizeBytes;
        if (changes.IsEmpty || size == seen)
        {
            return false;
        }

        var from = next ??= await FindNextAsync(cancellationToken);
        var records = new List<ReadOnlyMemory<byte>>();
        var (first, bytes) = (default(JournalPosition), 0L);
        foreach (var record in changes.Read(from))
        {
            if (record.Payload.Span.Contains(NewLine))
            {
                continue; // no change that any version wrote: JSON escapes it
            }

            first = records.Count == 0 ? record.Position : first;
            records.Add(record.Payload.ToArray());
            bytes += record.Payload.Length + 1;
            from = record.Next;
            if (bytes >= ChangeObject.GroupSize)
            {
                break;
            }
        }

        if (records.Count == 0)
        {
            seen = size;
            return false;
        }

        var key = parts.Keys.Changes(parts.Collector, changes.Id, first.Segment, first.Offset);
        await puts.RunAsync(key, ObjectContent.Of(ChangeObject.Write(records)), cancellationToken);
        next = from;
        parts.Metrics.ChangesLanded(records.Count);
        return true;
    }

    private async Task<JournalPosition> FindNextAsync(CancellationToken cancellationToken)
    {
        var (last, place) = ("", default(JournalPosition));
        await foreach (var key in StoreLists.KeysAsync(parts.Store, parts.Keys.ChangesFolder(parts.Collector, changes.Id), cancellationToken))
        {
            if (ObjectKeys.TryReadChanges(key, out var segment, out var offset))
            {
                (last, place) = (key, new JournalPosition(segment, offset));
            }
        }

        if (last.Length == 0 || await StoreLists.ReadWholeAsync(parts.Store, last, ChangeObject.SizeMax, cancellationToken) is not { } found)
        {
            return default;
        }

        IReadOnlyList<ReadOnlyMemory<byte>> records = [];
        var fault = found.Bytes is { } bytes ? ChangeObject.TryRead(bytes, out records) : $"it has {found.SizeBytes} bytes; at most {ChangeObject.SizeMax} are expected";
        if (fault is not null)
        {
            LandingLog.PutDamaged(parts.Logger, last, fault);
            return place;
        }

        return changes.Read(place).Where(static record => !record.Payload.Span.Contains(NewLine)).Take(records.Count).Select(static record => record.Next).LastOrDefault(place);
    }
}
