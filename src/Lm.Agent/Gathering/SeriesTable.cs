using System.Text;
using Lm.Agent.Exposition;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>The series of one target, known by the bytes that name them: in the steady state a line is looked up, and nothing is made anew.</summary>
/// <remarks>
/// Invariants: no more series are held than one reading may have; what a reading does not name is forgotten with the next good one;
/// a reading counts whole or not at all, so that half a text never looks like series that ended, and what only a bad one named was never there.
/// Not safe for concurrent use.
/// </remarks>
internal sealed class SeriesTable(SeriesRules rules)
{
    /// <summary>Bytes of one line.</summary>
    public const int LineBytesMax = 64 << 10;

    private const int HelpCharsMax = 400;

    private readonly Dictionary<byte[], KnownSeries> series = new(ByteKeyComparer.Instance);
    private readonly Dictionary<string, FamilyFacts> families = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MetricDescriptor> metrics = new(StringComparer.Ordinal);
    private readonly List<GatheredSample> samples = [];
    private readonly List<Label> labels = [];
    private long round;

    /// <summary>Samples that the last good reading had, those that were dropped by rules included.</summary>
    public int ReadCount { get; private set; }

    /// <summary>Samples of the last good reading that stand in it twice: the first one counts.</summary>
    public int DuplicateCount { get; private set; }

    /// <summary>Reads a text.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="gathered">Its samples, where they were kept; empty when there is a fault.</param>
    /// <returns>What is wrong; empty for nothing.</returns>
    public string Read(ReadOnlySpan<byte> text, out GatheredSample[] gathered)
    {
        gathered = [];
        round++;
        samples.Clear();
        var (read, duplicates) = (0, 0);
        for (var number = 1; !text.IsEmpty; number++)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            var fault = line.Length > LineBytesMax ? $"it has more than {LineBytesMax} bytes" : ReadLine(line, ref read, ref duplicates);
            if (fault.Length > 0)
            {
                return $"line {number}: {fault}";
            }
        }

        (ReadCount, DuplicateCount) = (read, duplicates);
        gathered = [.. samples];
        Forget();
        return "";
    }

    /// <summary>The series that a good reading no longer has, so that they can be told to have ended.</summary>
    public List<GatheredSample> Ended { get; } = [];

    /// <summary>All series are gone: the target gave no good reading.</summary>
    public void EndAll()
    {
        round++;
        Forget();
    }

    private string ReadLine(ReadOnlySpan<byte> line, ref int read, ref int duplicates)
    {
        var parsed = ExpositionLine.Parse(line);
        switch (parsed.Kind)
        {
            case ExpositionLineKind.Sample:
                return ReadSample(parsed, ref read, ref duplicates);
            case ExpositionLineKind.Type:
                FamilyOf(parsed.Name)?.SetType(parsed.Text);
                return "";
            case ExpositionLineKind.Help:
                FamilyOf(parsed.Name)?.SetHelp(parsed.Text, HelpCharsMax);
                return "";
            case ExpositionLineKind.Unit:
                FamilyOf(parsed.Name)?.SetUnit(parsed.Text);
                return "";
            case ExpositionLineKind.Malformed:
                return parsed.Fault;
            default:
                return "";
        }
    }

    private string ReadSample(in ExpositionLine line, ref int read, ref int duplicates)
    {
        if (read == rules.SamplesMax)
        {
            return $"there are more than {rules.SamplesMax} samples";
        }

        read++;
        if (!series.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(line.Text, out var known))
        {
            if (ExpositionLabels.Read(line.Labels, labels) is { Length: > 0 } fault)
            {
                return fault;
            }

            known = Learn(Encoding.ASCII.GetString(line.Name));
            series.Add(line.Text.ToArray(), known);
        }

        if (known.Round == round)
        {
            duplicates++;
            return "";
        }

        known.Round = round;
        if (known.Metric is { } metric)
        {
            samples.Add(new GatheredSample(metric, known.Labels, line.Value));
        }

        return "";
    }

    private KnownSeries Learn(string name)
    {
        if (!rules.TryApply(ref name, labels))
        {
            return new KnownSeries(null, []);
        }

        if (!metrics.TryGetValue(name, out var metric))
        {
            metrics.Add(name, metric = Describe(name));
        }

        Label[] sorted = [.. labels];
        Array.Sort(sorted, static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        return new KnownSeries(metric, sorted);
    }

    private MetricDescriptor Describe(string name)
    {
        if (families.TryGetValue(name, out var own))
        {
            return new MetricDescriptor(name, own.TypeOf(""), own.Unit, own.Help);
        }

        foreach (var suffix in FamilyFacts.Suffixes)
        {
            if (name.EndsWith(suffix, StringComparison.Ordinal) && families.TryGetValue(name[..^suffix.Length], out var family) && family.TypeOf(suffix) is var type and not MetricType.Unknown)
            {
                return new MetricDescriptor(name, type, family.Unit, family.Help);
            }
        }

        return new MetricDescriptor(name, MetricType.Unknown, "", "");
    }

    // As many families as samples: with more of them there is nothing that they describe.
    private FamilyFacts? FamilyOf(ReadOnlySpan<byte> name)
    {
        var lookup = families.GetAlternateLookup<ReadOnlySpan<char>>();
        Span<char> text = stackalloc char[name.Length];
        Encoding.ASCII.GetChars(name, text);
        if (!lookup.TryGetValue(text, out var family) && families.Count < rules.SamplesMax)
        {
            families.Add(new string(text), family = new FamilyFacts());
        }

        return family;
    }

    private void Forget()
    {
        Ended.Clear();
        foreach (var (key, known) in series)
        {
            if (known.Round == round)
            {
                known.IsGiven = true;
                continue;
            }

            series.Remove(key); // allowed while it is walked through
            if (known is { IsGiven: true, Metric: { } metric })
            {
                Ended.Add(new GatheredSample(metric, known.Labels, 0));
            }
        }

        // A target that changes its names does not fill the memory; what is still there has its description.
        if (series.Count == 0 || metrics.Count > rules.SamplesMax)
        {
            metrics.Clear();
            families.Clear();
        }
    }

    /// <param name="metric">Null when rules drop it.</param>
    /// <param name="labels">Its labels after the rules.</param>
    private sealed class KnownSeries(MetricDescriptor? metric, Label[] labels)
    {
        public MetricDescriptor? Metric { get; } = metric;

        public Label[] Labels { get; } = labels;

        /// <summary>The reading that named it last.</summary>
        public long Round { get; set; }

        /// <summary>Whether a good reading named it: another leaves no samples, and so nothing that could end.</summary>
        public bool IsGiven { get; set; }
    }
}
