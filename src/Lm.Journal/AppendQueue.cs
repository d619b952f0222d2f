namespace Lm.Journal;

/// <summary>What stands between appenders and the writer: those handed over, within a budget of bytes, and behind them those
/// that wait for room, in order of arrival.</summary>
internal sealed class AppendQueue(long sizeMax)
{
    private readonly object gate = new(); // guards all fields; a Monitor, for the writer waits on it
    private readonly Queue<PendingAppend> taken = [];
    private readonly LinkedList<PendingAppend> waiting = [];
    private long takenBytes; // those of `taken` and of the group in the writer's hands
    private bool closed;

    /// <summary>Hands an append over, or lets it wait for room.</summary>
    /// <returns>False when the queue is closed.</returns>
    public bool TryAdd(PendingAppend append, out LinkedListNode<PendingAppend>? place)
    {
        place = null;
        lock (gate)
        {
            if (closed)
            {
                return false;
            }

            if (waiting.Count == 0 && HasRoom(append))
            {
                Take(append);
            }
            else
            {
                place = waiting.AddLast(append);
            }

            return true;
        }
    }

    /// <summary>Withdraws an append that still waits for room.</summary>
    /// <returns>False when it was handed over already.</returns>
    public bool TryWithdraw(LinkedListNode<PendingAppend> place)
    {
        lock (gate)
        {
            if (place.List is null)
            {
                return false;
            }

            waiting.Remove(place);
            Admit(); // the ones behind may be smaller
            return true;
        }
    }

    /// <summary>Waits for the next append and returns it without taking it; null when the queue is closed and empty.</summary>
    public PendingAppend? WaitForNext()
    {
        lock (gate)
        {
            while (taken.Count == 0)
            {
                if (closed)
                {
                    return null; // with nothing handed over there is room, so nobody waits for it either
                }

                Monitor.Wait(gate);
            }

            return taken.Peek();
        }
    }

    /// <summary>Takes the first append, and those behind it as long as all fit in <paramref name="room"/> bytes.</summary>
    public void TakeGroup(List<PendingAppend> group, long room)
    {
        lock (gate)
        {
            do
            {
                var append = taken.Dequeue();
                group.Add(append);
                room -= append.RecordSize;
            }
            while (taken.TryPeek(out var next) && next.RecordSize <= room);
        }
    }

    /// <summary>Gives back the room of a group that has ended.</summary>
    public void Release(long bytes)
    {
        lock (gate)
        {
            takenBytes -= bytes;
            Admit();
        }
    }

    /// <summary>Takes no more; what was added is still to be written.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            Monitor.PulseAll(gate);
        }
    }

    // An append larger than the whole budget is taken alone.
    private bool HasRoom(PendingAppend append) => takenBytes == 0 || takenBytes + append.RecordSize <= sizeMax;

    private void Admit()
    {
        while (waiting.First is { } first && HasRoom(first.Value))
        {
            waiting.RemoveFirst();
            Take(first.Value);
        }
    }

    private void Take(PendingAppend append)
    {
        taken.Enqueue(append);
        takenBytes += append.RecordSize;
        Monitor.Pulse(gate); // the writer alone waits here
    }
}
