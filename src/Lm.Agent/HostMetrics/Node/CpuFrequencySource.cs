using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The frequencies of CPUs and how often heat slowed them down, from <c>/sys/devices/system/cpu</c>; nothing where the kernel does not say, as in most guests.</summary>
internal sealed class CpuFrequencySource(ProcFs sys) : IMetricSource, IDisposable
{
    private const int CpuMax = 65_536;
    private const double Kilo = 1000;

    // A driver may be loaded later; looking for it at every tick would cost more than reading it.
    private const int RoundsBetweenLooks = 120;

    private static readonly (string File, MetricDescriptor Metric)[] Frequencies =
    [
        ("cpuinfo_cur_freq", Metric.Gauge("node_cpu_frequency_hertz", "hertz", "The frequency that a CPU runs at.")),
        ("cpuinfo_max_freq", Metric.Gauge("node_cpu_frequency_max_hertz", "hertz", "The highest frequency that a CPU can run at.")),
        ("cpuinfo_min_freq", Metric.Gauge("node_cpu_frequency_min_hertz", "hertz", "The lowest frequency that a CPU can run at.")),
        ("scaling_cur_freq", Metric.Gauge("node_cpu_scaling_frequency_hertz", "hertz", "The frequency that the governor has chosen for a CPU.")),
        ("scaling_max_freq", Metric.Gauge("node_cpu_scaling_frequency_max_hertz", "hertz", "The highest frequency that the governor may choose.")),
        ("scaling_min_freq", Metric.Gauge("node_cpu_scaling_frequency_min_hertz", "hertz", "The lowest frequency that the governor may choose.")),
    ];

    private static readonly MetricDescriptor CoreThrottles = Metric.Counter("node_cpu_core_throttles_total", "", "Times that heat slowed a core down.");
    private static readonly MetricDescriptor PackageThrottles = Metric.Counter("node_cpu_package_throttles_total", "", "Times that heat slowed a package down.");

    private readonly NameTable<Cpu> cpus = new(CpuMax, name => Cpu.Make(sys, name));
    private readonly HashSet<(double Package, double Core)> told = [];
    private int round = -1;
    private bool isAny = true;

    /// <inheritdoc/>
    public string Name => "cpufreq";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        round = (round + 1) % RoundsBetweenLooks;
        if (round == 0)
        {
            cpus.Begin();
            cpus.End(); // forgets all, so that each is looked at anew
            isAny = true;
        }

        if (!isAny)
        {
            return SourceOutcome.NotHere;
        }

        var errno = sys.Open("devices/system/cpu"u8, out var directory);
        if (errno != 0)
        {
            return errno == Libc.NotFound ? SourceOutcome.NotHere : SourceOutcome.Unreadable(sys.NameOf("devices/system/cpu"u8), errno);
        }

        var series = new SeriesOut(sink);
        told.Clear();
        isAny = false;
        cpus.Begin();
        using (directory)
        {
            while (directory.TryNext(out var name))
            {
                if (name.Length > 3 && name.StartsWith("cpu"u8) && char.IsAsciiDigit((char)name[3]) && cpus.Get(name) is { } cpu)
                {
                    isAny = true;
                    cpu.Add(ref series, told);
                }
            }
        }

        cpus.End();
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => cpus.Dispose();

    private sealed class Cpu : IDisposable
    {
        private readonly KeptFile[] frequencies;
        private readonly KeptFile? coreThrottles;
        private readonly KeptFile? packageThrottles;
        private readonly Label[] labels;
        private readonly Label[] coreLabels;
        private readonly Label[] packageLabels;
        private readonly double package;
        private readonly double core;

        private Cpu(ProcFs sys, string folder)
        {
            var number = folder["cpu".Length..];
            var path = $"devices/system/cpu/{folder}";
            labels = [new Label("cpu", number)];
            frequencies = Array.ConvertAll(Frequencies, file => new KeptFile(sys, $"{path}/cpufreq/{file.File}", isOneRead: true));
            if (!HasAny(frequencies))
            {
                frequencies = [];
            }

            using var coreId = new KeptFile(sys, $"{path}/topology/core_id", isOneRead: true);
            using var packageId = new KeptFile(sys, $"{path}/topology/physical_package_id", isOneRead: true);
            coreThrottles = new KeptFile(sys, $"{path}/thermal_throttle/core_throttle_count", isOneRead: true);
            packageThrottles = new KeptFile(sys, $"{path}/thermal_throttle/package_throttle_count", isOneRead: true);
            if (!HasAny(coreThrottles, packageThrottles) || !SysNumber.TryRead(coreId, out core) || !SysNumber.TryRead(packageId, out package))
            {
                coreThrottles.Dispose();
                packageThrottles.Dispose();
                (coreThrottles, packageThrottles) = (null, null);
            }

            coreLabels = [new Label("core", $"{core}"), new Label("package", $"{package}")];
            packageLabels = [new Label("package", $"{package}")];
        }

        /// <summary>Looks at a CPU; null where the kernel says nothing of it that this source tells.</summary>
        public static Cpu? Make(ProcFs sys, string folder)
        {
            var cpu = new Cpu(sys, folder);
            if (cpu.frequencies.Length > 0 || cpu.coreThrottles is not null)
            {
                return cpu;
            }

            cpu.Dispose();
            return null;
        }

        public void Add(ref SeriesOut series, HashSet<(double Package, double Core)> told)
        {
            for (var i = 0; i < frequencies.Length; i++)
            {
                if (SysNumber.TryRead(frequencies[i], out var kilohertz))
                {
                    series.Add(Frequencies[i].Metric, labels, kilohertz * Kilo);
                }
            }

            // The threads of a core, and the cores of a package, count together.
            if (coreThrottles is not null && told.Add((package, core)) && SysNumber.TryRead(coreThrottles, out var count))
            {
                series.Add(CoreThrottles, coreLabels, count);
            }

            if (packageThrottles is not null && told.Add((package, -1)) && SysNumber.TryRead(packageThrottles, out count))
            {
                series.Add(PackageThrottles, packageLabels, count);
            }
        }

        public void Dispose()
        {
            Array.ForEach(frequencies, file => file.Dispose());
            coreThrottles?.Dispose();
            packageThrottles?.Dispose();
        }

        private static bool HasAny(params ReadOnlySpan<KeptFile> files)
        {
            var isAny = false;
            foreach (var file in files)
            {
                isAny |= SysNumber.TryRead(file, out _);
            }

            return isAny;
        }
    }
}
