using System.Globalization;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Operations, bytes and times of block devices, from <c>/proc/diskstats</c>, and what udev knows of them.</summary>
/// <remarks>
/// Source: the kernel's iostats. <c>254 0 vda 3503636 1995532 212686962 …</c>: major and minor number, name, then 11 columns; 15 from Linux 4.18 on (discards),
/// 17 from 5.5 on (flushes). A sector is 512 bytes whatever the device says. Times are milliseconds.
/// </remarks>
internal sealed class DiskstatsSource(HostRoots roots, NamePatterns names, TimeProvider time) : IMetricSource, IDisposable
{
    private const int DeviceMax = 20_000;
    private const int ColumnCountMin = 11;
    private const double SectorBytes = 512;
    private const double SecondsOfMillisecond = 0.001;

    private static readonly (MetricDescriptor Metric, double Factor)[] Columns =
    [
        (Metric.Counter("node_disk_reads_completed_total", "", "Reads that were completed."), 1),
        (Metric.Counter("node_disk_reads_merged_total", "", "Reads that were merged with others."), 1),
        (Metric.Counter("node_disk_read_bytes_total", "bytes", "Bytes that were read."), SectorBytes),
        (Metric.Counter("node_disk_read_time_seconds_total", "seconds", "Time that all reads together took."), SecondsOfMillisecond),
        (Metric.Counter("node_disk_writes_completed_total", "", "Writes that were completed."), 1),
        (Metric.Counter("node_disk_writes_merged_total", "", "Writes that were merged with others."), 1),
        (Metric.Counter("node_disk_written_bytes_total", "bytes", "Bytes that were written."), SectorBytes),
        (Metric.Counter("node_disk_write_time_seconds_total", "seconds", "Time that all writes together took."), SecondsOfMillisecond),
        (Metric.Gauge("node_disk_io_now", "", "Operations that are under way."), 1),
        (Metric.Counter("node_disk_io_time_seconds_total", "seconds", "Time in which operations were under way."), SecondsOfMillisecond),
        (Metric.Counter("node_disk_io_time_weighted_seconds_total", "seconds", "Time in which operations were under way, times their number."), SecondsOfMillisecond),
        (Metric.Counter("node_disk_discards_completed_total", "", "Discards that were completed."), 1),
        (Metric.Counter("node_disk_discards_merged_total", "", "Discards that were merged with others."), 1),
        (Metric.Counter("node_disk_discarded_sectors_total", "", "Sectors of 512 bytes that were discarded."), 1),
        (Metric.Counter("node_disk_discard_time_seconds_total", "seconds", "Time that all discards together took."), SecondsOfMillisecond),
        (Metric.Counter("node_disk_flush_requests_total", "", "Flushes that were completed."), 1),
        (Metric.Counter("node_disk_flush_requests_time_seconds_total", "seconds", "Time that all flushes together took."), SecondsOfMillisecond),
    ];

    private readonly KeptFile file = new(roots.Proc, "diskstats");
    private readonly NameTable<Device> devices = new(DeviceMax, name => names.Allows(name) ? new Device(name) : null);

    /// <inheritdoc/>
    public string Name => "diskstats";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.UnreadableOrNotHere(file, errno);
        }

        var series = new SeriesOut(sink);
        devices.Begin();
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            if (!isWhole || !TryAdd(ref series, line))
            {
                series.OmittedCount++;
            }
        }

        devices.End();
        series.OmittedCount += devices.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool TryAdd(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        if (!ProcText.TryNextNumber(ref line, out var major) || !ProcText.TryNextNumber(ref line, out var minor) || !ProcText.TryNextField(ref line, out var name))
        {
            return false;
        }

        if (devices.Get(name) is not { } device)
        {
            return true; // not wanted, or counted by the table
        }

        Span<ulong> values = stackalloc ulong[Columns.Length];
        var count = 0;
        while (count < values.Length && ProcText.TryNextField(ref line, out var field))
        {
            if (!ProcText.TryParseNumber(field, out values[count]))
            {
                return false;
            }

            count++;
        }

        if (count < ColumnCountMin)
        {
            return false;
        }

        device.AddInfo(ref series, roots.Udev, major, minor, time);
        for (var i = 0; i < count; i++)
        {
            series.Add(Columns[i].Metric, device.Labels, values[i] * Columns[i].Factor);
        }

        return true;
    }

    /// <summary>One device's labels, and what udev says of it.</summary>
    private sealed class Device(string name)
    {
        // Udev writes its notes when a device comes or changes; they are looked at again now and then.
        private static readonly TimeSpan NotesAge = TimeSpan.FromMinutes(5);

        private static readonly MetricDescriptor Info = Metric.Gauge("node_disk_info", "", "1, with a block device's numbers, model and serial number as labels.");

        private static readonly MetricDescriptor FilesystemInfo = Metric.Gauge("node_disk_filesystem_info", "",
            "1, with the filesystem that a block device holds as labels.");

        private static readonly MetricDescriptor MapperInfo = Metric.Gauge("node_disk_device_mapper_info", "", "1, with what made a mapped device as labels.");

        private readonly Label[] labels = [new Label("device", name)];
        private Label[] info = [];
        private Label[] filesystem = [];
        private Label[] mapper = [];
        private long? notedAt;

        public ReadOnlySpan<Label> Labels => labels;

        public void AddInfo(ref SeriesOut series, ProcFs udev, ulong major, ulong minor, TimeProvider time)
        {
            if (notedAt is not { } at || time.GetElapsedTime(at) >= NotesAge)
            {
                notedAt = time.GetTimestamp();
                Note(UdevNotes.Read(udev, major, minor), major, minor);
            }

            series.Add(Info, info, 1);
            if (filesystem.Length > 0)
            {
                series.Add(FilesystemInfo, filesystem, 1);
            }

            if (mapper.Length > 0)
            {
                series.Add(MapperInfo, mapper, 1);
            }
        }

        private void Note(UdevNotes notes, ulong major, ulong minor)
        {
            info =
            [
                new Label("device", name),
                new Label("major", major.ToString(CultureInfo.InvariantCulture)),
                new Label("minor", minor.ToString(CultureInfo.InvariantCulture)),
                new Label("model", notes["ID_MODEL"]),
                new Label("path", notes["ID_PATH"]),
                new Label("revision", notes["ID_REVISION"]),
                new Label("serial", notes["SCSI_IDENT_SERIAL"] is { Length: > 0 } serial ? serial : notes["ID_SERIAL_SHORT"]),
                new Label("wwn", notes["ID_WWN"]),
            ];
            filesystem = notes["ID_FS_TYPE"].Length == 0
                ? []
                :
                [
                    new Label("device", name), new Label("type", notes["ID_FS_TYPE"]), new Label("usage", notes["ID_FS_USAGE"]),
                    new Label("uuid", notes["ID_FS_UUID"]), new Label("version", notes["ID_FS_VERSION"]),
                ];
            mapper = notes["DM_NAME"].Length == 0
                ? []
                :
                [
                    new Label("device", name), new Label("lv_layer", notes["DM_LV_LAYER"]), new Label("lv_name", notes["DM_LV_NAME"]),
                    new Label("name", notes["DM_NAME"]), new Label("uuid", notes["DM_UUID"]), new Label("vg_name", notes["DM_VG_NAME"]),
                ];
        }
    }
}
