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

    /// <summary>Keeps a process if it is among the largest. One without resident memory never is.</summary>
    /// <param name="pid">Its id.</param>
    /// <param name="stat">What the kernel says of it.</param>
    public void Offer(int pid, in ProcessStat stat)
    {
        if (stat.ResidentPages == 0)
        {
            return; // a kernel thread, or dead
        }

        var place = Count;
        while (place > 0 && IsLarger(pid, stat, kept[place - 1]))
        {
            place--;
        }

        if (place == kept.Length)
        {
            return;
        }

        Count = Math.Min(Count + 1, kept.Length);
        Array.Copy(kept, place, kept, place + 1, Count - place - 1);
        kept[place] = new ProcessCandidate(pid, stat);
    }

    private static bool IsLarger(int pid, in ProcessStat stat, in ProcessCandidate other)
    {
        if (stat.ResidentPages != other.ResidentPages)
        {
            return stat.ResidentPages > other.ResidentPages;
        }

        return stat.CpuTicks != other.CpuTicks ? stat.CpuTicks > other.CpuTicks : pid < other.Pid;
    }
}

/// <summary>A process and what its series say.</summary>
/// <param name="pid">Its id.</param>
/// <param name="stat">What the kernel says of it.</param>
internal readonly struct ProcessCandidate(int pid, in ProcessStat stat)
{
    /// <summary>Its id.</summary>
    public int Pid { get; } = pid;

    /// <summary>When it started, ticks since boot.</summary>
    public ulong StartTicks { get; } = stat.StartTicks;

    /// <summary>Its CPU time, ticks.</summary>
    public ulong CpuTicks { get; } = stat.CpuTicks;

    /// <summary>Its resident memory, pages.</summary>
    public ulong ResidentPages { get; } = stat.ResidentPages;

    /// <summary>Its name.</summary>
    public readonly KernelName Name = new(stat.Name);
}
