using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The host's clock, its time zone, and which clock sources the kernel has and uses.</summary>
internal sealed class TimeSource(ProcFs sys, TimeProvider time) : IMetricSource
{
    private const int DeviceMax = 16;
    private const string Folder = "devices/system/clocksource";

    // Clock sources change at boot, and when the kernel finds one unstable.
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(1);

    private static readonly MetricDescriptor Now = Metric.Gauge("node_time_seconds", "seconds", "The host's clock, seconds since 1970.");
    private static readonly MetricDescriptor ZoneOffset = Metric.Gauge("node_time_zone_offset_seconds", "seconds", "How far the host's time zone is ahead of UTC.");

    private static readonly MetricDescriptor AvailableSource = Metric.Gauge("node_time_clocksource_available_info", "",
        "1 for each clock source that the kernel could use.");

    private static readonly MetricDescriptor CurrentSource = Metric.Gauge("node_time_clocksource_current_info", "", "1 for the clock source that the kernel uses.");

    private readonly List<(MetricDescriptor Metric, Label[] Labels)> sources = [];
    private Label[] zone = [];
    private double zoneOffset;
    private long? readAt;

    /// <inheritdoc/>
    public string Name => "time";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        if (readAt is not { } at || time.GetElapsedTime(at) >= Age)
        {
            readAt = time.GetTimestamp();
            ReadSources();
            ReadZone();
        }

        var series = new SeriesOut(sink);
        series.Add(Now, (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
        series.Add(ZoneOffset, zone, zoneOffset);
        foreach (var (metric, labels) in sources)
        {
            series.Add(metric, labels, 1);
        }

        return series.Outcome;
    }

    private void ReadZone()
    {
        (var name, zoneOffset) = LocalZone.At(time.GetUtcNow().ToUnixTimeSeconds());
        zone = [new Label("time_zone", name)];
    }

    private void ReadSources()
    {
        sources.Clear();
        for (var device = 0; device < DeviceMax; device++)
        {
            var number = device.ToString(CultureInfo.InvariantCulture);
            if (sys.ReadStart(Encoding.ASCII.GetBytes($"{Folder}/clocksource{number}/available_clocksource"), out var text) != 0)
            {
                return;
            }

            Add(AvailableSource, text, number);
            if (sys.ReadStart(Encoding.ASCII.GetBytes($"{Folder}/clocksource{number}/current_clocksource"), out text) == 0)
            {
                Add(CurrentSource, text, number);
            }
        }
    }

    private void Add(MetricDescriptor metric, ReadOnlySpan<byte> text, string device)
    {
        while (ProcText.TryNextField(ref text, out var source))
        {
            sources.Add((metric, [new Label("clocksource", LabelText.From(source)), new Label("device", device)]));
            text = text.TrimStart("\n"u8);
        }
    }
}

/// <summary>The host's time zone as libc has it: .NET has no short names.</summary>
internal static unsafe partial class LocalZone
{
    private const int OffsetAt = 40; // tm_gmtoff and tm_zone of 64-bit glibc and musl
    private const int NameAt = 48;
    private const int StructBytes = 128;

    /// <summary>The zone's short name at a time (CET, CEST, UTC), and how far it is ahead of UTC, seconds.</summary>
    public static (string Name, long OffsetSeconds) At(long unixSeconds)
    {
        var fields = stackalloc byte[StructBytes];
        return LocalTime(&unixSeconds, fields) == null
            ? ("UTC", 0)
            : (Marshal.PtrToStringUTF8(*(nint*)(fields + NameAt)) ?? "", *(long*)(fields + OffsetAt));
    }

    [LibraryImport("libc", EntryPoint = "localtime_r")]
    private static partial void* LocalTime(long* time, byte* result);
}
