using System.Text.Json;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>How far the spool has landed, and where: what allows its segments to go. And which of it the store may have alone: what keeps raw objects there.</summary>
/// <remarks>What is durable of it may be older than what is true: then the store is asked for what is there (see <see cref="RawLanding"/>). A position of another store counts for nothing.</remarks>
/// <param name="store">Names the store, and the place in it.</param>
/// <param name="marker">What tells a folder from another one.</param>
internal sealed class LandingState(string store, DirectoryMarker marker) : IStatePart
{
    /// <summary>Segments that are passed over behind a spool that lost its end, beside those that are known to have landed: the file is written for each segment that comes, so what landed
    /// since lies well within.</summary>
    public const uint SkippedSegments = 64;

    private const int CoveredMax = 64; // some hours apart, for a day
    private const int KeptMax = 64; // each is a damaged disk; of more, the oldest become one

    private readonly Lock gate = new(); // guards landed, kept, covered, headDamage
    private readonly List<(JournalPosition UpTo, UnixMillis At)> covered = []; // ascending
    private readonly List<KeptRange> kept = []; // ascending
    private JournalPosition landed;
    private int headDamage;

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

    /// <summary>Which blocks' samples are in the store.</summary>
    public LandedBlocks Blocks { get; } = new();

    /// <summary>All records before this place are in blocks and log files that are in the store, verified.</summary>
    public JournalPosition Covered
    {
        get
        {
            lock (gate)
            {
                return covered.Count > 0 ? covered[^1].UpTo : default;
            }
        }
    }

    /// <summary>How many damaged files of the head were there at the last look.</summary>
    public int HeadDamage
    {
        get
        {
            lock (gate)
            {
                return headDamage;
            }
        }

        set
        {
            lock (gate)
            {
                headDamage = value;
            }
        }
    }

    /// <inheritdoc/>
    public string Name => "landing";

    /// <summary>All records before a place are covered, since a time.</summary>
    public void AddCovered(JournalPosition upTo, UnixMillis at)
    {
        lock (gate)
        {
            if (covered.Count == CoveredMax)
            {
                covered.RemoveAt(0);
            }

            covered.Add((upTo, at));
        }
    }

    /// <summary>The place before which all was covered at a time.</summary>
    public JournalPosition CoveredBefore(UnixMillis time)
    {
        lock (gate)
        {
            return covered.FindLast(each => each.At <= time).UpTo;
        }
    }

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
            json.WriteStartArray("covered");
            foreach (var (upTo, at) in covered)
            {
                json.WriteStartObject();
                json.WriteNumber("segment", upTo.Segment);
                json.WriteNumber("offset", upTo.Offset);
                json.WriteNumber("at_ms", at.Value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("head_damage", headDamage);
            if (marker.Known is { } id)
            {
                json.WriteString("marker", id);
            }

            json.WritePropertyName("blocks");
            Blocks.Write(json);
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

            ReadCoverage(state);
        }
    }

    private void ReadCoverage(JsonElement state)
    {
        foreach (var each in state.GetProperty("covered").EnumerateArray())
        {
            AddCovered(PositionOf(each, "segment", "offset"), new UnixMillis(each.GetProperty("at_ms").GetInt64()));
        }

        marker.Known = state.TryGetProperty("marker", out var id) ? id.GetGuid() : marker.Known;
        HeadDamage = state.GetProperty("head_damage").GetInt32();
        Blocks.Read(state.GetProperty("blocks"));
    }

    private static JournalPosition PositionOf(JsonElement json, string segment, string offset) =>
        new(json.GetProperty(segment).GetUInt32(), json.GetProperty(offset).GetInt64());
}

/// <summary>A stretch of the spool's places.</summary>
/// <param name="From">Where it begins.</param>
/// <param name="To">Where it ends, exclusive.</param>
/// <param name="IsHole">Whether the spool has lost it and goes on behind it.</param>
internal readonly record struct KeptRange(JournalPosition From, JournalPosition To, bool IsHole);
