using System.Text.Json;
using Lm.Collector.Spool;
using Lm.Journal;

namespace Lm.Collector.Landing;

/// <summary>How far the spool has landed, and where: what allows its segments to go.</summary>
/// <remarks>What is durable of it may be older than what is true: then the store is asked for what is there (see <see cref="RawLanding"/>). A position of another store counts for nothing.</remarks>
/// <param name="store">Names the store, and the place in it.</param>
internal sealed class LandingState(string store) : IStatePart
{
    private readonly Lock gate = new(); // guards landed
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

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json)
    {
        var now = Landed;
        json.WriteStartObject();
        json.WriteString("store", store);
        json.WriteNumber("segment", now.Segment);
        json.WriteNumber("offset", now.Offset);
        json.WriteEndObject();
    }

    /// <inheritdoc/>
    public void Read(JsonElement state)
    {
        if (state.GetProperty("store").GetString() == store)
        {
            Advance(new JournalPosition(state.GetProperty("segment").GetUInt32(), state.GetProperty("offset").GetInt64()));
        }
    }
}
