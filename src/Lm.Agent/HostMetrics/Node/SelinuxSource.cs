using Lm.Protocol;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>Whether SELinux is on, and enforces.</summary>
internal sealed class SelinuxSource(HostRoots roots) : IMetricSource, IDisposable
{
    private static readonly MetricDescriptor Enabled = Metric.Gauge("node_selinux_enabled", "", "1 when SELinux is on, else 0.");
    private static readonly MetricDescriptor CurrentMode = Metric.Gauge("node_selinux_current_mode", "", "1 when SELinux enforces its policy, 0 when it only reports.");
    private static readonly MetricDescriptor ConfigMode = Metric.Gauge("node_selinux_config_mode", "", "What the configuration asks for: 1 enforcing, 0 permissive, -1 off.");

    private readonly KeptFile enforce = new(roots.Sys, "fs/selinux/enforce", isOneRead: true);

    /// <inheritdoc/>
    public string Name => "selinux";

    /// <inheritdoc/>
    public SourceOutcome Collect(ISampleSink sink)
    {
        var series = new SeriesOut(sink);
        var isEnabled = SysNumber.TryRead(enforce, out var mode);
        series.Add(Enabled, isEnabled ? 1 : 0);
        if (isEnabled)
        {
            series.Add(CurrentMode, mode);
            series.Add(ConfigMode, ReadConfig());
        }

        return series.Outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => enforce.Dispose();

    private double ReadConfig()
    {
        if (roots.Files.ReadWhole("etc/selinux/config"u8, out var text) != 0)
        {
            return -1;
        }

        while (ProcText.TryNextLine(ref text, out var line, out _))
        {
            if (line.StartsWith("SELINUX="u8))
            {
                var value = line["SELINUX=".Length..].Trim(" \t\r"u8);
                return value.SequenceEqual("enforcing"u8) ? 1 : value.SequenceEqual("permissive"u8) ? 0 : -1;
            }
        }

        return -1;
    }
}
