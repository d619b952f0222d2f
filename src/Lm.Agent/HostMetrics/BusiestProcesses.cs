namespace Lm.Agent.HostMetrics;

/// <summary>Those of the processes that were offered that used most CPU time; of equals the one with the lower id. Who used none is never kept.</summary>
/// <param name="max">How many are kept.</param>
internal sealed class BusiestProcesses(int max)
{
    private readonly BusyProcess[] kept = new BusyProcess[max];
    private int count;

    /// <summary>Those kept, busiest first; valid until the next call that changes them.</summary>
    public ReadOnlySpan<BusyProcess> Kept => kept.AsSpan(0, count);

    /// <summary>Forgets all.</summary>
    public void Clear() => count = 0;

    /// <summary>Keeps a process if it is among the busiest.</summary>
    /// <param name="pid">Its id.</param>
    /// <param name="usedTicks">CPU time that it used.</param>
    /// <param name="stat">What else the kernel says of it.</param>
    public void Offer(int pid, ulong usedTicks, in ProcessStat stat)
    {
        var place = count;
        while (place > 0 && IsBusier(usedTicks, pid, kept[place - 1]))
        {
            place--;
        }

        if (usedTicks == 0 || place == kept.Length)
        {
            return;
        }

        count = Math.Min(count + 1, kept.Length);
        Array.Copy(kept, place, kept, place + 1, count - place - 1);
        kept[place] = new BusyProcess(new ProcessCandidate(pid, stat.ResidentPages, stat), usedTicks);
    }

    private static bool IsBusier(ulong usedTicks, int pid, in BusyProcess other) =>
        usedTicks != other.UsedTicks ? usedTicks > other.UsedTicks : pid < other.Process.Pid;
}

/// <summary>A process and the CPU time that it used of late.</summary>
internal readonly struct BusyProcess(in ProcessCandidate process, ulong usedTicks)
{
    /// <summary>The process.</summary>
    public readonly ProcessCandidate Process = process;

    /// <summary>The CPU time, ticks.</summary>
    public ulong UsedTicks { get; } = usedTicks;
}
