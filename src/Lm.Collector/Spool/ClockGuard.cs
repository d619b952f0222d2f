using System.Text.Json;
using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>Knows the newest receive time that is durable, and so when the collector's own clock cannot be right (C26).</summary>
internal sealed class ClockGuard(TimeProvider time) : IStatePart
{
    /// <summary>How far the clock may fall behind what it said before: NTP's ordinary steps.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    /// <summary>How far it may run ahead of a clock that nobody sets between two looks.</summary>
    public static readonly TimeSpan LeapMin = TimeSpan.FromMinutes(10);

    /// <summary>How long a leap is doubted: after that it was someone who set the clock right.</summary>
    public static readonly TimeSpan LeapDoubt = TimeSpan.FromHours(1);

    private readonly Lock leapGate = new(); // guards the three below
    private UnixMillis lastRight = UnixMillis.Now(time);
    private long lastRightAt = time.GetTimestamp();
    private bool isLeaping;

    private long newest = long.MinValue;

    /// <summary>The newest receive time of a durable record; the smallest value when there is none.</summary>
    public UnixMillis Newest => new(Interlocked.Read(ref newest));

    /// <summary>The time by which what is old may be deleted: what the clock says, yet no later than the newest record that a sender's clock agrees with. A
    /// clock that leaps years ahead for a minute must not delete what those years would have.</summary>
    public UnixMillis Proven
    {
        get
        {
            var now = UnixMillis.Now(time);
            var sent = new UnixMillis(Math.Max(0, Newest.Value));
            return sent < now ? sent : now;
        }
    }

    /// <summary>The time by which what stays for a while from now on is dated: what the clock says, yet no earlier than the newest durable record. Dated by a clock
    /// that is days behind, it would be due as soon as that is set right.</summary>
    public UnixMillis Dated
    {
        get
        {
            var now = UnixMillis.Now(time);
            return Newest > now ? Newest : now;
        }
    }

    /// <inheritdoc/>
    public string Name => "clock";

    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json) => json.WriteNumberValue(Newest.Value);

    /// <inheritdoc/>
    /// <remarks>A restart may read back no record that vouches for a time.</remarks>
    public void Read(JsonElement state) => Note(new UnixMillis(state.GetInt64()));

    /// <summary>A record with this receive time is durable.</summary>
    public void Note(UnixMillis receivedAt)
    {
        var known = Interlocked.Read(ref newest);
        while (receivedAt.Value > known)
        {
            var seen = Interlocked.CompareExchange(ref newest, receivedAt.Value, known);
            if (seen == known)
            {
                return;
            }

            known = seen;
        }
    }

    /// <summary>A record that only the collector's own clock gave its time is durable.</summary>
    /// <param name="at">That time.</param>
    /// <param name="vouched">The newest time that someone else gave in the record; the smallest value when nobody did.</param>
    /// <returns>The time that it counts as: a clock that ran ahead for a while must neither make the right one suspect for ever, nor keep the record
    /// for as long.</returns>
    public UnixMillis NoteOwn(UnixMillis at, UnixMillis vouched)
    {
        Note(vouched < at ? vouched : at);
        return Newest.Value == long.MinValue || Newest > at ? at : Newest;
    }

    /// <summary>Whether the clock has leapt ahead not long ago, so that what is new looks old. Asked with each request, or a slow drift passes for a leap.</summary>
    /// <param name="now">What it says.</param>
    /// <param name="ahead">By how much.</param>
    public bool HasLeapt(UnixMillis now, out TimeSpan ahead)
    {
        lock (leapGate)
        {
            var passed = time.GetElapsedTime(lastRightAt, time.GetTimestamp());
            ahead = now - lastRight.Add(passed);
            isLeaping = ahead > LeapMin && (!isLeaping || passed < LeapDoubt);
            if (!isLeaping)
            {
                (lastRight, lastRightAt) = (now, time.GetTimestamp());
            }

            return isLeaping;
        }
    }

    /// <summary>Whether the clock precedes the newest durable record.</summary>
    /// <param name="behind">By how much.</param>
    public bool IsSuspect(out TimeSpan behind) => IsSuspect(UnixMillis.Now(time), out behind);

    /// <summary>The same for a time read already.</summary>
    public bool IsSuspect(UnixMillis now, out TimeSpan behind)
    {
        var known = Newest;
        behind = known.Value == long.MinValue || known <= now ? TimeSpan.Zero : known - now;
        return behind > Tolerance;
    }
}
