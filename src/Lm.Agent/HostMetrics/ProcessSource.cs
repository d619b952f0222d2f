using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>CPU time and memory of the eight largest processes, and how many others there are.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Order: resident memory, then CPU ticks, both falling, then process id, rising. Kernel threads hold no memory and are never chosen.</item>
/// <item>Every process costs one short read of <c>statm</c>; the dearer <c>stat</c>, for which the kernel adds up all threads, is read only for those that
/// may be among the eight. Measured with 420 processes: 5 and 9 µs.</item>
/// <item>A process that goes away while it is read is not counted; one that cannot be read or understood is counted as one of the others.</item>
/// <item>Where <see cref="ProcessChanges"/> are asked for, <c>stat</c> is read once of each process beside, when it is first seen.</item>
/// <item>Command lines and environments are never read: they hold secrets.</item>
/// </list>
/// </remarks>
internal sealed class ProcessSource : IMetricSource
{
    /// <summary>Processes with series.</summary>
    public const int ProcessMax = 8;

    /// <summary>Processes looked at in one tick; those beyond, which have the highest ids, are only counted. About 0.1 CPU seconds.</summary>
    public const int ScanMax = 16_384;

    private static readonly MetricDescriptor CpuSeconds = new("lightmetrics_host_process_cpu_seconds_total", MetricType.Counter, "seconds",
        "CPU time that a process has used in user and kernel mode; of the eight processes that hold most memory.");

    private static readonly MetricDescriptor ResidentBytes = new("lightmetrics_host_process_resident_memory_bytes", MetricType.Gauge, "bytes",
        "Memory that a process holds; of the eight processes that hold most.");

    private static readonly MetricDescriptor Omitted = new("lightmetrics_host_processes_omitted", MetricType.Gauge, "",
        "Processes, kernel threads included, that have no series of their own.");

    private readonly ProcFs proc;
    private readonly KernelUnits units;
    private readonly BootTime bootTime;
    private readonly LargestProcesses largest = new(ProcessMax);
    private readonly ProcessLabels labels = new(ProcessMax);
    private readonly ProcessChanges? changes;

    /// <summary>Reads <c>PID/statm</c> of all processes, <c>PID/stat</c> of the largest, and the boot time from <c>stat</c>.</summary>
    /// <param name="proc">Where they are.</param>
    /// <param name="units">The kernel's ticks and pages.</param>
    /// <param name="time">Tells when the wall clock was set.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    public ProcessSource(ProcFs proc, KernelUnits units, TimeProvider time, ProcessChanges? changes = null)
    {
        this.proc = proc;
        this.units = units;
        this.changes = changes;
        bootTime = new BootTime(proc, time);
    }

    /// <inheritdoc/>
    public string Name => "process";

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

        errno = Scan(out var count);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(proc.Root, errno);
        }

        return count.Understood == 0
            ? SourceOutcome.Malformed(proc.Root, "a folder for each process with a readable file 'statm'")
            : Add(sink, count.Seen);
    }

    private int Scan(out ScanCount count)
    {
        count = default;
        largest.Clear();
        var errno = proc.OpenProcesses(out var directory);
        if (errno != 0)
        {
            return errno;
        }

        using (directory)
        {
            while (directory.TryNext(out var pid))
            {
                if (count.Seen >= ScanMax)
                {
                    count.Seen++;
                    continue;
                }

                Look(pid, ref count);
            }

            changes?.End(sawAll: directory.Errno == 0 && count.Seen <= ScanMax);
            return directory.Errno;
        }
    }

    private void Look(int pid, ref ScanCount count)
    {
        var errno = proc.ReadStart(pid, "statm"u8, out var text);
        if (IsGone(errno))
        {
            return;
        }

        count.Seen++;
        if (errno != 0 || !ProcPidStatm.TryParse(text, out var residentPages))
        {
            changes?.Keep(pid);
            return;
        }

        count.Understood++;
        var isNew = changes is not null && changes.See(pid, residentPages);
        var isLarge = largest.HasRoomFor(residentPages);
        if (!isNew && !isLarge)
        {
            return;
        }

        errno = proc.ReadStart(pid, "stat"u8, out text);
        if (IsGone(errno))
        {
            count.Seen--;
        }
        else if (errno == 0 && ProcPidStat.TryParse(text, out var stat))
        {
            if (isLarge)
            {
                largest.Offer(pid, residentPages, stat);
            }

            if (isNew)
            {
                changes!.Add(pid, stat, bootTime.Seconds + units.Seconds(stat.StartTicks));
            }
        }
    }

    private static bool IsGone(int errno) => errno is Libc.NotFound or Libc.NoSuchProcess;

    private SourceOutcome Add(ISampleSink sink, int seen)
    {
        foreach (ref readonly var process in largest.Kept)
        {
            var of = labels.Of(process, StartTime(process.StartTicks));
            sink.Add(CpuSeconds, of, units.Seconds(process.CpuTicks));
            sink.Add(ResidentBytes, of, units.Bytes(process.ResidentPages));
        }

        sink.Add(Omitted, [], seen - largest.Count);
        return SourceOutcome.Added((largest.Count * 2) + 1);
    }

    // Whole seconds: together with the pid they tell a process from a later one with the same id.
    private long StartTime(ulong startTicks) => bootTime.Seconds + (long)(startTicks / (ulong)units.TicksPerSecond);

    private struct ScanCount
    {
        public int Seen;
        public int Understood;
    }
}
