using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>What each CPU is, from <c>/proc/cpuinfo</c>.</summary>
/// <remarks>Source: proc_cpuinfo(5). For that file the kernel asks every CPU for its frequency, so it is read once an hour and when the first round comes.</remarks>
internal sealed class CpuInfoSource(ProcFs proc, TimeProvider time) : IMetricSource
{
    private static readonly TimeSpan Age = TimeSpan.FromHours(1);

    private static readonly MetricDescriptor Info = Metric.Gauge("node_cpu_info", "", "1, with what a CPU is as labels.");

    private static readonly (string Key, string Label)[] Keys =
    [
        ("cache size", "cachesize"), ("core id", "core"), ("processor", "cpu"), ("cpu family", "family"), ("microcode", "microcode"), ("model", "model"),
        ("model name", "model_name"), ("physical id", "package"), ("stepping", "stepping"), ("vendor_id", "vendor"),
    ];

    private readonly string fileName = proc.NameOf("cpuinfo"u8);
    private readonly List<Label[]> cpus = [];
    private long? readAt;

    /// <inheritdoc/>
    public string Name => "cpu_info";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        if (readAt is not { } at || time.GetElapsedTime(at) >= Age)
        {
            var errno = proc.ReadWhole("cpuinfo"u8, out var text);
            if (errno != 0)
            {
                return errno == Libc.NotFound ? SourceOutcome.NotHere : SourceOutcome.Unreadable(fileName, errno);
            }

            readAt = time.GetTimestamp();
            Parse(text);
        }

        var series = new SeriesOut(sink);
        foreach (var labels in cpus)
        {
            series.Add(Info, labels, 1);
        }

        return series.Outcome;
    }

    // "model name	: AMD EPYC 7763": a block of such lines for each CPU, and an empty line behind it.
    private void Parse(ReadOnlySpan<byte> text)
    {
        cpus.Clear();
        var values = new string[Keys.Length];
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            var colon = line.IndexOf((byte)':');
            if (colon > 0)
            {
                var key = LabelText.From(line[..colon].Trim(" \t"u8));
                var at = Array.FindIndex(Keys, known => known.Key == key);
                if (at >= 0)
                {
                    values[at] = LabelText.From(line[(colon + 1)..].Trim(" \t"u8), LabelText.LongValueBytesMax);
                }
            }

            if (colon <= 0 || text.IsEmpty)
            {
                Add(values);
                Array.Clear(values);
            }
        }
    }

    private void Add(string?[] values)
    {
        const int Cpu = 2;
        if (!string.IsNullOrEmpty(values[Cpu]))
        {
            var labels = new Label[Keys.Length];
            for (var i = 0; i < labels.Length; i++)
            {
                labels[i] = new Label(Keys[i].Label, values[i] ?? "");
            }

            cpus.Add(labels);
        }
    }
}
