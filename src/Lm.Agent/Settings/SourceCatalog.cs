using Lm.Agent.HostMetrics;

namespace Lm.Agent.Settings;

/// <summary>The sources of the profile <c>host</c> and their defaults.</summary>
internal static class SourceCatalog
{
    public const string Cpu = "cpu";
    public const string CpuInfo = "cpu_info";
    public const string CpuFrequency = "cpufreq";
    public const string Memory = "meminfo";
    public const string Load = "loadavg";
    public const string VirtualMemory = "vmstat";
    public const string Pressure = "pressure";
    public const string Disks = "diskstats";
    public const string Filesystems = "filesystem";
    public const string NetworkDevices = "netdev";
    public const string NetworkClass = "netclass";
    public const string NetworkCounters = "netstat";
    public const string Sockets = "sockstat";
    public const string Softnet = "softnet";
    public const string UdpQueues = "udp_queues";
    public const string Arp = "arp";
    public const string Conntrack = "conntrack";
    public const string FileDescriptors = "filefd";
    public const string Entropy = "entropy";
    public const string Uname = "uname";
    public const string Os = "os";
    public const string Time = "time";
    public const string Timex = "timex";
    public const string Selinux = "selinux";
    public const string Mdadm = "mdadm";
    public const string Hwmon = "hwmon";
    public const string ThermalZones = "thermal_zone";
    public const string PowerSupplies = "powersupplyclass";
    public const string Processes = "processes";
    public const string Containers = "containers";

    /// <summary>Every source as it is when nothing is said of it.</summary>
    public static IReadOnlyList<SourceSettings> Defaults { get; } =
    [
        new(Cpu) { SeriesMax = 4000 },
        new(Memory),
        new(Load),
        new(VirtualMemory),
        new(Pressure),
        Excluding(Disks, "ram[0-9]*", "loop[0-9]*", "fd[0-9]*", "[hsv]d[a-z][0-9]*", "xvd[a-z][0-9]*", "nvme[0-9]*n[0-9]*p[0-9]*"),
        Excluding(
            Filesystems, "/dev", "/dev/*", "/proc", "/proc/*", "/run", "/run/*", "/sys", "/sys/*", "/var/lib/docker/*", "/var/lib/containers/storage/*",
            "/var/lib/kubelet/*") with
        {
            Types = new NamePatterns([], [
                "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl", "fuse.lxcfs", "hugetlbfs",
                "iso9660", "mqueue", "nsfs", "overlay", "proc", "procfs", "pstore", "ramfs", "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs",
                "tmpfs", "tracefs",
            ]),
            Devices = new NamePatterns([], ["/dev/loop*"]),
        },
        Excluding(NetworkDevices, "lo", "veth*"),
        Excluding(NetworkClass, "veth*"),
        new(NetworkCounters),
        new(Sockets),
        new(Softnet),
        new(UdpQueues),
        Excluding(Arp, "veth*"),
        new(Conntrack),
        new(FileDescriptors),
        new(Entropy),
        new(Uname),
        new(Os),
        new(Time),
        new(Timex),
        new(Selinux),
        new(CpuInfo),
        new(CpuFrequency),
        new(Mdadm),
        Excluding(Hwmon),
        Excluding(ThermalZones),
        Excluding(PowerSupplies),
        new(Processes) { Top = (8, 8) },
        Excluding(Containers),
    ];

    private static SourceSettings Excluding(string name, params string[] patterns) => new(name) { Names = new NamePatterns([], patterns) };
}
