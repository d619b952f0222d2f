using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>One container's series.</summary>
/// <remarks>Source: the kernel's cgroup-v1 and cgroup-v2 documentation. A file that is not there (a controller that is off) costs its own series.</remarks>
internal sealed class CgroupContainer : IDisposable
{
    // A limit beyond any memory is none: version 1 writes the largest number of pages, in bytes.
    private const double LimitMax = 1L << 60;
    private const double Micro = 1_000_000;
    private const double Nano = 1_000_000_000;

    private static readonly MetricDescriptor CpuUsage = Metric.Counter("container_cpu_usage_seconds_total", "seconds", "CPU time that a container has used.");
    private static readonly MetricDescriptor CpuUser = Metric.Counter("container_cpu_user_seconds_total", "seconds", "CPU time that a container has used in user mode.");
    private static readonly MetricDescriptor CpuSystem = Metric.Counter("container_cpu_system_seconds_total", "seconds", "CPU time that a container has used in kernel mode.");
    private static readonly MetricDescriptor Periods = Metric.Counter("container_cpu_cfs_periods_total", "", "Periods in which a container's CPU limit applied.");
    private static readonly MetricDescriptor ThrottledPeriods = Metric.Counter("container_cpu_cfs_throttled_periods_total", "", "Periods in which a container met its CPU limit.");
    private static readonly MetricDescriptor ThrottledTime = Metric.Counter("container_cpu_cfs_throttled_seconds_total", "seconds", "Time that a container waited because of its CPU limit.");
    private static readonly MetricDescriptor MemoryUsage = Metric.Gauge("container_memory_usage_bytes", "bytes", "Memory of a container, page cache included.");
    private static readonly MetricDescriptor WorkingSet = Metric.Gauge("container_memory_working_set_bytes", "bytes", "Memory of a container less page cache that has not been used lately.");
    private static readonly MetricDescriptor Rss = Metric.Gauge("container_memory_rss", "bytes", "Anonymous memory of a container, bytes.");
    private static readonly MetricDescriptor Cache = Metric.Gauge("container_memory_cache", "bytes", "Page cache of a container, bytes.");
    private static readonly MetricDescriptor Mapped = Metric.Gauge("container_memory_mapped_file", "bytes", "Mapped files of a container, bytes.");
    private static readonly MetricDescriptor Swap = Metric.Gauge("container_memory_swap", "bytes", "Swap of a container, bytes.");
    private static readonly MetricDescriptor UsageMax = Metric.Gauge("container_memory_max_usage_bytes", "bytes", "The most memory that a container has held.");
    private static readonly MetricDescriptor MemoryLimit = Metric.Gauge("container_spec_memory_limit_bytes", "bytes", "The memory that a container may have; 0 for no limit.");
    private static readonly MetricDescriptor FailCount = Metric.Counter("container_memory_failcnt", "", "Times that a container met its memory limit.");
    private static readonly MetricDescriptor OomEvents = Metric.Counter("container_oom_events_total", "", "Processes of a container that were killed for want of memory.");
    private static readonly MetricDescriptor MemoryEvents = Metric.Counter("container_memory_events_total", "", "Events of a container's memory controller, by kind.");
    private static readonly MetricDescriptor Threads = Metric.Gauge("container_threads", "", "Threads of a container.");
    private static readonly MetricDescriptor ThreadsMax = Metric.Gauge("container_threads_max", "", "The threads that a container may have; 0 for no limit.");
    private static readonly MetricDescriptor ReadBytes = Metric.Counter("container_fs_reads_bytes_total", "bytes", "Bytes that a container has read from block devices.");
    private static readonly MetricDescriptor WrittenBytes = Metric.Counter("container_fs_writes_bytes_total", "bytes", "Bytes that a container has written to block devices.");
    private static readonly MetricDescriptor Reads = Metric.Counter("container_fs_reads_total", "", "Reads from block devices by a container.");
    private static readonly MetricDescriptor Writes = Metric.Counter("container_fs_writes_total", "", "Writes to block devices by a container.");

    private static readonly string[] EventKinds = ["low", "high", "max", "oom", "oom_kill", "oom_group_kill"];

    private readonly HostRoots roots;
    private readonly bool isUnified;
    private readonly string path;
    private readonly List<KeptFile> files = [];
    private readonly Label[] labels;
    private readonly Label[] cpuLabels;
    private readonly NameTable<Label[]> events;
    private readonly KeptFile cpuStat;
    private readonly KeptFile cpuUsage;
    private readonly KeptFile cpuUserSystem;
    private readonly KeptFile usage;
    private readonly KeptFile usageMax;
    private readonly KeptFile limit;
    private readonly KeptFile failCount;
    private readonly KeptFile memoryStat;
    private readonly KeptFile swap;
    private readonly KeptFile memoryEvents;
    private readonly KeptFile threads;
    private readonly KeptFile threadsMax;
    private readonly KeptFile io;
    private readonly KeptFile ioCount;

