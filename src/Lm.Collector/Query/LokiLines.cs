using Lm.Logs.Query;

namespace Lm.Collector.Query;

/// <summary>Finds lines and gives those of one millisecond nanoseconds, since Loki's clients page by nothing but time.</summary>
/// <remarks>
/// A line's nanoseconds are its rank among the lines of its millisecond that the query finds, in the order of all lines: what <c>start</c>, <c>end</c>,
/// <c>direction</c> and <c>limit</c> are does not matter, so pages of one query join without a hole or a line twice, and a line's time is never behind that of
/// the next. The lines of one millisecond beyond the first million share its last nanosecond.
/// The price: of the millisecond in which an answer begins or ends all lines are looked at, however few are wanted.
/// </remarks>
internal sealed class LokiLines
{
    /// <summary>The last nanosecond of a millisecond.</summary>
    public const int LastNanosecond = 999_999;

    private readonly LokiAsk ask;
    private readonly LogWork work;
    private readonly long heldMax;
    private readonly int limit;
    private readonly List<LokiLine> found = [];
    private long heldBytes;

    private LokiLines(LokiAsk ask, LogWork work, long heldMax) => (this.ask, this.work, this.heldMax, limit) = (ask, work, heldMax, ask.Ask.Limit);

    /// <summary>Finds them, in the order that was asked for.</summary>
    /// <param name="ask">What is asked.</param>
    /// <param name="work">What it is found with.</param>
    /// <param name="heldMax">Bytes that the lines may hold.</param>
    /// <exception cref="LogQueryException">They hold more, or a line takes too long.</exception>
    public static IReadOnlyList<LokiLine> Find(LokiAsk ask, LogWork work, long heldMax)
    {
        var lines = new LokiLines(ask, work, heldMax);
        if (ask.Ask.IsBackward)
        {
            lines.FindBackward();
        }
        else
        {
            lines.FindForward();
        }

        return lines.found;
    }

    private void FindForward()
    {
        var (time, rank) = (long.MinValue, 0L);
        foreach (var entry in Lines(ask.Start.Milliseconds, ask.End.Milliseconds + (ask.End.Nanoseconds > 0 ? 1 : 0), isBackward: false))
        {
            rank = entry.Time == time ? rank + 1 : 0;
            time = entry.Time;
            var line = LineOf(entry, rank);
            if (line.Time.IsBefore(ask.Start))
            {
                continue;
            }

            if (!line.Time.IsBefore(ask.End))
            {
                return;
            }

            if (IsFarEnough(line))
            {
                Hold(entry);
                found.Add(line);
            }

            if (found.Count == limit)
            {
                return;
            }
        }
    }

    private void FindBackward()
    {
        TakeFromLastMillisecond();
        var group = new List<LogEntry>(); // of one millisecond, newest first, as many as can be wanted
        var (time, count) = (long.MaxValue, 0L);
        foreach (var entry in found.Count < limit ? Lines(ask.Start.Milliseconds, ask.End.Milliseconds, isBackward: true) : [])
        {
            if (entry.Time != time)
            {
                TakeGroup(group, count);
                group.Clear();
                if (found.Count == limit)
                {
                    return;
                }

                (time, count) = (entry.Time, 0);
            }

            count++;
            if (group.Count < limit - found.Count)
            {
                Hold(entry);
                group.Add(entry);
            }
        }

        TakeGroup(group, count);
    }

    // The end lies within this millisecond: ranks count from its beginning, so it is read forward and the last ones before the end are kept.
    private void TakeFromLastMillisecond()
    {
        if (ask.End.Nanoseconds == 0)
        {
            return;
        }

        var last = new Queue<LokiLine>();
        long rank = 0;
        foreach (var entry in Lines(ask.End.Milliseconds, ask.End.Milliseconds + 1, isBackward: false))
        {
            var line = LineOf(entry, rank++);
            if (!line.Time.IsBefore(ask.End))
            {
                break;
            }

            if (line.Time.IsBefore(ask.Start))
            {
                continue;
            }

            Hold(entry);
            last.Enqueue(line);
            if (last.Count > limit)
            {
                heldBytes -= last.Dequeue().Entry.HeldBytes;
            }
        }

        Take(last.Reverse());
    }

    private void TakeGroup(List<LogEntry> group, long count) =>
        Take(group.Select((entry, i) => LineOf(entry, count - 1 - i)).TakeWhile(line => !line.Time.IsBefore(ask.Start)));

    private void Take(IEnumerable<LokiLine> lines)
    {
        foreach (var line in lines)
        {
            if (found.Count == limit)
            {
                return;
            }

            if (IsFarEnough(line))
            {
                found.Add(line);
            }
        }
    }

    // By whole milliseconds: what lies behind them is no time but an order.
    private bool IsFarEnough(in LokiLine line) =>
        ask.IntervalMs == 0 || found.Count == 0 || Math.Abs(line.Entry.Time - found[^1].Entry.Time) >= ask.IntervalMs;

    private void Hold(LogEntry entry)
    {
        heldBytes += entry.HeldBytes;
        if (heldBytes > heldMax)
        {
            throw new LogQueryException($"the lines of the answer are more than {heldMax >> 20} MiB: lower the limit, or ask /api/v1/logs with Accept: application/x-ndjson");
        }
    }

    private IEnumerable<LogEntry> Lines(long from, long until, bool isBackward) => work.Engine.Lines(
        ask.Ask.Query, new LogRange { From = from, Until = until, IsBackward = isBackward }, work.Statistics, work.CancellationToken);

    private static LokiLine LineOf(LogEntry entry, long rank) => new(entry, (int)Math.Min(rank, LastNanosecond));
}

/// <summary>A line with the time that Loki's clients see.</summary>
/// <param name="Entry">The line.</param>
/// <param name="Nanoseconds">Behind its millisecond.</param>
internal readonly record struct LokiLine(LogEntry Entry, int Nanoseconds)
{
    /// <summary>Its time.</summary>
    public LokiTime Time => new(Entry.Time, Nanoseconds);
}
