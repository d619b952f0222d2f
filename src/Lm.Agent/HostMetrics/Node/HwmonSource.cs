using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Temperatures, fans, voltages, currents and powers, from <c>/sys/class/hwmon</c>.</summary>
/// <remarks>
/// Source: the kernel's sysfs-class-hwmon. A chip's files are <c>temp1_input</c>, <c>fan2_min</c>, <c>in0_label</c>: a kind, a number and what of it.
/// Which files a chip has is looked up when it is first seen and again now and then; their values are read at each tick.
/// </remarks>
internal sealed class HwmonSource(ProcFs sys, NamePatterns names) : IMetricSource, IDisposable
{
    private const int ChipMax = 512;
    private const int RoundsBetweenLooks = 120;

    private readonly NameTable<HwmonChip> chips = new(ChipMax, name => HwmonChip.Make(sys, name, names));
    private int round = -1;

    /// <inheritdoc/>
    public string Name => "hwmon";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        round = (round + 1) % RoundsBetweenLooks;
        if (round == 0)
        {
            chips.Begin();
            chips.End(); // forgets all, so that each is looked at anew
        }

        var errno = sys.Open("class/hwmon"u8, out var directory);
        if (errno != 0)
        {
            return errno == Libc.NotFound ? SourceOutcome.NotHere : SourceOutcome.Unreadable(sys.NameOf("class/hwmon"u8), errno);
        }

        var series = new SeriesOut(sink);
        chips.Begin();
        using (directory)
        {
            while (directory.TryNext(out var name))
            {
                chips.Get(name)?.Add(ref series);
            }
        }

        chips.End();
        series.OmittedCount += chips.OmittedCount;
        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => chips.Dispose();
}

/// <summary>One chip: its name and its sensors.</summary>
internal sealed class HwmonChip : IDisposable
{
    private const int ReadingMax = 1024;

    private static readonly MetricDescriptor ChipNames = Metric.Gauge("node_hwmon_chip_names", "", "1, with a chip's driver as the label chip_name.");
    private static readonly MetricDescriptor SensorLabel = Metric.Gauge("node_hwmon_sensor_label", "", "1, with what a sensor is for as the label label.");

    private readonly List<(MetricDescriptor Metric, Label[] Labels)> constants = [];
    private readonly List<(KeptFile File, HwmonReading Reading, Label[] Labels)> readings = [];

    private HwmonChip()
    {
    }

    /// <summary>Looks at a chip; null for one that is not wanted.</summary>
    public static HwmonChip? Make(ProcFs sys, string folder, NamePatterns names)
    {
        var path = $"class/hwmon/{folder}";
        var driver = ReadText(sys, $"{path}/name");
        var chipName = NameOf(sys, path, driver, folder);
        if (!names.Allows(chipName))
        {
            return null;
        }

        var chip = new HwmonChip();
        if (driver.Length > 0)
        {
            chip.constants.Add((ChipNames, [new Label("chip", chipName), new Label("chip_name", driver)]));
        }

        // Old drivers keep their files with the device.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        chip.Look(sys, path, chipName, seen);
        chip.Look(sys, $"{path}/device", chipName, seen);
        return chip;
    }

    /// <summary>Reads and adds all sensors.</summary>
    public void Add(ref SeriesOut series)
    {
        foreach (var (metric, labels) in constants)
        {
            series.Add(metric, labels, 1);
        }

        foreach (var (file, reading, labels) in readings)
        {
            if (SysNumber.TryRead(file, out var value))
            {
                series.Add(reading.Metric, labels, reading.Scale(value));
            }
            else
            {
                series.OmittedCount++; // a sensor that is switched off cannot be read
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => readings.ForEach(reading => reading.File.Dispose());

    private void Look(ProcFs sys, string path, string chipName, HashSet<string> seen)
    {
        var files = new List<string>();
        if (sys.Open(Encoding.UTF8.GetBytes(path), out var directory) != 0)
        {
            return;
        }

        using (directory)
        {
            while (directory.TryNext(out var name))
            {
                files.Add(Encoding.UTF8.GetString(name));
            }
        }

        files.Sort(StringComparer.Ordinal);
        foreach (var file in files.Where(file => readings.Count < ReadingMax))
        {
            if (!HwmonReading.TrySplit(file, out var kind, out var sensor, out var property) || !seen.Add(file))
            {
                continue;
            }

            if (property == "label")
            {
                var label = ReadText(sys, $"{path}/{file}");
                if (label.Length > 0)
                {
                    constants.Add((SensorLabel, [new Label("chip", chipName), new Label("label", label), new Label("sensor", sensor)]));
                }

                continue;
            }

            var kept = new KeptFile(sys, $"{path}/{file}", isOneRead: true);
            if (SysNumber.TryRead(kept, out _))
            {
                readings.Add((kept, HwmonReading.Of(kind, property, hasBare: files.Contains(sensor)), [new Label("chip", chipName), new Label("sensor", sensor)]));
            }
            else
            {
                kept.Dispose();
            }
        }
    }

    // The device behind the chip tells two chips of one driver apart: bus and address, as platform_coretemp_0.
    private static string NameOf(ProcFs sys, string path, string driver, string folder)
    {
        var full = $"{sys.Root}/{path}/device";
        if (Directory.Exists(full) && RealPath(full) is { } device)
        {
            var parts = device.Split('/', StringSplitOptions.RemoveEmptyEntries);
            var (bus, name) = (parts.Length > 1 ? Clean(parts[^2]) : "", Clean(parts[^1]));
            if (name.Length > 0)
            {
                return bus.Length > 0 ? $"{bus}_{name}" : name;
            }
        }

        return Clean(driver) is { Length: > 0 } clean ? clean : folder;
    }

    private static unsafe string? RealPath(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var resolved = Libc.RealPath(name, null);
            if (resolved == null)
            {
                return null;
            }

            var text = System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)resolved);
            System.Runtime.InteropServices.NativeMemory.Free(resolved);
            return text;
        }
    }

    private static string Clean(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var character in name.Trim().ToLowerInvariant())
        {
            text.Append(char.IsAsciiLetterOrDigit(character) || character is '_' or ':' ? character : '_');
        }

        return text.ToString().Trim('_');
    }

    private static string ReadText(ProcFs sys, string path) =>
        sys.ReadStart(Encoding.UTF8.GetBytes(path), out var text) == 0 ? LabelText.From(text.Trim("\n\0"u8), LabelText.LongValueBytesMax) : "";
}
