using System.Globalization;
using System.Runtime.InteropServices;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Processes by state, those that use most CPU time and hold most memory, and what all others use together.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Every process costs one read of its <c>stat</c>, which stays open for <see cref="KeptMax"/> processes: opening and closing it costs as much again as reading it.
/// Command lines and environments are never read: they hold secrets.</item>
/// <item>Most CPU time is what was used since the last round; in the first one, since each process started. Kernel threads are among these.</item>
/// <item>Most memory is in the heartbeat's order: resident memory, CPU time, then process id. Who is among both has its series once.</item>
/// <item>A process that goes away while it is read is not counted; one that cannot be read or understood is counted as one of the others.</item>
/// </list>
/// </remarks>
internal sealed class ProcessesSource : IMetricSource, IDisposable
{
    // The states that every host has, whether any process is in them or not: a rule on zombies needs the zero.
    private const string States = "DIRSTZ";
    private const int StateLetters = 128;
    private const ulong Init = 1;

    // The others of the files that may be kept are the other sources'.
    private const int KeptMax = 256;

    private static readonly MetricDescriptor CpuSeconds = Metric.Counter("lightmetrics_host_process_cpu_seconds_total", "seconds",
        "CPU time that a process has used in user and kernel mode; of those that use most CPU or hold most memory.");

    private static readonly MetricDescriptor ResidentBytes = Metric.Gauge("lightmetrics_host_process_resident_memory_bytes", "bytes",
        "Memory that a process holds; of those that use most CPU or hold most memory.");

    private static readonly MetricDescriptor Omitted = Metric.Gauge("lightmetrics_host_processes_omitted", "",
        "Processes, kernel threads included, that have no series of their own.");

    private static readonly MetricDescriptor OmittedCpuSeconds = Metric.Counter("lightmetrics_host_processes_omitted_cpu_seconds_total", "seconds",
        "CPU time that processes without series of their own have used, since the agent started.");

    private static readonly MetricDescriptor OmittedResidentBytes = Metric.Gauge("lightmetrics_host_processes_omitted_resident_memory_bytes", "bytes",
        "Memory that processes without series of their own hold; what they share counts for each.");

    private static readonly MetricDescriptor Orphans = Metric.Gauge("lightmetrics_host_processes_orphaned", "",
        "Processes whose parent is process 1: services, and processes whose parent has ended.");

    private static readonly MetricDescriptor State = Metric.Gauge("node_processes_state", "", "Processes by state.");
    private static readonly MetricDescriptor Pids = Metric.Gauge("node_processes_pids", "", "Processes, kernel threads included.");
    private static readonly MetricDescriptor PidsMax = Metric.Gauge("node_processes_max_processes", "", "The highest process id that the kernel gives.");
    private static readonly MetricDescriptor Threads = Metric.Gauge("node_processes_threads", "", "Threads of all processes.");
    private static readonly MetricDescriptor ThreadsMax = Metric.Gauge("node_processes_max_threads", "", "The most threads that the kernel runs.");

    private readonly HostRoots roots;
    private readonly BootTime bootTime;
    private readonly LargestProcesses largest;
    private readonly BusiestProcesses busiest;
    private readonly ProcessLabels labels;
    private readonly ProcessChanges? changes;
    private readonly KeptFile pidMax;
    private readonly KeptFile threadsMax;
    private readonly Dictionary<int, Known> known = [];
    private readonly List<int> gone = [];
    private readonly int[] stateCounts = new int[StateLetters];
    private readonly Label[] stateLabels = new Label[StateLetters];
    private Totals totals;
    private ulong omittedCpuTicks;
    private int round;

