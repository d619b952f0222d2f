using System.Diagnostics.CodeAnalysis;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>What of the shared log is on this disk: what queries need not ask the store for, and what may go here because it is there.</summary>
/// <remarks>
/// What is not known to be here counts as not here: it is read from the store then, and found once. Durable in the mark (docs/formats/commit.md), together with how far the copy is.
/// Safe for concurrent use.
/// </remarks>
internal sealed class LocalCopy
{
    private const int MissingMax = 64; // each is a disk that was lost, or days away; of more, the oldest become one
    private static readonly TimeSpan NoteInterval = TimeSpan.FromMinutes(1);

    private readonly SharedLogMark mark;
    private readonly Guid incarnation;
    private readonly TimeProvider time;
    private readonly Lock gate = new(); // guards all below, and writing
    private readonly List<(long First, long Last)> missing; // ascending
    private readonly Queue<(long AtMs, long Applied)> notes = []; // ascending
    private List<(long First, long Last)> durable; // what of the missing the mark says
    private long keptSince;
    private long safeUntil = long.MinValue;

    /// <summary>Reads the mark, and makes it where there is none.</summary>
    /// <exception cref="IOException">The spool is no copy of this log, or the mark cannot be written.</exception>
    public LocalCopy(SharedLogMark mark, Guid incarnation, bool hasRecords, TimeProvider time)
    {
        (this.mark, this.incarnation, this.time) = (mark, incarnation, time);
        var state = mark.Read(incarnation, hasRecords, UnixMillis.Now(time));
        (Applied, missing, keptSince) = (state.Applied, [.. state.Missing], state.KeptSinceMs);
        WriteMark(Applied, keptSince);
    }

    /// <summary>All commits up to this one are here, but for those that were skipped: as the mark says.</summary>
    public long Applied { get; private set; }

    /// <summary>Whether something here was found damaged: then nothing counts as being here.</summary>
    public Func<bool> IsDamaged { get; init; } = static () => false;

    /// <summary>Commits whose records did not come here, or not all of them.</summary>
    public IReadOnlyList<(long First, long Last)> Missing
    {
        get
        {
            lock (gate)
            {
                return [.. missing];
            }
        }
    }

    /// <summary>Records of these commits do not come here: durable with the next <see cref="Write"/>, before which they are asked for again.</summary>
    public void Skip(long first, long last)
    {
        lock (gate)
        {
            if (missing.Count > 0 && missing[^1].Last >= first - 1)
            {
                missing[^1] = (Math.Min(missing[^1].First, first), Math.Max(missing[^1].Last, last));
            }
            else
            {
                missing.Add((first, last));
            }

            if (missing.Count > MissingMax)
            {
                missing[1] = (missing[0].First, missing[1].Last);
                missing.RemoveAt(0);
            }
        }
    }

    /// <summary>Not all of a commit's records come here. Durable on return: those that do are not looked at again.</summary>
    /// <exception cref="IOException">It could not be made so: none may come.</exception>
    public void Cut(long number)
    {
        lock (gate)
        {
            if (!durable.Exists(hole => hole.First <= number && number <= hole.Last))
            {
                Skip(number, number);
                WriteMark(Applied, keptSince);
            }
        }
    }

    /// <summary>Makes durable how far the copy is.</summary>
    /// <exception cref="IOException">It could not be.</exception>
    public void Write(long applied)
    {
        lock (gate)
        {
            WriteMark(applied, keptSince);
            Applied = applied;
        }
    }

    /// <summary>Files that are to be deleted here have nothing newer than a time. Durable on return.</summary>
    /// <exception cref="IOException">It could not be made so: they must stay.</exception>
    public void Going(long newestMs)
    {
        lock (gate)
        {
            if (newestMs >= keptSince)
            {
                WriteMark(Applied, newestMs + 1);
                keptSince = newestMs + 1;
            }
        }
    }

    /// <summary>Whether all that a file holds is here.</summary>
    /// <param name="commits">The first and the last commit of whose records it holds some; null when that is not known.</param>
    /// <param name="oldestMs">Nothing in it is older, milliseconds since 1970.</param>
    public bool Holds((long First, long Last)? commits, long oldestMs)
    {
        lock (gate)
        {
            return commits is { } range && oldestMs >= keptSince && range.Last <= Applied && !missing.Exists(hole => hole.First <= range.Last && range.First <= hole.Last) && !IsDamaged();
        }
    }

    /// <summary>All commits up to this one are in the spool now.</summary>
    public void Note(long applied)
    {
        lock (gate)
        {
            var now = UnixMillis.Now(time).Value;
            if (notes.Count > 0 && now < notes.Last().AtMs)
            {
                notes.Clear(); // the clock went back: what was made since has a name from before
            }

            if (notes.Count == 0 || now - notes.Last().AtMs >= NoteInterval.TotalMilliseconds)
            {
                notes.Enqueue((now, applied));
            }
        }
    }

    /// <summary>Queries here find in the store what blocks and log files have of commits up to this one.</summary>
    public void Listed(long published)
    {
        lock (gate)
        {
            while (notes.TryPeek(out var note) && note.Applied <= published)
            {
                safeUntil = note.AtMs;
                notes.Dequeue();
            }
        }
    }

    /// <summary>Whether a block or log file may be deleted here: what it holds is in blocks and log files in the store, read back there, and queries know of them.</summary>
    /// <param name="file">Its name, which says when it was made: what it holds was here by then.</param>
    public bool MayGo(Ulid file)
    {
        lock (gate)
        {
            return file.CreatedMs < safeUntil;
        }
    }

    [MemberNotNull(nameof(durable))]
    private void WriteMark(long applied, long keptSinceMs)
    {
        mark.Write(incarnation, new CopyState(applied, missing, keptSinceMs));
        durable = [.. missing];
    }
}

/// <summary>What the mark says.</summary>
/// <param name="Applied">The spool has all that commits up to this one made visible, but for <paramref name="Missing"/>.</param>
/// <param name="Missing">Commits whose records did not come here, ascending.</param>
/// <param name="KeptSinceMs">What was deleted here is older, milliseconds since 1970.</param>
internal sealed record CopyState(long Applied, IReadOnlyList<(long First, long Last)> Missing, long KeptSinceMs);
