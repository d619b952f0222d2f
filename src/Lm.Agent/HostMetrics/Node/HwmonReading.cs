using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>What one file of a chip means: its metric and its unit.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Factor">What the file's number is to be multiplied by; or 0.</param>
/// <param name="Divisor">What it is to be divided by, where that is exact and a product is not.</param>
internal sealed record HwmonReading(MetricDescriptor Metric, double Factor, double Divisor = 1)
{
    private const double Milli = 0.001;
    private const double Million = 1_000_000;

    private static readonly string[] Kinds =
    [
        "vrm", "beep_enable", "update_interval", "in", "cpu", "fan", "pwm", "temp", "curr", "power", "energy", "humidity", "intrusion", "freq",
    ];

    /// <summary>The value in the metric's unit.</summary>
    public double Scale(double value) => Divisor > 1 ? value / Divisor : value * Factor;

    /// <summary>Splits a file's name: <c>temp1_crit_alarm</c> is the kind <c>temp</c>, the sensor <c>temp1</c> and the property <c>crit_alarm</c>. A file without a number is of sensor 0.</summary>
    /// <returns>False for files that are no sensor's.</returns>
    public static bool TrySplit(string file, out string kind, out string sensor, out string property)
    {
        (kind, sensor, property) = ("", "", "");
        foreach (var known in Kinds)
        {
            if (!file.StartsWith(known, StringComparison.Ordinal))
            {
                continue;
            }

            var end = known.Length;
            while (end < file.Length && char.IsAsciiDigit(file[end]))
            {
                end++;
            }

            if (end < file.Length && file[end] != '_')
            {
                continue;
            }

            (kind, sensor, property) = (known, end > known.Length ? file[..end] : known + '0', end < file.Length ? file[(end + 1)..] : "");
            return true;
        }

        return false;
    }

    /// <summary>The meaning of a property.</summary>
    /// <param name="kind">The sensor's kind.</param>
    /// <param name="property">The property; empty for a file that is named like its sensor.</param>
    /// <param name="hasBare">Whether there is such a file beside: then the input is named as such.</param>
    public static HwmonReading Of(string kind, string property, bool hasBare)
    {
        var name = new StringBuilder($"node_hwmon_{kind}");
        name.Append(property switch
        {
            "" => "",
            "input" when !hasBare => "",
            _ => $"_{property}",
        });
        return (kind, property) switch
        {
            ("vrm", _) => new HwmonReading(Node.Metric.Gauge("node_hwmon_voltage_regulator_version", "", Help), 1),
            ("beep_enable", _) => new HwmonReading(Node.Metric.Gauge("node_hwmon_beep_enabled", "", Help), 1),
            ("update_interval", _) => Gauge(name.Append("_seconds"), Milli),
            (_, "fault" or "alarm") => Gauge(name, 1),
            (_, "beep") => Gauge(name.Append("_enabled"), 1),
            ("in" or "cpu", _) => Gauge(name.Append("_volts"), Milli),
            ("temp", not "type") => Gauge(name.Append("_celsius"), Milli),
            ("curr", _) => Gauge(name.Append("_amps"), Milli),
            ("energy", _) => new HwmonReading(Node.Metric.Counter(name.Append("_joule_total").ToString(), "joules", Help), 0, Million),
            ("power", "accuracy") => new HwmonReading(Node.Metric.Gauge(name.ToString(), "", Help), 0, Million),
            ("power", "average_interval" or "average_interval_min" or "average_interval_max") => Gauge(name.Append("_seconds"), Milli),
            ("power", _) => new HwmonReading(Node.Metric.Gauge(name.Append("_watt").ToString(), "", Help), 0, Million),
            ("humidity", _) => new HwmonReading(Node.Metric.Gauge(name.ToString(), "", Help), 0, Million),
            ("fan", "input" or "min" or "max" or "target") => Gauge(name.Append("_rpm"), 1),
            ("freq", _) => new HwmonReading(Node.Metric.Gauge(name.Append("_freq_mhz").ToString(), "", Help), 0, Million),
            _ => Gauge(name, 1),
        };
    }

    private const string Help = "A sensor's reading.";

    private static HwmonReading Gauge(StringBuilder name, double factor) => new(Node.Metric.Gauge(name.ToString(), "", Help), factor);
}
