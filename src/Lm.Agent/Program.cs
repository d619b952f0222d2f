using System.Runtime.InteropServices;
using System.Text;
using Lm.Agent;
using Lm.Agent.Gathering;
using Lm.Agent.Log;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Platform.Files;
using Lm.Platform.Processes;

SystemRoots.HideFromRuntime();
MemoryTrimmer.KeepToOneArena();
using var output = Console.OpenStandardOutput();
using var errors = Console.OpenStandardError();

if (CommandLine.Parse(args, out var usageFault) is not { } command)
{
    errors.Write(Encoding.UTF8.GetBytes($"lm-agent: {usageFault}\ntry lm-agent --help\n"));
    return ExitCode.Usage;
}

if (command.Mode is AgentMode.Help or AgentMode.Version)
{
    output.Write(Encoding.UTF8.GetBytes(command.Mode == AgentMode.Help ? CommandLine.Help : $"lm-agent {AgentVersion.Text}\n"));
    return ExitCode.Done;
}

if (AgentSettingsReader.Read(command.ConfigPath, TimeProvider.System, out var faults) is not { } settings)
{
    if (command.Mode == AgentMode.Doctor)
    {
        return AgentTools.TellFaults(faults, output);
    }

    errors.Write(Encoding.UTF8.GetBytes(string.Join('\n', faults) + '\n'));
    return ExitCode.Fault;
}

var logger = new StderrLogger(errors, TimeProvider.System);
using var stop = new CancellationTokenSource();
using var reload = new AsyncSignal();
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var hangUp = command.Mode == AgentMode.Daemon ? PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reload) : null;
var host = new AgentHost(command.ConfigPath, settings, TimeProvider.System, logger);
var tools = new AgentTools(settings, TimeProvider.System, logger, output);
if (command.Mode is AgentMode.Daemon or AgentMode.Once or AgentMode.PrintMetrics && !Strays.Adopt())
{
    GatherLog.CannotAdopt(logger);
}

try
{
    return command.Mode switch
    {
        AgentMode.Once => await host.OnceAsync(stop.Token),
        AgentMode.Flush => await host.FlushAsync(stop.Token),
        AgentMode.Daemon => await host.DaemonAsync(reload, stop.Token),
        AgentMode.PrintMetrics => await host.PrintMetricsAsync(output, stop.Token),
        AgentMode.Doctor => await tools.DoctorAsync(command.ConfigPath, stop.Token),
        AgentMode.QueueCheck => await tools.QueueCheckAsync(stop.Token),
        AgentMode.RequeueRejected => await tools.RequeueRejectedAsync(stop.Token),
        _ => host.Check(output),
    };
}
catch (Exception failure) when (failure is QueueException or FileSystemException or Lm.Journal.JournalException)
{
    AgentLog.Failed(logger, failure.Message);
    return ExitCode.Fault;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return ExitCode.StaysQueued;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true; // the runtime would end the process
    stop.Cancel();
}

void Reload(PosixSignalContext context)
{
    context.Cancel = true;
    reload.Set();
}
