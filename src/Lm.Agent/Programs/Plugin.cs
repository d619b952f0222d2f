using Lm.Agent.Gathering;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Processes;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Programs;

/// <summary>A program that prints Prometheus text or OpenMetrics, and is verified before each start.</summary>
/// <remarks>What is verified is what runs: its bytes are read once into memory that nobody can change, checked there, and started from there.</remarks>
internal sealed class Plugin(PluginSettings settings, TimeProvider time, ILogger logger) : IGatherJob
{
    private static readonly MetricDescriptor Up = new("lmagent_plugin_up", MetricType.Gauge, "",
        "1 where the plug-in's last run was good and its text was taken, 0 where not.");

    private static readonly MetricDescriptor Duration = new("lmagent_plugin_duration_seconds", MetricType.Gauge, "seconds",
        "How long the plug-in's last run took.");

    private static readonly MetricDescriptor SampleCount = new("lmagent_plugin_samples", MetricType.Gauge, "",
        "Samples of the plug-in's last text.");

    private readonly SeriesTable table = new(settings.Rules);
    private readonly Label[] label = [new Label("plugin", settings.Name)];

    /// <inheritdoc/>
    public string Name => $"plug-in \"{settings.Name}\"";

    /// <inheritdoc/>
    public TimeSpan Interval => settings.Program.Interval;

    /// <inheritdoc/>
    public HarvestOutlet Outlet { get; } = new();

    /// <inheritdoc/>
    public string Run(CancellationToken stopping)
    {
        var at = UnixMillis.Now(time);
        var duration = TimeSpan.Zero;
        GatheredSample[] samples = [];
        var fault = "";
        using (var image = PluginImage.TryLoad(settings, out fault))
        {
            if (image is not null)
            {
                var run = ProgramRun.Start(settings.Program.ToStart() with { Image = image }, time, stopping);
                if (stopping.IsCancellationRequested)
                {
                    return "";
                }

                if (run.StrayCount > 0)
                {
                    GatherLog.StraysEnded(logger, Name, run.StrayCount);
                }

                duration = run.Duration;
                fault = run.IsGood ? table.Read(run.Output.Span, out samples) : run.Describe();
            }
        }

        var isUp = fault.Length == 0;
        if (!isUp)
        {
            table.EndAll();
        }

        Outlet.Put(new Harvest(
            at,
            [
                .. samples,
                new GatheredSample(Up, label, isUp ? 1 : 0),
                new GatheredSample(Duration, label, duration.TotalSeconds),
                new GatheredSample(SampleCount, label, isUp ? table.ReadCount : 0),
            ],
            [.. table.Ended]));
        return fault;
    }
}
