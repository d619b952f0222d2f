using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Batteries and mains adapters, from <c>/sys/class/power_supply</c>.</summary>
/// <remarks>Source: the kernel's sysfs-class-power. Charges, currents, energies, powers and voltages are millionths; temperatures tenths of a degree.</remarks>
internal sealed class PowerSupplySource(ProcFs sys, NamePatterns names) : IMetricSource, IDisposable
{
    private const int DeviceMax = 1024;
    private const double Million = 1_000_000;
    private const double Ten = 10;

    private static readonly MetricDescriptor Info = Metric.Gauge("node_power_supply_info", "", "1, with what a power supply is and its state as labels.");

    private static readonly string[] Texts =
    [
        "capacity_level", "charge_type", "health", "manufacturer", "model_name", "serial_number", "status", "technology", "type", "usb_type", "scope",
    ];

    private static readonly (string File, MetricDescriptor Metric, double Divisor)[] Numbers =
    [
        Number("authentic", 1), Number("calibrate", 1), Number("capacity", 1), Number("capacity_alert_max", 1), Number("capacity_alert_min", 1),
        Number("cycle_count", 1, "cyclecount"), Number("online", 1), Number("present", 1),
        Number("time_to_empty_now", 1, "time_to_empty_seconds"), Number("time_to_full_now", 1, "time_to_full_seconds"),
        Number("current_boot", Million), Number("current_max", Million), Number("current_now", Million, "current_ampere"),
        Number("energy_empty", Million), Number("energy_empty_design", Million), Number("energy_full", Million), Number("energy_full_design", Million),
        Number("energy_now", Million, "energy_watthour"), Number("voltage_boot", Million), Number("voltage_max", Million), Number("voltage_max_design", Million),
        Number("voltage_min", Million), Number("voltage_min_design", Million), Number("voltage_now", Million, "voltage_volt"), Number("voltage_ocv", Million),
        Number("charge_control_limit", Million), Number("charge_control_limit_max", Million), Number("charge_counter", Million), Number("charge_empty", Million),
        Number("charge_empty_design", Million), Number("charge_full", Million), Number("charge_full_design", Million), Number("charge_now", Million, "charge_ampere"),
        Number("charge_term_current", Million), Number("constant_charge_current", Million), Number("constant_charge_current_max", Million),
        Number("constant_charge_voltage", Million), Number("constant_charge_voltage_max", Million), Number("precharge_current", Million),
        Number("input_current_limit", Million), Number("power_now", Million, "power_watt"),
        Number("temp", Ten, "temp_celsius"), Number("temp_alert_max", Ten, "temp_alert_max_celsius"), Number("temp_alert_min", Ten, "temp_alert_min_celsius"),
        Number("temp_ambient", Ten, "temp_ambient_celsius"), Number("temp_ambient_max", Ten, "temp_ambient_max_celsius"),
        Number("temp_ambient_min", Ten, "temp_ambient_min_celsius"), Number("temp_max", Ten, "temp_max_celsius"), Number("temp_min", Ten, "temp_min_celsius"),
    ];

    private readonly NameTable<Supply> supplies = new(DeviceMax, name => names.Allows(name) ? new Supply(sys, name) : null);

    /// <inheritdoc/>
    public string Name => "powersupplyclass";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = sys.Open("class/power_supply"u8, out var directory);
        if (errno != 0)
        {
            return errno == Libc.NotFound ? SourceOutcome.NotHere : SourceOutcome.Unreadable(sys.NameOf("class/power_supply"u8), errno);
        }

        var series = new SeriesOut(sink);
        supplies.Begin();
        using (directory)
        {
            while (directory.TryNext(out var name))
            {
                supplies.Get(name)?.Add(ref series);
            }
        }

        supplies.End();
        series.OmittedCount += supplies.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => supplies.Dispose();

    private static (string, MetricDescriptor, double) Number(string file, double divisor, string? name = null) =>
        (file, Metric.Gauge($"node_power_supply_{name ?? file}", "", $"A power supply's {file.Replace('_', ' ')}."), divisor);

    private sealed class Supply(ProcFs sys, string name) : IDisposable
    {
        private readonly Label[] labels = [new Label("power_supply", name)];
        private readonly TextLabels info = new([new Label("power_supply", name)], Texts);
        private readonly KeptFile[] texts = Array.ConvertAll(Texts, text => new KeptFile(sys, $"class/power_supply/{name}/{text}", isOneRead: true));

        // Of some fifty files a supply has a dozen: those that were there at first.
        private readonly (KeptFile File, MetricDescriptor Metric, double Divisor)[] numbers = Array.FindAll(
            Array.ConvertAll(Numbers, number => (File: new KeptFile(sys, $"class/power_supply/{name}/{number.File}", isOneRead: true), number.Metric, number.Divisor)),
            number => number.File.Read(out _) != Libc.NotFound);

        public void Add(ref SeriesOut series)
        {
            for (var i = 0; i < texts.Length; i++)
            {
                info.Set(i, texts[i].Read(out var text) == 0 ? text : default);
            }

            series.Add(Info, info.Span, 1);
            foreach (var (file, metric, divisor) in numbers)
            {
                if (SysNumber.TryRead(file, out var value))
                {
                    series.Add(metric, labels, value / divisor);
                }
            }
        }

        public void Dispose()
        {
            Array.ForEach(texts, file => file.Dispose());
            Array.ForEach(numbers, number => number.File.Dispose());
        }
    }
}
