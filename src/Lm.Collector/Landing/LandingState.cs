using System.Text.Json;
using Lm.Collector.Spool;
using Lm.Journal;

namespace Lm.Collector.Landing;

/// <summary>How far the spool has landed, and where: what allows its segments to go. And which of it the store may have alone: what keeps raw objects there.</summary>
/// <remarks>What is durable of it may be older than what is true: then the store is asked for what is there (see <see cref="RawLanding"/>). A position of another store counts for nothing.</remarks>
/// <param name="store">Names the store, and the place in it.</param>
internal sealed class LandingState(string store) : IStatePart
{
    /// <summary>Segments that are passed over behind a spool that lost its end, beside those that are known to have landed: the file is written for each segment that comes, so what landed
    /// since lies well within.</summary>
    public const uint SkippedSegments = 64;

    private const int KeptMax = 64; // each is a damaged disk; of more, the oldest become one

    private readonly Lock gate = new(); // guards landed, kept
    private readonly List<KeptRange> kept = []; // ascending
    private JournalPosition landed;

    /// <summary>Everything before this place is in the store and verified.</summary>
    public JournalPosition Landed
    {
        get
        {
            lock (gate)
            {
                return landed;
            }
        }
    }

    /// <summary>Places whose records only raw objects may have, ascending.</summary>
    public IReadOnlyList<KeptRange> Kept
    {
        get
        {
            lock (gate)
            {
                return [.. kept];
            }
        }
    }

    /// <inheritdoc/>
    public string Name => "landing";

    /// <summary>Everything before this place has landed.</summary>
    public void Advance(JournalPosition to)
    {
        lock (gate)
        {
            landed = to > landed ? to : landed;
        }
    }

    /// <summary>Raw objects of these places are not deleted as covered: something here that had their records is damaged.</summary>
    public void Keep(KeptRange range)
    {
        lock (gate)
        {
            kept.RemoveAll(known => range.From <= known.From && known.To <= range.To && known.IsHole == range.IsHole);
            kept.Add(range);
            kept.Sort(static (x, y) => x.From.CompareTo(y.From));
            if (kept.Count > KeptMax)
            {
                kept[1] = new KeptRange(kept[0].From, kept[0].To > kept[1].To ? kept[0].To : kept[1].To, kept[0].IsHole && kept[1].IsHole);
                kept.RemoveAt(0);
            }
        }
    }

    /// <summary>The spool's next record comes at this position or behind it. Where more had landed, the spool has lost its newest end, and what comes must not stand where other records
    /// stood: their places are known in the store (K12, L28).</summary>
    /// <returns>The hole, behind which the spool has to go on once it is durable in the state file; null when nothing is lost.</returns>
    public KeptRange? SpoolEndsAt(JournalPosition end)
    {
        lock (gate)
        {
            if (landed <= end)
            {
                return null;
            }

            var hole = new KeptRange(end, new JournalPosition(landed.Segment + SkippedSegments, 0), IsHole: true);
            Keep(hole);
            return hole;
        }
    }

    /// <summary>Where reading goes on from a place: there, or behind the hole that it lies in.</summary>
    public JournalPosition BehindHole(JournalPosition place)
    {
        lock (gate)
        {
            foreach (var range in kept)
            {
                place = range.IsHole && range.From <= place && place < range.To ? range.To : place;
            }

            return place;
        }
    }

    /// <summary>Whether what ends at a place stood in a hole, at least in part.</summary>
    public bool IsInHole(JournalPosition end)
    {
        lock (gate)
        {
            return kept.Exists(range => range.IsHole && range.From < end && end <= range.To);
        }
    }

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        lock (gate)
        {
            json.WriteStartObject();
            json.WriteString("store", store);
            json.WriteNumber("segment", landed.Segment);
            json.WriteNumber("offset", landed.Offset);
            json.WriteStartArray("kept");
            foreach (var range in kept)
            {
                json.WriteStartObject();
                json.WriteNumber("segment", range.From.Segment);
                json.WriteNumber("offset", range.From.Offset);
                json.WriteNumber("to_segment", range.To.Segment);
                json.WriteNumber("to_offset", range.To.Offset);
                json.WriteBoolean("hole", range.IsHole);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    /// <inheritdoc/>
    public void Read(JsonElement state)
    {
        if (state.GetProperty("store").GetString() != store)
        {
            return;
        }

        Advance(PositionOf(state, "segment", "offset"));
        if (state.TryGetProperty("kept", out var ranges))
        {
            foreach (var range in ranges.EnumerateArray())
            {
                Keep(new KeptRange(PositionOf(range, "segment", "offset"), PositionOf(range, "to_segment", "to_offset"), range.GetProperty("hole").GetBoolean()));
            }
        }
    }

    private static JournalPosition PositionOf(JsonElement json, string segment, string offset) =>
        new(json.GetProperty(segment).GetUInt32(), json.GetProperty(offset).GetInt64());
}

/// <summary>A stretch of the spool's places.</summary>
/// <param name="From">Where it begins.</param>
/// <param name="To">Where it ends, exclusive.</param>
/// <param name="IsHole">Whether the spool has lost it and goes on behind it.</param>
internal readonly record struct KeptRange(JournalPosition From, JournalPosition To, bool IsHole);
