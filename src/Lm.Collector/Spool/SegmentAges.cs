using System.Text.Json;
using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>What is known of each segment's records: when the newest came, and whether some have no other place yet.</summary>
internal sealed class SegmentAges : IStatePart
{
    private readonly Lock gate = new(); // guards known
    private readonly SortedDictionary<uint, Content> known = [];

    /// <inheritdoc/>
    public string Name => "segments";

    /// <summary>A record of a segment came.</summary>
    /// <param name="segment">Which segment.</param>
    /// <param name="receivedAt">When.</param>
    /// <param name="isOnlyHere">Whether it holds what is stored nowhere else: alert records.</param>
    public void Note(uint segment, UnixMillis receivedAt, bool isOnlyHere)
    {
        lock (gate)
        {
            var content = known.GetValueOrDefault(segment, new Content(receivedAt, false));
            known[segment] = new Content(receivedAt > content.Newest ? receivedAt : content.Newest, content.IsOnlyHere || isOnlyHere);
        }
    }

    /// <summary>A record of a segment cannot be read. It is treated as a log record that came when it was first found so: a newer program may read it, or a person
    /// may want to see it, but not for ever.</summary>
    /// <param name="segment">Which segment.</param>
    /// <param name="now">When it was found; of no use when the segment is known from an earlier start or by other records.</param>
    public void NoteUnreadable(uint segment, UnixMillis now)
    {
        lock (gate)
        {
            known[segment] = known.GetValueOrDefault(segment, new Content(now, true)) with { IsOnlyHere = true };
        }
    }

    /// <summary>The first segment that must stay. Asked after the replay: a segment of which nothing is known then holds no record, since state file and replay
    /// together tell of all others.</summary>
    /// <param name="segments">The segments that there are, oldest first.</param>
    /// <param name="stored">The first segment with samples or sequences that are not stored elsewhere.</param>
    /// <param name="before">What is stored nowhere else may go when it is older.</param>
    public uint FirstToKeep(IEnumerable<uint> segments, uint stored, UnixMillis before)
    {
        lock (gate)
        {
            var keep = 0U;
            foreach (var segment in segments)
            {
                keep = segment;
                if (segment >= stored || (known.TryGetValue(segment, out var content) && content.IsOnlyHere && content.Newest >= before))
                {
                    break;
                }
            }

            return keep;
        }
    }

    /// <summary>Whether a segment is known to hold what is stored nowhere else.</summary>
    public bool IsOnlyHere(uint segment)
    {
        lock (gate)
        {
            return known.TryGetValue(segment, out var content) && content.IsOnlyHere;
        }
    }

    /// <summary>The segments before this one are gone.</summary>
    public void Forget(uint before)
    {
        lock (gate)
        {
            foreach (var segment in known.Keys.Where(segment => segment < before).ToArray())
            {
                known.Remove(segment);
            }
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        lock (gate)
        {
            json.WriteStartArray();
            foreach (var (segment, content) in known)
            {
                json.WriteStartObject();
                json.WriteNumber("segment", segment);
                json.WriteNumber("newest_ms", content.Newest.Value);
                json.WriteBoolean("only_here", content.IsOnlyHere);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    /// <inheritdoc/>
    public void Read(JsonElement state)
    {
        foreach (var entry in state.EnumerateArray())
        {
            Note(
                entry.GetProperty("segment").GetUInt32(),
                new UnixMillis(entry.GetProperty("newest_ms").GetInt64()),
                entry.GetProperty("only_here").GetBoolean());
        }
    }

    private readonly record struct Content(UnixMillis Newest, bool IsOnlyHere);
}
