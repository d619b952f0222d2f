namespace Lm.Collector;

/// <summary>The program's arguments.</summary>
/// <param name="Command">What to do.</param>
/// <param name="ConfigFile">server.toml.</param>
/// <param name="Fault">What is wrong with the arguments, when the command is <see cref="Command.Usage"/>.</param>
internal readonly record struct CommandLine(Command Command, string ConfigFile, string Fault)
{
    /// <summary>The configuration that is used when none is named.</summary>
    public const string DefaultConfigFile = "/etc/lightmetrics/server.toml";

    /// <summary>What <c>--help</c> prints.</summary>
    public const string Help = """
        lm-collector: takes in what lm-agent and Prometheus remote write send, keeps it, answers PromQL.

        usage: lm-collector [CONFIG]                 run in the foreground
               lm-collector --check-config CONFIG    check CONFIG and every file it names, without listening
               lm-collector --verify CONFIG          read the object store of CONFIG through and report what is wrong with it
               lm-collector --help | --version

        CONFIG is server.toml, by default /etc/lightmetrics/server.toml.
        SIGTERM and SIGINT: finish what is in hand and exit 0. SIGHUP: reload certificates, tokens and settings;
        the log names those that need a restart.
        exit codes: 0 done; 1 a fault of the configuration, of the object store (--verify) or another one; 2 wrong usage.
        """;

    /// <summary>Reads the arguments.</summary>
    public static CommandLine Parse(ReadOnlySpan<string> arguments)
    {
        var command = Command.Run;
        string? config = null;
        foreach (var argument in arguments)
        {
            switch (argument)
            {
                case "--help" or "-h":
                    return new CommandLine(Command.Help, "", "");
                case "--version":
                    return new CommandLine(Command.Version, "", "");
                case "--check-config":
                    command = Command.CheckConfig;
                    break;
                case "--verify":
                    command = Command.Verify;
                    break;
                case ['-', ..]:
                    return Wrong($"unknown option {argument}");
                case "":
                    return Wrong("CONFIG is empty");
                default:
                    if (config is not null)
                    {
                        return Wrong($"one CONFIG is expected; found {config} and {argument}");
                    }

                    config = argument;
                    break;
            }
        }

        return new CommandLine(command, config ?? DefaultConfigFile, "");
    }

    private static CommandLine Wrong(string fault) => new(Command.Usage, "", fault);
}

/// <summary>What the program is asked to do.</summary>
internal enum Command
{
    /// <summary>Run.</summary>
    Run,

    /// <summary>Check the configuration.</summary>
    CheckConfig,

    /// <summary>Print the help text.</summary>
    Help,

    /// <summary>Print the version.</summary>
    Version,

    /// <summary>Say what is wrong with the arguments.</summary>
    Usage,

    /// <summary>Check the object store.</summary>
    Verify,
}
