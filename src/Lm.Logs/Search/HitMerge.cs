using Lm.Logs.Lines;

namespace Lm.Logs.Search;

/// <summary>What was found in frames and is not given out yet, in the order of the search.</summary>
internal sealed class HitMerge<T>(bool isBackward)
{
    private readonly List<Run> heap = []; // the run whose next line comes first is at the top

    /// <summary>Bytes in memory, about; those of a frame count until its last line has gone.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Adds what was found in a frame.</summary>
    public void Add(FrameHits<T> hits)
    {
        if (hits.Lines.Length == 0)
        {
            return;
        }

        heap.Add(new Run(hits));
        HeldBytes += hits.HeldBytes;
        for (var at = heap.Count - 1; at > 0;)
        {
            var parent = (at - 1) / 2;
            if (Compare(heap[parent].Key, heap[at].Key) <= 0)
            {
                break;
            }

            (heap[parent], heap[at]) = (heap[at], heap[parent]);
            at = parent;
        }
    }

    /// <summary>The next line's place.</summary>
    public bool TryPeek(out LogKey key)
    {
        key = heap.Count == 0 ? default : heap[0].Key;
        return heap.Count > 0;
    }

    /// <summary>Takes the next line.</summary>
    public T Take() => TakeFound().Value;

    private Found<T> TakeFound()
    {
        var run = heap[0];
        var line = run.Line;
        if (!run.MoveNext())
        {
            HeldBytes -= run.HeldBytes;
            heap[0] = heap[^1];
            heap.RemoveAt(heap.Count - 1);
        }

        SiftDown();
        return line;
    }

    /// <summary>Forgets the later half of all lines.</summary>
    /// <returns>The last that stays.</returns>
    public LogKey Halve()
    {
        var count = heap.Sum(static run => run.Left);
        var kept = new Found<T>[(count + 1) / 2];
        for (var i = 0; i < kept.Length; i++)
        {
            kept[i] = TakeFound();
        }

        Become(kept);
        return kept[^1].Key;
    }

    /// <summary>Forgets the lines behind a place.</summary>
    public void ForgetBehind(in LogKey last)
    {
        var kept = new List<Found<T>>();
        while (TryPeek(out var key) && Compare(key, last) <= 0)
        {
            kept.Add(TakeFound());
        }

        Become([.. kept]);
    }

    private void Become(Found<T>[] lines)
    {
        heap.Clear();
        HeldBytes = 0;
        Add(new FrameHits<T>(lines, lines.Sum(static line => line.Size), null));
    }

    private void SiftDown()
    {
        for (var at = 0; ;)
        {
            var child = (2 * at) + 1;
            if (child >= heap.Count)
            {
                return;
            }

            child += child + 1 < heap.Count && Compare(heap[child + 1].Key, heap[child].Key) < 0 ? 1 : 0;
            if (Compare(heap[at].Key, heap[child].Key) <= 0)
            {
                return;
            }

            (heap[at], heap[child]) = (heap[child], heap[at]);
            at = child;
        }
    }

    private int Compare(in LogKey left, in LogKey right) => isBackward ? right.CompareTo(left) : left.CompareTo(right);

    private sealed class Run(FrameHits<T> hits)
    {
        private int next;

        public LogKey Key => hits.Lines[next].Key;

        public Found<T> Line => hits.Lines[next];

        public int Left => hits.Lines.Length - next;

        public long HeldBytes => hits.HeldBytes;

        public bool MoveNext() => ++next < hits.Lines.Length;
    }
}