    /// <param name="roots">Where the host is looked at.</param>
    /// <param name="version">The cgroups' version.</param>
    /// <param name="path">Its cgroup's path.</param>
    /// <param name="name">Its name or short id.</param>
    /// <param name="image">Its image; empty where nobody told.</param>
    public CgroupContainer(HostRoots roots, int version, string path, string name, string image)
    {
        this.roots = roots;
        this.path = path;
        isUnified = version == 2;
        labels = LabelsOf(path, name, image);
        cpuLabels = [new Label("cpu", "total"), .. labels];
        events = new NameTable<Label[]>(
            EventKinds.Length, kind => Array.IndexOf(EventKinds, kind) >= 0 ? [new Label("event", kind), .. labels] : null);
        cpuStat = File("cpu", "cpu.stat");
        cpuUsage = File("cpuacct", "cpuacct.usage");
        cpuUserSystem = File("cpuacct", "cpuacct.stat");
        usage = File("memory", isUnified ? "memory.current" : "memory.usage_in_bytes");
        usageMax = File("memory", isUnified ? "memory.peak" : "memory.max_usage_in_bytes");
        limit = File("memory", isUnified ? "memory.max" : "memory.limit_in_bytes");
        failCount = File("memory", "memory.failcnt");
        memoryStat = File("memory", "memory.stat");
        swap = File("memory", "memory.swap.current");
        memoryEvents = File("memory", isUnified ? "memory.events" : "memory.oom_control");
        threads = File("pids", "pids.current");
        threadsMax = File("pids", "pids.max");
        io = File("blkio", isUnified ? "io.stat" : "blkio.throttle.io_service_bytes");
        ioCount = File("blkio", "blkio.throttle.io_serviced");
    }

    /// <summary>The labels that a container's series have, as cAdvisor names them.</summary>
    /// <param name="path">Its cgroup's path; empty where that is not known.</param>
    /// <param name="name">Its name or short id.</param>
    /// <param name="image">Its image; empty where nobody told.</param>
    public static Label[] LabelsOf(string path, string name, string image) =>
        Array.FindAll([new Label("id", path), new Label("image", image), new Label("name", name)], label => label.Value.Length > 0);

    /// <summary>Reads and adds the container's series.</summary>
    /// <returns>False when it is gone.</returns>
    public bool TryAdd(ref SeriesOut series)
    {
        var before = series.Count;
        AddCpu(ref series);
        AddMemory(ref series);
        AddThreads(ref series);
        if (isUnified)
        {
            AddIo(ref series);
        }
        else
        {
            AddIoOfVersion1(ref series, io, ReadBytes, WrittenBytes);
            AddIoOfVersion1(ref series, ioCount, Reads, Writes);
        }

        return series.Count > before;
    }

    /// <inheritdoc/>
    public void Dispose() => files.ForEach(file => file.Dispose());

    // Version 1 has a hierarchy for each controller, some of them mounted under the names of two.
    private KeptFile File(string controller, string name)
    {
        var top = isUnified ? "fs/cgroup" : $"fs/cgroup/{controller}";
        var file = new KeptFile(roots.Sys, $"{top}{path}/{name}", isOneRead: true);
        files.Add(file);
        return file;
    }

    private void AddCpu(ref SeriesOut series)
    {
        if (cpuStat.Read(out var text) == 0)
        {
            while (TryNextPair(ref text, out var key, out var value))
            {
                switch (key)
                {
                    case var _ when key.SequenceEqual("usage_usec"u8):
                        series.Add(CpuUsage, cpuLabels, value / Micro);
                        break;
                    case var _ when key.SequenceEqual("user_usec"u8):
                        series.Add(CpuUser, labels, value / Micro);
                        break;
                    case var _ when key.SequenceEqual("system_usec"u8):
                        series.Add(CpuSystem, labels, value / Micro);
                        break;
                    case var _ when key.SequenceEqual("nr_periods"u8):
                        series.Add(Periods, labels, value);
                        break;
                    case var _ when key.SequenceEqual("nr_throttled"u8):
                        series.Add(ThrottledPeriods, labels, value);
                        break;
                    case var _ when key.SequenceEqual("throttled_usec"u8):
                        series.Add(ThrottledTime, labels, value / Micro);
                        break;
                    case var _ when key.SequenceEqual("throttled_time"u8):
                        series.Add(ThrottledTime, labels, value / Nano);
                        break;
                    default:
                        break;
                }
            }
        }

        if (isUnified)
        {
            return;
        }

        if (SysNumber.TryRead(cpuUsage, out var nanoseconds))
        {
            series.Add(CpuUsage, cpuLabels, nanoseconds / Nano);
        }

        if (cpuUserSystem.Read(out text) == 0)
        {
            while (TryNextPair(ref text, out var key, out var ticks))
            {
                series.Add(key.SequenceEqual("user"u8) ? CpuUser : CpuSystem, labels, roots.Units.Seconds(ticks));
            }
        }
    }

