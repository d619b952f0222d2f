using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Every field of <c>/proc/meminfo</c>.</summary>
/// <remarks>
/// Source: proc_meminfo(5). <c>MemTotal:       24684092 kB</c> becomes <c>node_memory_MemTotal_bytes</c>, <c>Active(anon):</c> becomes
/// <c>node_memory_Active_anon_bytes</c>, and fields without a unit keep their name. What the kernel calls kB are 1,024 bytes. Before Linux 3.14 there is no
/// <c>MemAvailable</c>; MemFree + Buffers + Cached then stands for it, as in the heartbeat.
/// </remarks>
internal sealed class MeminfoSource(ProcFs proc) : IMetricSource, IDisposable
{
    private const int FieldMax = 256;
    private const double KibibyteBytes = 1024;

    private readonly KeptFile file = new(proc, "meminfo", isOneRead: true);
    private readonly NameTable<MetricDescriptor> fields = new(FieldMax, MakeMetric);

    /// <inheritdoc/>
    public string Name => "meminfo";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var errno = file.Read(out var text);
        if (errno != 0)
        {
            return SourceOutcome.Unreadable(file.Name, errno);
        }

        var series = new SeriesOut(sink);
        var hasEstimate = ProcMeminfo.TryParse(text, out var memory);
        var hasAvailable = false;
        fields.Begin();
        while (ProcText.TryNextLine(ref text, out var line, out var isWhole))
        {
            hasAvailable |= line.StartsWith("MemAvailable:"u8);
            series.OmittedCount += isWhole && !TryAdd(ref series, line) ? 1 : 0;
        }

        if (!hasAvailable && hasEstimate && fields.Get("MemAvailable: kB"u8) is { } available)
        {
            series.Add(available, memory.Available);
        }

        fields.End();
        return series.Count > 0
            ? series.Outcome
            : SourceOutcome.Malformed(file.Name, "MemTotal and further fields, each a number and most of them of kB");
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private bool TryAdd(ref SeriesOut series, ReadOnlySpan<byte> line)
    {
        var rest = line;
        if (!ProcText.TryNextField(ref rest, out var key) || key[^1] != (byte)':' || !ProcText.TryNextNumber(ref rest, out var value))
        {
            return false;
        }

        var hasUnit = ProcText.TryNextField(ref rest, out var unit);
        if (hasUnit && !unit.SequenceEqual("kB"u8))
        {
            return false;
        }

        // The unit is part of the key: the same word with another unit would be another metric.
        Span<byte> name = stackalloc byte[128];
        if (key.Length + " kB".Length > name.Length)
        {
            return false;
        }

        key.CopyTo(name);
        var length = key.Length;
        if (hasUnit)
        {
            " kB"u8.CopyTo(name[length..]);
            length += " kB".Length;
        }

        if (fields.Get(name[..length]) is not { } metric)
        {
            return false;
        }

        series.Add(metric, hasUnit ? value * KibibyteBytes : value);
        return true;
    }

    private static MetricDescriptor MakeMetric(string key)
    {
        var field = key[..key.IndexOf(':', StringComparison.Ordinal)];
        var isBytes = key.EndsWith(" kB", StringComparison.Ordinal);
        var name = new StringBuilder("node_memory_");
        foreach (var character in field)
        {
            // Active(anon): the closing parenthesis goes.
            name.Append(character == ')' ? "" : char.IsAsciiLetterOrDigit(character) ? character.ToString() : "_");
        }

        name.Append(isBytes ? "_bytes" : "");
        return Metric.Gauge(name.ToString(), isBytes ? "bytes" : "", $"The kernel's memory field {field}.");
    }
}
