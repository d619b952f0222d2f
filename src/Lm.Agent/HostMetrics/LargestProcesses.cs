namespace Lm.Agent.HostMetrics;

/// <summary>The largest of the processes that were offered: by resident memory, then CPU time, both falling, then by process id, rising.</summary>
/// <param name="max">How many are kept.</param>
internal sealed class LargestProcesses(int max)
{
    private readonly ProcessCandidate[] kept = new ProcessCandidate[max];

    /// <summary>How many are kept now.</summary>
    public int Count { get; private set; }

    /// <summary>Those kept, largest first; valid until the next call that changes them.</summary>
    public ReadOnlySpan<ProcessCandidate> Kept => kept.AsSpan(0, Count);

    /// <summary>Forgets all.</summary>
    public void Clear() => Count = 0;

    /// <summary>Whether a process may be among the largest: there is room, or it holds no less than the last of those kept.</summary>
    /// <param name="residentPages">What it holds. Nothing, as a kernel thread or the dead, is never enough.</param>
    public bool HasRoomFor(ulong residentPages) =>
        residentPages > 0 && kept.Length > 0 && (Count < kept.Length || residentPages >= kept[^1].ResidentPages);

    /// <summary>Keeps a process if it is among the largest.</summary>
    /// <param name="pid">Its id.</param>
    /// <param name="residentPages">What it holds, as <see cref="HasRoomFor"/> was asked: <c>stat</c> may count otherwise.</param>
    /// <param name="stat">What else the kernel says of it.</param>
    public void Offer(int pid, ulong residentPages, in ProcessStat stat)
    {
        var candidate = new ProcessCandidate(pid, residentPages, stat);
        var place = Count;
        while (place > 0 && IsLarger(candidate, kept[place - 1]))
        {
            place--;
        }

        if (place == kept.Length)
        {
            return;
        }

        Count = Math.Min(Count + 1, kept.Length);
        Array.Copy(kept, place, kept, place + 1, Count - place - 1);
        kept[place] = candidate;
    }

    private static bool IsLarger(in ProcessCandidate one, in ProcessCandidate other)
    {
        if (one.ResidentPages != other.ResidentPages)
        {
            return one.ResidentPages > other.ResidentPages;
        }

        return one.CpuTicks != other.CpuTicks ? one.CpuTicks > other.CpuTicks : one.Pid < other.Pid;
    }
}

/// <summary>A process and what its series say.</summary>
/// <param name="pid">Its id.</param>
/// <param name="residentPages">What it holds.</param>
/// <param name="stat">What else the kernel says of it.</param>
internal readonly struct ProcessCandidate(int pid, ulong residentPages, in ProcessStat stat)
{
    /// <summary>Its id.</summary>
    public int Pid { get; } = pid;

    /// <summary>When it started, ticks since boot.</summary>
    public ulong StartTicks { get; } = stat.StartTicks;

    /// <summary>Its CPU time, ticks.</summary>
    public ulong CpuTicks { get; } = stat.CpuTicks;

    /// <summary>Its resident memory, pages.</summary>
    public ulong ResidentPages { get; } = residentPages;

    /// <summary>Its name.</summary>
    public readonly KernelName Name = new(stat.Name);
}
