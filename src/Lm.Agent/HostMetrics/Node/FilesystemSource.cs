using System.Text;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Size and free room of each mounted filesystem.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Source: <c>/proc/1/mounts</c>, or <c>self/mounts</c> where that may not be read, and statvfs(3). Blanks in names stand there as <c>\040</c>.</item>
/// <item>A filesystem of the network can hang for hours when its server is gone: other threads ask it, and it has <c>node_filesystem_device_error</c> 1
/// while it has no answer.</item>
/// <item>Of mounts that have device, mount point and type in common only the first has series.</item>
/// </list>
/// </remarks>
/// <param name="roots">Where the host is looked at.</param>
/// <param name="settings">Which mounts have series.</param>
/// <param name="ask">Asks a filesystem for its size.</param>
internal sealed class FilesystemSource(HostRoots roots, SourceSettings settings, StatAsk ask) : IMetricSource, IWaitingSource, IDisposable
{
    private const int MountMax = 20_000;

    // For all slow filesystems of a tick together, and no more than half of what is left of its time.
    private static readonly TimeSpan SlowMax = TimeSpan.FromMilliseconds(200);

    private static readonly MetricDescriptor Size = Metric.Gauge("node_filesystem_size_bytes", "bytes", "Size of a filesystem.");
    private static readonly MetricDescriptor Free = Metric.Gauge("node_filesystem_free_bytes", "bytes", "Free room of a filesystem, that kept for root included.");
    private static readonly MetricDescriptor Available = Metric.Gauge("node_filesystem_avail_bytes", "bytes", "Room of a filesystem that an unprivileged user may take.");
    private static readonly MetricDescriptor Files = Metric.Gauge("node_filesystem_files", "", "Inodes of a filesystem.");
    private static readonly MetricDescriptor FilesFree = Metric.Gauge("node_filesystem_files_free", "", "Free inodes of a filesystem.");
    private static readonly MetricDescriptor ReadOnly = Metric.Gauge("node_filesystem_readonly", "", "1 when a filesystem is mounted read-only, else 0.");
    private static readonly MetricDescriptor DeviceError = Metric.Gauge("node_filesystem_device_error", "", "1 when a filesystem does not say its size, else 0.");

    private readonly KeptFile first = new(roots.Proc, "1/mounts");
    private readonly KeptFile second = new(roots.Proc, "self/mounts");
    private readonly List<Mount> slow = [];
    private NameTable<Mount>? mounts;
    private StatPool? pool; // made with the first mount that may hang

    /// <inheritdoc/>
    public string Name => "filesystem";

    /// <inheritdoc/>
    public TimeSpan Patience { private get; set; } = TimeSpan.MaxValue;

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        if (first.Read(out var text) != 0)
        {
            var errno = second.Read(out text);
            if (errno != 0)
            {
                return SourceOutcome.Unreadable(second.Name, errno);
            }
        }

        mounts ??= new NameTable<Mount>(MountMax, Make);
        var series = new SeriesOut(sink);
        slow.Clear();
        mounts.Begin();
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            // "/dev/vda / ext4 rw,relatime 0 0": the first three fields are what a mount is known by.
            var rest = line;
            var isMount = isWhole && ProcText.TryNextField(ref rest, out _) && ProcText.TryNextField(ref rest, out _) && ProcText.TryNextField(ref rest, out _);
            var key = line[..(line.Length - rest.Length)];
            if (!isMount || key.Length > LabelText.LongValueBytesMax)
            {
                series.OmittedCount++; // a path too long for a label could not be told from another
                continue;
            }

            if (mounts.Get(key) is { } mount)
            {
                mount.IsReadOnly = ProcText.TryNextField(ref rest, out var options) && (options.StartsWith("ro,"u8) || options.SequenceEqual("ro"u8));
                Ask(ref series, mount);
            }
        }

        mounts.End();
        series.OmittedCount += mounts.OmittedCount;
        AwaitSlow(ref series);
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
        mounts?.Dispose();
        pool?.Dispose();
    }

    private void Ask(ref SeriesOut series, Mount mount)
    {
        if (mount.Question is { } question)
        {
            pool!.Ask(question);
            slow.Add(mount);
            return;
        }

        Add(ref series, mount, ask(mount.Path, out var result), result);
    }

    private void AwaitSlow(ref SeriesOut series)
    {
        var half = Patience / 2;
        var deadline = Environment.TickCount64 + (long)(half < SlowMax ? half : SlowMax).TotalMilliseconds;
        foreach (var mount in slow)
        {
            var isGood = pool!.TryGet(mount.Question!, Math.Max(0, deadline - Environment.TickCount64), out var result);
            Add(ref series, mount, isGood, result);
        }
    }

    private static void Add(ref SeriesOut series, Mount mount, bool isGood, in StatVfs result)
    {
        series.Add(DeviceError, mount.Labels, isGood ? 0 : 1);
        series.Add(ReadOnly, mount.Labels, mount.IsReadOnly ? 1 : 0);
        if (!isGood)
        {
            return;
        }

        series.Add(Size, mount.Labels, result.SizeBytes);
        series.Add(Free, mount.Labels, result.FreeBytes);
        series.Add(Available, mount.Labels, result.AvailableBytes);
        series.Add(Files, mount.Labels, result.Files);
        series.Add(FilesFree, mount.Labels, result.FilesFree);
    }

    private Mount? Make(string key)
    {
        var fields = key.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 3)
        {
            return null;
        }

        var (device, point, type) = (Unescape(fields[0]), Unescape(fields[1]), Unescape(fields[2]));
        if (!settings.Names!.Allows(point) || !settings.Types!.Allows(type) || !settings.Devices!.Allows(device))
        {
            return null;
        }

        var path = Encoding.UTF8.GetBytes(roots.Files.Root + point + '\0');
        if (NetworkFilesystems.Has(type))
        {
            pool ??= new StatPool(ask);
        }

        return new Mount(
            [new Label("device", device), new Label("fstype", type), new Label("mountpoint", point)], path, NetworkFilesystems.Has(type) ? pool : null);
    }

    // \040 and its like: three octal digits.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var text = new StringBuilder();
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length && field.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                text.Append((char)(((field[i + 1] - '0') * 64) + ((field[i + 2] - '0') * 8) + (field[i + 3] - '0')));
                i += 3;
                continue;
            }

            text.Append(field[i]);
        }

        return text.ToString();
    }

    private sealed class Mount(Label[] labels, byte[] path, StatPool? pool) : IDisposable
    {
        public ReadOnlySpan<Label> Labels => labels;

        public byte[] Path => path;

        /// <summary>What the pool is asked; null for a filesystem that answers at once.</summary>
        public StatQuestion? Question { get; } = pool is null ? null : new StatQuestion(path);

        public bool IsReadOnly { get; set; }

        public void Dispose()
        {
            if (Question is not null)
            {
                pool!.Forget(Question);
            }
        }
    }
}

/// <summary>Types of filesystems that ask another host or program, which may not answer.</summary>
internal static class NetworkFilesystems
{
    public static bool Has(string type) => type.StartsWith("nfs", StringComparison.Ordinal) || type.StartsWith("fuse", StringComparison.Ordinal)
        || type is "cifs" or "smb3" or "smbfs" or "ceph" or "9p" or "afs" or "lustre" or "glusterfs" or "gpfs" or "ocfs2" or "gfs2" or "beegfs" or "davfs" or "ncpfs" or "virtiofs";
}
