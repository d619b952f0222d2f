using Lm.Logs.Lines;

namespace Lm.Logs.Sealing;

/// <summary>Goes through the lines of several runs in order. A run is opened when its oldest line may be the next one: runs behind each other take the memory of one.</summary>
/// <remarks>For one thread.</remarks>
/// <param name="runs">By their oldest line.</param>
/// <param name="texts">The streams.</param>
/// <param name="roomUsual">Bytes of a usual frame's lines.</param>
internal sealed class LineMerge(IReadOnlyList<SortedRun> runs, StreamTexts texts, int roomUsual)
{
    private readonly PriorityQueue<RunCursor, LogKey> waiting = new(Comparer<LogKey>.Create(static (left, right) => left.CompareTo(right)));
    private readonly Stack<RunCursor> idle = [];
    private readonly List<RunCursor> all = [];
    private RunCursor? current;
    private LogKey limit; // of the first that waits
    private bool hasLimit;
    private int next;

    /// <summary>Frames, and lines, that cannot be read.</summary>
    public long Damaged => all.Sum(static cursor => (long)cursor.Damaged);

    private long NextTime => next < runs.Count ? runs[next].MinTime : long.MaxValue;

    /// <summary>Goes to the next line.</summary>
    /// <param name="line">Stands at it until the next call.</param>
    /// <returns>False: there is none.</returns>
    /// <exception cref="IOException">A frame cannot be read.</exception>
    public bool MoveNext(out RunCursor line)
    {
        if (current is not null)
        {
            if (!current.MoveNext())
            {
                idle.Push(current);
            }
            else if (IsFirst(current))
            {
                line = current; // most lines follow one of their own run
                return true;
            }
            else
            {
                waiting.Enqueue(current, current.Key);
            }
        }

        Open();
        if (!waiting.TryDequeue(out current, out _))
        {
            line = null!;
            return false;
        }

        hasLimit = waiting.TryPeek(out _, out limit);
        line = current;
        return true;
    }

    private bool IsFirst(RunCursor cursor) =>
        cursor.Key.Time < NextTime && (!hasLimit || cursor.Key.CompareTo(limit) <= 0);

    private void Open()
    {
        while (next < runs.Count && (!waiting.TryPeek(out _, out var first) || NextTime <= first.Time))
        {
            if (!idle.TryPop(out var cursor))
            {
                cursor = new RunCursor(texts, roomUsual);
                all.Add(cursor);
            }

            cursor.Begin(runs[next++]);
            if (cursor.MoveNext())
            {
                waiting.Enqueue(cursor, cursor.Key);
            }
            else
            {
                idle.Push(cursor);
            }
        }
    }
}
