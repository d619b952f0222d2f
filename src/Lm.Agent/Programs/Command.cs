using System.Text;
using Lm.Agent.Gathering;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Processes;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Programs;

/// <summary>A command of the operator's, whose output becomes metrics and a log record.</summary>
internal sealed class Command(CommandSettings settings, CommandRecords records, TimeProvider time, ILogger logger) : IGatherJob
{
    /// <summary>The metric of variables that name none of their own.</summary>
    public const string VariableMetric = "lmagent_command_variable";

    private static readonly MetricDescriptor ExitCodeMetric = new("lmagent_command_exit_code", MetricType.Gauge, "",
        "What the command's last run ended with; -1 where it could not be started or was killed.");

    private static readonly MetricDescriptor Duration = new("lmagent_command_duration_seconds", MetricType.Gauge, "seconds",
        "How long the command's last run took.");

    private static readonly MetricDescriptor Missing = new("lmagent_command_variables_missing", MetricType.Gauge, "",
        "Variables that the command's last output did not have, or not as a number.");

    private readonly Label[] label = [new Label("command", settings.Name)];
    private readonly MetricDescriptor[] metrics = [.. settings.Variables.Select(variable =>
        new MetricDescriptor(variable.Metric, variable.Type, "", "A value of a command's output."))];

    private readonly Label[][] variableLabels = [.. settings.Variables.Select(variable =>
        new[] { new Label("command", settings.Name), new Label("variable", variable.Name) })];

    private bool[] wereThere = new bool[settings.Variables.Count];

    /// <inheritdoc/>
    public string Name => $"command \"{settings.Name}\"";

    /// <inheritdoc/>
    public TimeSpan Interval => settings.Program.Interval;

    /// <inheritdoc/>
    public HarvestOutlet Outlet { get; } = new();

    /// <inheritdoc/>
    public string Run(CancellationToken stopping)
    {
        var at = UnixMillis.Now(time);
        var run = ProgramRun.Start(settings.Program.ToStart(), time, stopping);
        if (stopping.IsCancellationRequested)
        {
            return "";
        }

        if (run.StrayCount > 0)
        {
            GatherLog.StraysEnded(logger, Name, run.StrayCount);
        }

        var code = run.HasTimedOut || run.IsFlooding ? -1 : run.End.Code;
        var missing = Cut(run, at, code);
        if (settings.IsRecorded)
        {
            records.Post(at, settings.Name, code, run.IsFlooding, run.Output);
        }

        return !run.IsGood ? run.Describe() : missing.Count > 0 ? $"its output has no number for {string.Join(", ", missing)}" : "";
    }

    private List<string> Cut(ProgramRun run, UnixMillis at, int code)
    {
        var output = settings.Variables.Count > 0 && run.IsGood ? Encoding.UTF8.GetString(run.Output.Span) : "";
        var samples = new List<GatheredSample>();
        var ended = new List<GatheredSample>();
        var missing = new List<string>();
        var areThere = new bool[wereThere.Length];
        for (var i = 0; i < areThere.Length; i++)
        {
            areThere[i] = run.IsGood && OutputValue.TryCut(output, run.Output, settings.Variables[i].Cut, out var value) && Add(samples, i, value);
            if (!areThere[i])
            {
                missing.Add(settings.Variables[i].Name);
                if (wereThere[i])
                {
                    ended.Add(new GatheredSample(metrics[i], variableLabels[i], 0));
                }
            }
        }

        wereThere = areThere;
        samples.Add(new GatheredSample(ExitCodeMetric, label, code));
        samples.Add(new GatheredSample(Duration, label, run.Duration.TotalSeconds));
        samples.Add(new GatheredSample(Missing, label, missing.Count));
        Outlet.Put(new Harvest(at, samples, ended));
        return missing;
    }

    private bool Add(List<GatheredSample> samples, int variable, double value)
    {
        samples.Add(new GatheredSample(metrics[variable], variableLabels[variable], value));
        return true;
    }
}
