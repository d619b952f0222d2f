using System.Runtime.InteropServices;

namespace Lm.Agent.HostMetrics;

/// <summary>Which processes started and ended between two looks of <see cref="ProcessSource"/>.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>The first look only learns what is there; so does one that could not see all.</item>
/// <item>Kernel threads are none: they hold no memory. A process that ended and waits for its parent holds none either, and has ended.</item>
/// <item>A process that lived between two looks is never seen; nor is one whose id another has by the next look.</item>
/// <item>At most <see cref="EachMax"/> of either kind are told, the others counted; in the steady state nothing is allocated.</item>
/// </list>
/// </remarks>
internal sealed class ProcessChanges
{
    private readonly Dictionary<int, KnownProcess> known = [];
    private readonly List<ProcessChange> started = [];
    private readonly List<ProcessChange> ended = [];
    private readonly List<int> gone = [];
    private int look;
    private bool isLearning = true;

    /// <summary>The most changes told of each kind; 0 tells none one by one.</summary>
    public int EachMax { get; set; } = 32;

    /// <summary>Whether to look at all. Switched on again, it learns what is there first.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>Processes that started, those with the lowest ids.</summary>
    public IReadOnlyList<ProcessChange> Started => started;

    /// <summary>Processes that ended.</summary>
    public IReadOnlyList<ProcessChange> Ended => ended;

    /// <summary>How many started.</summary>
    public int StartedCount { get; private set; }

    /// <summary>How many ended.</summary>
    public int EndedCount { get; private set; }

    /// <summary>Begins a look.</summary>
    public void Begin()
    {
        Told();
        look++;
        if (!IsOn && known.Count > 0)
        {
            Forget();
        }
    }

    /// <summary>The changes of the last look were told: they are not told again when the next tick has no look.</summary>
    public void Told()
    {
        started.Clear();
        ended.Clear();
        (StartedCount, EndedCount) = (0, 0);
    }

    /// <summary>A process is there.</summary>
    /// <returns>Whether it is new: then <see cref="Add"/> is to tell what it is.</returns>
    public bool See(int pid, ulong residentPages)
    {
        if (!IsOn || residentPages == 0)
        {
            return false;
        }

        ref var process = ref CollectionsMarshal.GetValueRefOrNullRef(known, pid);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref process))
        {
            return true;
        }

        process.SeenAt = look;
        return false;
    }

    /// <summary>A process is there that could not be looked at: it has not ended.</summary>
    public void Keep(int pid)
    {
        ref var process = ref CollectionsMarshal.GetValueRefOrNullRef(known, pid);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref process))
        {
            process.SeenAt = look;
        }
    }

    /// <summary>What a new process is.</summary>
    /// <param name="pid">Its id.</param>
    /// <param name="stat">Its name and start.</param>
    /// <param name="startTime">When it started, seconds since 1970.</param>
    public void Add(int pid, in ProcessStat stat, double startTime)
    {
        var process = new KnownProcess { Name = new KernelName(stat.Name), StartTime = startTime, SeenAt = look };
        known[pid] = process;
        if (!isLearning)
        {
            StartedCount++;
            Tell(started, pid, process);
        }
    }

    /// <summary>Ends a look.</summary>
    /// <param name="sawAll">Whether every process was seen.</param>
    public void End(bool sawAll)
    {
        if (!IsOn || !sawAll)
        {
            Forget();
            return;
        }

        foreach (var (pid, process) in known)
        {
            if (process.SeenAt != look)
            {
                gone.Add(pid);
            }
        }

        foreach (var pid in gone)
        {
            known.Remove(pid, out var process);
            Tell(ended, pid, process);
        }

        EndedCount = gone.Count;
        gone.Clear();
        isLearning = false;
    }

    private void Forget()
    {
        known.Clear();
        started.Clear();
        (StartedCount, isLearning) = (0, true);
    }

    private void Tell(List<ProcessChange> list, int pid, in KnownProcess process)
    {
        if (list.Count < EachMax)
        {
            list.Add(new ProcessChange(pid, LabelText.From(process.Name.Bytes), process.StartTime));
        }
    }

    private struct KnownProcess
    {
        public KernelName Name;
        public double StartTime;
        public int SeenAt;
    }
}

/// <summary>A process that started or ended.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Name">Its name when it was first seen.</param>
/// <param name="StartTime">When it started, seconds since 1970; exact to about a second.</param>
internal sealed record ProcessChange(int Pid, string Name, double StartTime);