    /// <summary>Reads <c>PID/stat</c> of all processes, and the boot time from <c>stat</c>.</summary>
    /// <param name="roots">Where they are.</param>
    /// <param name="top">How many of those that use most CPU, and that hold most memory, have series.</param>
    /// <param name="time">Tells when the wall clock was set.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    public ProcessesSource(HostRoots roots, (int Cpu, int Memory) top, TimeProvider time, ProcessChanges? changes)
    {
        this.roots = roots;
        this.changes = changes;
        bootTime = new BootTime(roots.Proc, time);
        largest = new LargestProcesses(top.Memory);
        busiest = new BusiestProcesses(top.Cpu);
        labels = new ProcessLabels(top.Cpu + top.Memory);
        pidMax = new KeptFile(roots.Proc, "sys/kernel/pid_max", isOneRead: true);
        threadsMax = new KeptFile(roots.Proc, "sys/kernel/threads-max", isOneRead: true);
        for (var letter = 0; letter < StateLetters; letter++)
        {
            stateLabels[letter] = new Label("state", ((char)letter).ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <inheritdoc/>
    public string Name => "processes";

    /// <summary>Files that are open.</summary>
    public int KeptCount { get; private set; }

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        changes?.Begin();
        if (!bootTime.TryRefresh(out var errno))
        {
            return errno != 0
                ? SourceOutcome.Unreadable(bootTime.FileName, errno)
                : SourceOutcome.Malformed(bootTime.FileName, "a line 'btime' with the seconds since 1970 at which the host was started");
        }

        errno = Scan();
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(roots.Proc.Root, errno);
        }

        return totals.Understood == 0
            ? SourceOutcome.Malformed(roots.Proc.Root, "a folder for each process with a readable file 'stat'")
            : Add(sink);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        pidMax.Dispose();
        threadsMax.Dispose();
        foreach (var pid in known.Keys)
        {
            Release(ref CollectionsMarshal.GetValueRefOrNullRef(known, pid).Descriptor);
        }

        known.Clear();
    }

    private int Scan()
    {
        round++;
        totals = default;
        largest.Clear();
        busiest.Clear();
        Array.Clear(stateCounts);
        var errno = roots.Proc.OpenProcesses(out var directory);
        if (errno != 0)
        {
            return errno;
        }

        using (directory)
        {
            while (directory.TryNext(out var pid))
            {
                if (totals.Seen >= ProcessSource.ScanMax)
                {
                    totals.Seen++;
                    continue;
                }

                Look(pid);
            }

            changes?.End(sawAll: directory.Errno == 0 && totals.Seen <= ProcessSource.ScanMax);
            Forget();
            return directory.Errno;
        }
    }

    private void Look(int pid)
    {
        ref var process = ref CollectionsMarshal.GetValueRefOrAddDefault(known, pid, out var isKnown);
        process.Descriptor = isKnown ? process.Descriptor : -1;
        var errno = Read(pid, ref process.Descriptor, out var text);
        if (errno is Libc.NotFound or Libc.NoSuchProcess)
        {
            return;
        }

        totals.Seen++;
        if (errno != 0 || !ProcPidStat.TryParse(text, out var stat))
        {
            changes?.Keep(pid);
            return;
        }

        totals.Understood++;
        totals.Threads += stat.ThreadCount;
        totals.ResidentPages += stat.ResidentPages;
        totals.Orphans += stat.ParentId == Init ? 1 : 0;
        stateCounts[stat.State % StateLetters]++;
        var used = Used(ref process, stat);
        totals.UsedTicks += used;
        if (largest.HasRoomFor(stat.ResidentPages))
        {
            largest.Offer(pid, stat.ResidentPages, stat);
        }

        busiest.Offer(pid, used, stat);
        if (changes is not null && changes.See(pid, stat.ResidentPages))
        {
            changes.Add(pid, stat, bootTime.Seconds + roots.Units.Seconds(stat.StartTicks));
        }
    }

    /// <summary>CPU time since the last round.</summary>
    private ulong Used(ref Known process, in ProcessStat stat)
    {
        var before = process.StartTicks == stat.StartTicks ? process.CpuTicks : 0; // of one that is new nothing is known, which is 0, too
        var used = stat.CpuTicks > before ? stat.CpuTicks - before : 0;
        process = process with { StartTicks = stat.StartTicks, CpuTicks = stat.CpuTicks, UsedTicks = used, Round = round };
        return used;
    }

    private int Read(int pid, ref int descriptor, out ReadOnlySpan<byte> text)
    {
        var wasKept = descriptor >= 0;
        var errno = roots.Proc.ReadKept(pid, "stat"u8, ref descriptor, keeps: wasKept || KeptCount < KeptMax, out text);
        KeptCount += (descriptor >= 0 ? 1 : 0) - (wasKept ? 1 : 0);
        return errno;
    }

    private void Release(ref int descriptor)
    {
        KeptCount -= descriptor >= 0 ? 1 : 0;
        roots.Proc.Release(ref descriptor);
    }

    private void Forget()
    {
        if (known.Count == totals.Understood)
        {
            return;
        }

        foreach (var (pid, process) in known)
        {
            if (process.Round != round)
            {
                gone.Add(pid);
            }
        }

        foreach (var pid in gone)
        {
            known.Remove(pid, out var process);
            Release(ref process.Descriptor);
        }

        gone.Clear();
    }

    private SourceOutcome Add(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        var (told, pages, ticks) = (0, 0UL, 0UL);
        foreach (ref readonly var process in largest.Kept)
        {
            AddProcess(ref series, process);
            (told, pages, ticks) = (told + 1, pages + process.ResidentPages, ticks + known[process.Pid].UsedTicks);
        }

        foreach (ref readonly var process in busiest.Kept)
        {
            if (!IsLargest(process.Process.Pid))
            {
                AddProcess(ref series, process.Process);
                (told, pages, ticks) = (told + 1, pages + process.Process.ResidentPages, ticks + process.UsedTicks);
            }
        }

        AddTotals(ref series, told, pages, ticks);
        return series.Outcome;
    }

    private void AddProcess(ref SeriesOut series, in ProcessCandidate process)
    {
        // Whole seconds: together with the pid they tell a process from a later one with the same id.
        var startTime = bootTime.Seconds + (long)(process.StartTicks / (ulong)roots.Units.TicksPerSecond);
        var of = labels.Of(process, startTime);
        series.Add(CpuSeconds, of, roots.Units.Seconds(process.CpuTicks));
        series.Add(ResidentBytes, of, roots.Units.Bytes(process.ResidentPages));
    }

    private void AddTotals(ref SeriesOut series, int told, ulong pages, ulong ticks)
    {
        // A process that shrank between two rounds' sums cannot make them negative: both are of this round.
        omittedCpuTicks += totals.UsedTicks - ticks;
        series.Add(Omitted, totals.Seen - told);
        series.Add(OmittedCpuSeconds, roots.Units.Seconds(omittedCpuTicks));
        series.Add(OmittedResidentBytes, roots.Units.Bytes(totals.ResidentPages - pages));
        series.Add(Orphans, totals.Orphans);
        for (var letter = 0; letter < StateLetters; letter++)
        {
            if (stateCounts[letter] > 0 || States.Contains((char)letter, StringComparison.Ordinal))
            {
                series.Add(State, stateLabels.AsSpan(letter, 1), stateCounts[letter]);
            }
        }

        series.Add(Pids, totals.Seen);
        series.Add(Threads, totals.Threads);
        AddLimit(ref series, PidsMax, pidMax);
        AddLimit(ref series, ThreadsMax, threadsMax);
    }

    private static void AddLimit(ref SeriesOut series, MetricDescriptor metric, KeptFile file)
    {
        if (SysNumber.TryRead(file, out var limit))
        {
            series.Add(metric, limit);
        }
        else
        {
            series.OmittedCount++;
        }
    }

    private bool IsLargest(int pid)
    {
        foreach (ref readonly var process in largest.Kept)
        {
            if (process.Pid == pid)
            {
                return true;
            }
        }

        return false;
    }

    private struct Totals
    {
        public int Seen;
        public int Understood;
        public int Orphans;
        public ulong Threads;
        public ulong ResidentPages;
        public ulong UsedTicks;
    }

    private struct Known
    {
        public ulong StartTicks;
        public ulong CpuTicks;
        public ulong UsedTicks;
        public int Round;
        public int Descriptor;
    }
}
