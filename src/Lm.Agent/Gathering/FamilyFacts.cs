using System.Text;
using Lm.Agent.Exposition;
using Lm.Protocol;

namespace Lm.Agent.Gathering;

/// <summary>What a text says about a family of series.</summary>
internal sealed class FamilyFacts
{
    /// <summary>What a series' name may have behind its family's.</summary>
    public static readonly string[] Suffixes = ["_bucket", "_sum", "_count", "_total", "_info", "_created", "_gsum", "_gcount"];

    private bool isComposed; // a histogram or summary
    private MetricType type;

    public string Help { get; private set; } = "";

    public string Unit { get; private set; } = "";

    public void SetHelp(ReadOnlySpan<byte> text, int charsMax)
    {
        if (Help.Length > 0 || text.IsEmpty)
        {
            return;
        }

        var help = ExpositionLabels.Unescape(text[..Math.Min(text.Length, 4 * charsMax)]);
        Help = help.Length > charsMax ? help[..charsMax] : help;
    }

    public void SetUnit(ReadOnlySpan<byte> text)
    {
        const int UnitBytesMax = 64;
        if (Unit.Length == 0 && text.Length <= UnitBytesMax)
        {
            Unit = Encoding.UTF8.GetString(text);
        }
    }

    public void SetType(ReadOnlySpan<byte> text)
    {
        isComposed = text.SequenceEqual("histogram"u8) || text.SequenceEqual("summary"u8) || text.SequenceEqual("gaugehistogram"u8);
        type = text.SequenceEqual("counter"u8) ? MetricType.Counter
            : text.SequenceEqual("gauge"u8) || text.SequenceEqual("stateset"u8) || text.SequenceEqual("summary"u8) ? MetricType.Gauge
            : text.SequenceEqual("info"u8) ? MetricType.Info
            : MetricType.Unknown;
    }

    /// <summary>The type of the series whose name has this behind the family's. Histograms and summaries are the plain series that they consist of.</summary>
    public MetricType TypeOf(string suffix) => suffix switch
    {
        "" => type,
        "_bucket" or "_sum" or "_count" => isComposed ? MetricType.Counter : MetricType.Unknown,
        "_total" => type == MetricType.Counter ? type : MetricType.Unknown,
        "_info" => type == MetricType.Info ? type : MetricType.Unknown,
        "_created" or "_gsum" or "_gcount" => MetricType.Gauge,
        _ => MetricType.Unknown,
    };
}
