using System.Globalization;
using System.Text;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>The distribution, from <c>/etc/os-release</c> or <c>/usr/lib/os-release</c>.</summary>
/// <remarks>Source: os-release(5), lines <c>NAME="Debian GNU/Linux"</c>. Read again every ten minutes: an upgrade changes it under a running agent.</remarks>
internal sealed class OsSource(ProcFs files, TimeProvider time) : IMetricSource
{
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(10);

    private static readonly MetricDescriptor Info = Metric.Gauge("node_os_info", "", "1, with what os-release says as labels.");
    private static readonly MetricDescriptor Version = Metric.Gauge("node_os_version", "", "The distribution's version as MAJOR.MINOR.");

    private static readonly string[] Keys =
    [
        "BUILD_ID", "ID", "ID_LIKE", "IMAGE_ID", "IMAGE_VERSION", "NAME", "PRETTY_NAME", "VARIANT", "VARIANT_ID", "VERSION", "VERSION_CODENAME", "VERSION_ID",
    ];

    private Label[] info = [];
    private Label[] ids = [];
    private double? version;
    private long? readAt;

    /// <inheritdoc/>
    public string Name => "os";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        if (readAt is not { } at || time.GetElapsedTime(at) >= Age)
        {
            readAt = time.GetTimestamp();
            Read();
        }

        var series = new SeriesOut(sink);
        if (info.Length > 0)
        {
            series.Add(Info, info, 1);
        }

        if (version is { } number)
        {
            series.Add(Version, ids, number);
        }

        return series.Outcome;
    }

    private void Read()
    {
        (info, version) = ([], null);
        if (files.ReadWhole("etc/os-release"u8, out var text) != 0 && files.ReadWhole("usr/lib/os-release"u8, out text) != 0)
        {
            return; // a container image without one
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            var equals = line.IndexOf((byte)'=');
            if (equals > 0 && line[0] != (byte)'#')
            {
                values[Encoding.UTF8.GetString(line[..equals]).Trim()] = LabelText.From(Unquote(line[(equals + 1)..].Trim(" \t\r"u8)), LabelText.LongValueBytesMax);
            }
        }

        info = Array.ConvertAll(Keys, key => new Label(key.ToLowerInvariant(), values.GetValueOrDefault(key, "")));
        ids = Array.FindAll(info, label => label.Name is "id" or "id_like" or "name");
        version = TryParseVersion(values.GetValueOrDefault("VERSION_ID", ""));
    }

    private static byte[] Unquote(ReadOnlySpan<byte> value)
    {
        if (value.Length < 2 || value[0] != value[^1] || value[0] is not ((byte)'"' or (byte)'\''))
        {
            return value.ToArray();
        }

        var plain = new List<byte>();
        for (var i = 1; i < value.Length - 1; i++)
        {
            var isEscape = value[0] == (byte)'"' && value[i] == (byte)'\\' && i + 1 < value.Length - 1;
            plain.Add(value[isEscape ? ++i : i]);
        }

        return [.. plain];
    }

    // "12", "22.04", "3.19.1": the digits of the first two parts.
    private static double? TryParseVersion(string id)
    {
        var parts = id.Split('.', 3);
        var text = parts.Length > 1 && parts[1].Length > 0 && parts[1].All(char.IsAsciiDigit) ? $"{parts[0]}.{parts[1]}" : parts[0];
        return text.Length > 0 && char.IsAsciiDigit(text[0]) && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }
}