    private void AddMemory(ref SeriesOut series)
    {
        if (!SysNumber.TryRead(usage, out var used))
        {
            return;
        }

        series.Add(MemoryUsage, labels, used);
        AddNumber(ref series, usageMax, UsageMax);
        AddLimit(ref series, limit, MemoryLimit);
        var inactive = 0.0;
        if (memoryStat.Read(out var text) == 0)
        {
            while (TryNextPair(ref text, out var key, out var value))
            {
                inactive = key.SequenceEqual("inactive_file"u8) && isUnified || key.SequenceEqual("total_inactive_file"u8) ? value : inactive;
                if (MetricOf(key) is { } metric)
                {
                    series.Add(metric, labels, value);
                }
            }
        }

        series.Add(WorkingSet, labels, Math.Max(0, used - inactive));
        if (isUnified)
        {
            AddNumber(ref series, swap, Swap);
        }
        else
        {
            AddNumber(ref series, failCount, FailCount);
        }

        AddEvents(ref series);
    }

    private MetricDescriptor? MetricOf(ReadOnlySpan<byte> key)
    {
        if (isUnified)
        {
            return key.SequenceEqual("anon"u8) ? Rss : key.SequenceEqual("file"u8) ? Cache : key.SequenceEqual("file_mapped"u8) ? Mapped : null;
        }

        return key.SequenceEqual("total_rss"u8) ? Rss : key.SequenceEqual("total_cache"u8) ? Cache
            : key.SequenceEqual("total_mapped_file"u8) ? Mapped : key.SequenceEqual("total_swap"u8) ? Swap : null;
    }

    private void AddEvents(ref SeriesOut series)
    {
        if (memoryEvents.Read(out var text) != 0)
        {
            return;
        }

        events.Begin();
        while (TryNextPair(ref text, out var key, out var value))
        {
            if (key.SequenceEqual("oom_kill"u8))
            {
                series.Add(OomEvents, labels, value);
            }

            if (key.SequenceEqual("max"u8))
            {
                series.Add(FailCount, labels, value);
            }

            if (events.Get(key) is { } of)
            {
                series.Add(MemoryEvents, of, value);
            }
        }

        events.End();
    }

    private void AddThreads(ref SeriesOut series)
    {
        AddNumber(ref series, threads, Threads);
        AddLimit(ref series, threadsMax, ThreadsMax);
    }

    // "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0", a device a line.
    private void AddIo(ref SeriesOut series)
    {
        if (io.Read(out var text) != 0)
        {
            return;
        }

        var (readBytes, writtenBytes, reads, writes) = (0UL, 0UL, 0UL, 0UL);
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            while (ProcText.TryNextField(ref line, out var field))
            {
                var equals = field.IndexOf((byte)'=');
                if (equals <= 0 || !ProcText.TryParseNumber(field[(equals + 1)..], out var value))
                {
                    continue;
                }

                var key = field[..equals];
                readBytes += key.SequenceEqual("rbytes"u8) ? value : 0;
                writtenBytes += key.SequenceEqual("wbytes"u8) ? value : 0;
                reads += key.SequenceEqual("rios"u8) ? value : 0;
                writes += key.SequenceEqual("wios"u8) ? value : 0;
            }
        }

        series.Add(ReadBytes, labels, readBytes);
        series.Add(WrittenBytes, labels, writtenBytes);
        series.Add(Reads, labels, reads);
        series.Add(Writes, labels, writes);
    }

    // "254:0 Read 1", "254:0 Write 2", …, "Total 3".
    private void AddIoOfVersion1(ref SeriesOut series, KeptFile file, MetricDescriptor read, MetricDescriptor written)
    {
        if (file.Read(out var text) != 0)
        {
            return;
        }

        var (readSum, writtenSum) = (0UL, 0UL);
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            if (ProcText.TryNextField(ref line, out _) && ProcText.TryNextField(ref line, out var kind) && ProcText.TryNextNumber(ref line, out var value))
            {
                readSum += kind.SequenceEqual("Read"u8) ? value : 0;
                writtenSum += kind.SequenceEqual("Write"u8) ? value : 0;
            }
        }

        series.Add(read, labels, readSum);
        series.Add(written, labels, writtenSum);
    }

    private void AddNumber(ref SeriesOut series, KeptFile file, MetricDescriptor metric)
    {
        if (SysNumber.TryRead(file, out var value))
        {
            series.Add(metric, labels, value);
        }
    }

    private void AddLimit(ref SeriesOut series, KeptFile file, MetricDescriptor metric)
    {
        if (file.Read(out var text) != 0)
        {
            return;
        }

        if (text.StartsWith("max"u8))
        {
            series.Add(metric, labels, 0);
        }
        else if (SysNumber.TryParse(text, out var value))
        {
            series.Add(metric, labels, value >= LimitMax ? 0 : value);
        }
    }

    // "usage_usec 12345"
    private static bool TryNextPair(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> key, out ulong value)
    {
        key = default;
        value = 0;
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            if (ProcText.TryNextField(ref line, out key) && ProcText.TryNextNumber(ref line, out value))
            {
                return true;
            }
        }

        return false;
    }
}
