namespace Lm.Agent;

/// <summary>The command line: <c>lm-agent [--once|--daemon|--flush|…] CONFIG</c>.</summary>
/// <param name="Mode">What to do.</param>
/// <param name="ConfigPath">The configuration file as the operator wrote it; empty where the mode needs none.</param>
internal sealed record CommandLine(AgentMode Mode, string ConfigPath)
{
    public const string Help = """
        lm-agent: collects host metrics and log lines, queues them on disk and uploads them to lm-collector.

        usage:
          lm-agent CONFIG            check the configuration, collect once, print what would be sent;
                                     opens no queue, uploads nothing
          lm-agent --once CONFIG     collect once, read what log files hold, queue, upload what is queued
          lm-agent --daemon CONFIG   collect every interval_ms, follow log files, upload until SIGTERM;
                                     SIGHUP reads CONFIG again (agent_id and queue_dir stay)
          lm-agent --flush CONFIG    upload what is queued, collect nothing
          lm-agent --version         print the version
          lm-agent --help            print this

        when something is wrong:
          lm-agent --doctor CONFIG            look at everything a daemon depends on, one line for each check
                                              with what to do; changes nothing, also beside a running daemon
          lm-agent --print-metrics CONFIG     print one tick as Prometheus text, with what scrapes, commands
                                              and plug-ins give
          lm-agent --queue-check CONFIG       verify the queue, set damage aside, report; no daemon may run
          lm-agent --requeue-rejected CONFIG  queue again what the collector refused for good and the queue
                                              keeps in rejected/; no daemon may run

        exit codes:
          0   done
          1   the configuration or something else is at fault; a check of --doctor failed
          2   the command line is wrong
          65  something was refused for good (--once, --flush; see rejected/ in queue_dir), is damaged
              (--queue-check) or cannot be queued again (--requeue-rejected)
          75  data stays queued (--once, --flush)

        """;

    private static readonly (string Option, AgentMode Mode)[] Modes =
    [
        ("--once", AgentMode.Once), ("--daemon", AgentMode.Daemon), ("--flush", AgentMode.Flush), ("--doctor", AgentMode.Doctor),
        ("--print-metrics", AgentMode.PrintMetrics), ("--queue-check", AgentMode.QueueCheck), ("--requeue-rejected", AgentMode.RequeueRejected),
        ("--version", AgentMode.Version), ("--help", AgentMode.Help), ("-h", AgentMode.Help),
    ];

    /// <summary>Reads the arguments.</summary>
    /// <param name="arguments">Without the program's name.</param>
    /// <param name="fault">What is wrong and what is expected, when the result is null.</param>
    public static CommandLine? Parse(ReadOnlySpan<string> arguments, out string fault)
    {
        AgentMode? mode = null;
        string? config = null;
        var optionsEnded = false;
        fault = "";
        foreach (var argument in arguments)
        {
            if (optionsEnded || !argument.StartsWith('-'))
            {
                if (config is not null)
                {
                    fault = $"unexpected argument '{argument}': one CONFIG is expected and '{config}' is it already";
                    return null;
                }

                config = argument;
                continue;
            }

            if (argument == "--")
            {
                optionsEnded = true;
                continue;
            }

            if (ModeOf(argument) is not { } found)
            {
                fault = $"unknown option '{argument}'; known are {Known}";
                return null;
            }

            if (found is AgentMode.Help or AgentMode.Version)
            {
                return new CommandLine(found, "");
            }

            if (mode is { } earlier && earlier != found)
            {
                fault = $"'{argument}' cannot stand beside '{OptionOf(earlier)}': one mode at a time is allowed";
                return null;
            }

            mode = found;
        }

        if (string.IsNullOrEmpty(config))
        {
            fault = "CONFIG is missing: the path of an agent.toml is expected";
            return null;
        }

        return new CommandLine(mode ?? AgentMode.Check, config);
    }

    private static string Known => string.Join(", ", Array.ConvertAll(Array.FindAll(Modes, known => known.Option.Length > 2), known => known.Option));

    private static AgentMode? ModeOf(string option)
    {
        var at = Array.FindIndex(Modes, known => known.Option == option);
        return at < 0 ? null : Modes[at].Mode;
    }

    private static string OptionOf(AgentMode mode) => Array.Find(Modes, known => known.Mode == mode).Option;
}

/// <summary>What the program was asked to do.</summary>
internal enum AgentMode
{
    /// <summary>Parse, collect once, print what would be sent.</summary>
    Check = 0,

    /// <summary>One collect, queue, upload cycle.</summary>
    Once,

    /// <summary>Cycles until SIGTERM.</summary>
    Daemon,

    /// <summary>Upload what is queued.</summary>
    Flush,

    /// <summary>Look at everything that a daemon depends on.</summary>
    Doctor,

    /// <summary>Print one tick as Prometheus text.</summary>
    PrintMetrics,

    /// <summary>Verify and repair the queue.</summary>
    QueueCheck,

    /// <summary>Queue again what was refused.</summary>
    RequeueRejected,

    /// <summary>Print the version.</summary>
    Version,

    /// <summary>Print the help.</summary>
    Help,
}
