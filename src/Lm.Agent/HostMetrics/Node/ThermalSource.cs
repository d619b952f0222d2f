using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Temperatures of thermal zones and the state of what cools them, from <c>/sys/class/thermal</c>.</summary>
internal sealed class ThermalSource(ProcFs sys, NamePatterns names) : IMetricSource, IDisposable
{
    private const int DeviceMax = 4096;
    private const double Milli = 1000;

    private static readonly MetricDescriptor Temperature = Metric.Gauge("node_thermal_zone_temp", "", "Temperature of a thermal zone, degrees Celsius.");
    private static readonly MetricDescriptor CurrentState = Metric.Gauge("node_cooling_device_cur_state", "", "How much a cooling device throttles or cools now.");
    private static readonly MetricDescriptor StateMax = Metric.Gauge("node_cooling_device_max_state", "", "The most that a cooling device can throttle or cool.");

    private readonly NameTable<Device> devices = new(DeviceMax, name => names.Allows(name) ? Device.Make(sys, name) : null);

    /// <inheritdoc/>
    public string Name => "thermal_zone";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = sys.Open("class/thermal"u8, out var directory);
        if (errno != 0)
        {
            return errno == Libc.NotFound ? SourceOutcome.NotHere : SourceOutcome.Unreadable(sys.NameOf("class/thermal"u8), errno);
        }

        var series = new SeriesOut(sink);
        devices.Begin();
        using (directory)
        {
            while (directory.TryNext(out var name))
            {
                devices.Get(name)?.Add(ref series);
            }
        }

        devices.End();
        series.OmittedCount += devices.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => devices.Dispose();

    private sealed class Device(ProcFs sys, string folder, Label number, bool isZone) : IDisposable
    {
        private readonly KeptFile type = new(sys, $"class/thermal/{folder}/type", isOneRead: true);
        private readonly KeptFile now = new(sys, $"class/thermal/{folder}/{(isZone ? "temp" : "cur_state")}", isOneRead: true);
        private readonly KeptFile max = new(sys, $"class/thermal/{folder}/max_state", isOneRead: true);
        private readonly TextLabels labels = new([number], "type");

        public static Device? Make(ProcFs sys, string folder)
        {
            const string Zone = "thermal_zone";
            const string Cooler = "cooling_device";
            return folder.StartsWith(Zone, StringComparison.Ordinal) ? new Device(sys, folder, new Label("zone", folder[Zone.Length..]), isZone: true)
                : folder.StartsWith(Cooler, StringComparison.Ordinal) ? new Device(sys, folder, new Label("name", folder[Cooler.Length..]), isZone: false)
                : null;
        }

        public void Add(ref SeriesOut series)
        {
            labels.Set(0, type.Read(out var text) == 0 ? text : default);
            if (!SysNumber.TryRead(now, out var value))
            {
                series.OmittedCount++; // a zone that is switched off cannot be read
                return;
            }

            series.Add(isZone ? Temperature : CurrentState, labels.Span, isZone ? value / Milli : value);
            if (!isZone && SysNumber.TryRead(max, out value))
            {
                series.Add(StateMax, labels.Span, value);
            }
        }

        public void Dispose()
        {
            type.Dispose();
            now.Dispose();
            max.Dispose();
        }
    }
}
