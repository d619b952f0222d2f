using Lm.Agent.Settings;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The sources of the profile <c>host</c>: what node_exporter's default collectors export, processes, containers and the agent itself.</summary>
internal static class HostSources
{
    /// <summary>Makes the sampler of the profile that the settings name, for this host.</summary>
    /// <inheritdoc cref="NewSampler"/>
    public static HostSampler OfThisHost(
        SourcesSettings settings, string queueDirectory, TimeProvider time, ILogger logger, ProcessChanges? changes, IContainerRuntime? runtime = null) =>
        settings.Profile == SourceProfile.Heartbeat
            ? new(new ProcFs(), queueDirectory, time, logger, changes)
            : NewSampler(settings, HostRoots.OfThisHost(), queueDirectory, time, logger, changes, runtime);

    /// <summary>Makes the sampler of the profile <c>host</c>.</summary>
    /// <param name="settings">Which sources, how often, how many series.</param>
    /// <param name="roots">Where the host is looked at.</param>
    /// <param name="queueDirectory">The agent's queue, whose filesystem is watched.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Hears of sources that begin or cease to fail.</param>
    /// <param name="changes">Gets the processes that start and end; null when nobody asks.</param>
    /// <param name="runtime">Tells names, images, restarts and health of containers; the sampler's to dispose of. Null where there is none.</param>
    public static HostSampler NewSampler(
        SourcesSettings settings, HostRoots roots, string queueDirectory, TimeProvider time, ILogger logger, ProcessChanges? changes, IContainerRuntime? runtime = null)
    {
        var sources = new List<HostSource>
        {
            new(new QueueFilesystemSource(queueDirectory)),
            new(new SelfSource(roots.Proc, roots.Units)),
        };
        foreach (var source in settings.All)
        {
            if (source.IsEnabled)
            {
                sources.Add(new HostSource(Make(source, roots, time, changes, runtime), source));
            }
        }

        return new HostSampler([.. sources], settings.SeriesMax, tellsHealth: true, time, logger);
    }

    private static IMetricSource Make(SourceSettings source, HostRoots roots, TimeProvider time, ProcessChanges? changes, IContainerRuntime? runtime) => source.Name switch
    {
        SourceCatalog.Cpu => new StatSource(roots.Proc, roots.Units),
        SourceCatalog.CpuInfo => new CpuInfoSource(roots.Proc, time),
        SourceCatalog.CpuFrequency => new CpuFrequencySource(roots.Sys),
        SourceCatalog.Memory => new MeminfoSource(roots.Proc),
        SourceCatalog.Load => new LoadSource(roots.Proc),
        SourceCatalog.VirtualMemory => new VmstatSource(roots.Proc),
        SourceCatalog.Pressure => new PressureSource(roots.Proc),
        SourceCatalog.Disks => new DiskstatsSource(roots, source.Names ?? NamePatterns.All, time),
        SourceCatalog.Filesystems => new FilesystemSource(roots, source, StatVfs.Ask),
        SourceCatalog.NetworkDevices => new NetDevSource(roots, source.Names ?? NamePatterns.All),
        SourceCatalog.NetworkClass => new NetClassSource(roots.Sys, source.Names ?? NamePatterns.All),
        SourceCatalog.NetworkCounters => new NetstatSource(roots.Proc),
        SourceCatalog.Sockets => new SockstatSource(roots.Proc, roots.Units),
        SourceCatalog.Softnet => new SoftnetSource(roots.Proc),
        SourceCatalog.UdpQueues => new UdpQueuesSource(roots.Proc),
        SourceCatalog.Arp => new ArpSource(roots.Proc, source.Names ?? NamePatterns.All),
        SourceCatalog.Conntrack => new ConntrackSource(roots.Proc),
        SourceCatalog.FileDescriptors => new FileDescriptorsSource(roots.Proc),
        SourceCatalog.Entropy => new EntropySource(roots.Proc),
        SourceCatalog.Uname => new UnameSource(),
        SourceCatalog.Os => new OsSource(roots.Files, time),
        SourceCatalog.Time => new TimeSource(roots.Sys, time),
        SourceCatalog.Timex => new TimexSource(),
        SourceCatalog.Selinux => new SelinuxSource(roots),
        SourceCatalog.Mdadm => new MdadmSource(roots),
        SourceCatalog.Hwmon => new HwmonSource(roots.Sys, source.Names ?? NamePatterns.All),
        SourceCatalog.ThermalZones => new ThermalSource(roots.Sys, source.Names ?? NamePatterns.All),
        SourceCatalog.PowerSupplies => new PowerSupplySource(roots.Sys, source.Names ?? NamePatterns.All),
        SourceCatalog.Processes => new ProcessesSource(roots, source.Top, time, changes),
        SourceCatalog.Containers => new ContainersSource(roots, source.Names ?? NamePatterns.All, time, runtime),
        _ => throw new ArgumentOutOfRangeException(nameof(source), source.Name, "no such source"),
    };
}
