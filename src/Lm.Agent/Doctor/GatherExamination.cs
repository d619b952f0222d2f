using System.Net.Sockets;
using Lm.Agent.Gathering;
using Lm.Agent.Programs;
using Lm.Agent.Scrapes;
using Lm.Agent.Settings;
using Lm.Platform.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Agent.Doctor;

/// <summary>The part of <c>--doctor</c> about scrapes, text files, commands, plug-ins and the metrics listener. Targets are scraped and plug-ins verified; nothing is run.</summary>
internal sealed class GatherExamination(AgentSettings settings, TimeProvider time, Findings findings)
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode ByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Makes all checks.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var gather = settings.Gather;
        foreach (var each in gather.Scrapes)
        {
            var scrape = new Scrape(each, time, NullLogger.Instance);
            Tell("scrape", each.Name, await scrape.ReadAsync(cancellationToken), $"{each.Url} gives {scrape.Outlet.Last?.Samples.Count ?? 0} samples", "see its url, and whether the program runs");
        }

        foreach (var command in gather.Commands)
        {
            Tell("command", command.Name, FaultOfProgram(command.Program), $"{command.Program.Path} can be run", "see argv and working_directory");
        }

        foreach (var plugin in gather.Plugins)
        {
            using var image = PluginImage.TryLoad(plugin, out var fault);
            Tell("plug-in", plugin.Name, fault, $"{plugin.Program.Path} is the one that was pinned or signed", "install the right program, or pin or sign this one");
        }

        if (gather.Text is { } text)
        {
            Tell("textfile", text.Directory, new TextFolder(text, time).Run(cancellationToken), "its files can be taken", "mend what writes them");
        }

        LookAtListener();
    }

    private void Tell(string check, string name, string fault, string good, string advice)
    {
        if (fault.Length == 0)
        {
            findings.Ok(check, $"{name}: {good}");
        }
        else
        {
            findings.Fail(check, $"{name}: {fault}: {advice}");
        }
    }

    private static string FaultOfProgram(ProgramSettings program)
    {
        if (!Directory.Exists(program.WorkingDirectory))
        {
            return $"there is no directory {program.WorkingDirectory}";
        }

        if (!FollowedFile.TryLookAt(program.Path, out var facts) || !facts.IsRegular)
        {
            return $"{program.Path} is no file, or cannot be looked at";
        }

        return (facts.Permissions & Executable) == 0 ? $"{program.Path} has no bit to be executed"
            : (facts.Permissions & ByOthers) != 0 ? $"{program.Path} can be written by its group or by others"
            : "";
    }

    private void LookAtListener()
    {
        if (settings.MetricsListen is not { } address)
        {
            return;
        }

        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            findings.Ok("metrics", $"{address} is free");
        }
        catch (SocketException failure)
        {
            findings.Warn("metrics", $"{address} cannot be listened at ({failure.Message}): a running lm-agent has it, or another program; then give another port");
        }
    }
}
