using System.Runtime.InteropServices;
using Lm.Collector;
using Lm.Collector.Landing;
using Lm.Collector.Listeners;
using Lm.Collector.Settings;
using Lm.Collector.Verify;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;
using Microsoft.Extensions.Logging.Console;

var line = CommandLine.Parse(args);
switch (line.Command)
{
    case Command.Help:
        Console.Out.WriteLine(CommandLine.Help);
        return ExitCode.Done;
    case Command.Version:
        Console.Out.WriteLine($"lm-collector {CollectorHost.Version}");
        return ExitCode.Done;
    case Command.Usage:
        Console.Error.WriteLine($"lm-collector: {line.Fault}; lm-collector --help shows the usage");
        return ExitCode.Usage;
    case Command.CheckConfig:
        return CheckConfig(line.ConfigFile);
    case Command.Verify:
        return await VerifyAsync(line.ConfigFile);
    default:
        return await RunAsync(line.ConfigFile);
}

static int CheckConfig(string configFile)
{
    if (Load(configFile) is not { } settings)
    {
        return ExitCode.Fault;
    }

    foreach (var warning in settings.Warnings)
    {
        Console.Error.WriteLine($"warning: {warning}");
    }

    Console.Out.WriteLine("ok");
    return ExitCode.Done;
}

static async Task<int> VerifyAsync(string configFile)
{
    if (Load(configFile) is not { } settings)
    {
        return ExitCode.Fault;
    }

    if (settings.ObjectStore is not { } target)
    {
        Console.Error.WriteLine($"{configFile} has no [object_store]: there is nothing to verify");
        return ExitCode.Fault;
    }

    SocketThreads.RunWhatBytesWakeOnThem();
    using var stopping = new CancellationTokenSource();
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var loggers = LoggerFactory.Create(builder => builder
        .AddSystemdConsole()
        .Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace));
    var (storage, files) = (settings.Storage, new PhysicalFileSystem());
    using var store = ObjectStores.Open(target.Target, () => target.Keys, storage.CollectorId, files, new StoreCounters(), TimeProvider.System, marker: null);
    var report = new VerifyReport(Console.Out, TimeProvider.System);
    var cache = Path.Combine(storage.CacheDirectory, $"verify-{Environment.ProcessId}");
    try
    {
        await new BucketVerifier(new BucketVerifierParts(store, new ObjectKeys(target.Target.Prefix), storage.CollectorId, files, cache, report, TimeProvider.System, loggers.CreateLogger("Lm.Collector.Verify"))
        {
            MayBeGone = UnixMillis.Now(TimeProvider.System).Add(settings.Storage.QueueMemory - target.Retention),
            CompactsElsewhere = target.Target.CompactsElsewhere,
        })
            .RunAsync(stopping.Token);
        return report.Faults == 0 ? ExitCode.Done : ExitCode.Fault;
    }
    catch (OperationCanceledException) when (stopping.IsCancellationRequested)
    {
        Console.Error.WriteLine("stopped before the end: what was not read is not known");
        return ExitCode.Fault;
    }
    catch (IOException e)
    {
        Console.Error.WriteLine($"stopped before the end: {e.Message}");
        return ExitCode.Fault;
    }
    finally
    {
        files.DeleteDirectory(cache);
    }

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stopping.Cancel();
    }
}

static ServerSettings? Load(string configFile)
{
    var settings = ServerSettings.TryLoad(configFile, TimeProvider.System, out var faults);
    foreach (var fault in faults)
    {
        Console.Error.WriteLine(fault.ToString());
    }

    return settings;
}

static async Task<int> RunAsync(string configFile)
{
    if (Load(configFile) is not { } loaded)
    {
        return ExitCode.Fault;
    }

    using var loggers = LoggerFactory.Create(builder => builder
        .AddSystemdConsole()
        // Kestrel logs what clients do wrong as errors; they are counted, and anyone could fill the log with them.
        .AddFilter("Microsoft", LogLevel.None)
        .Services.Configure<ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace));
    var logger = loggers.CreateLogger("Lm.Collector");
    CollectorLog.Starting(logger, CollectorHost.Version, configFile);
    foreach (var warning in loaded.Warnings)
    {
        CollectorLog.SettingsWarning(logger, warning);
    }

    SocketThreads.RunWhatBytesWakeOnThem();
    using var stopping = new CancellationTokenSource();
    var settings = new CurrentSettings(loaded);
    var reload = new Reload(configFile, settings, TimeProvider.System, logger);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
    {
        context.Cancel = true;
        reload.Request("SIGHUP");
    });
    try
    {
        await using var host = CollectorHost.Open(settings, new PhysicalFileSystem(), TimeProvider.System, loggers);
        await host.StartAsync(stopping.Token);
        await Task.WhenAll(host.RunAsync(stopping.Token), reload.RunAsync(stopping.Token));
        await host.StopAsync();
    }
    catch (OperationCanceledException) when (stopping.IsCancellationRequested)
    {
        // Stopped while it was starting.
    }
    catch (IOException e)
    {
        CollectorLog.StartFailed(logger, e.Message);
        return ExitCode.Fault;
    }

    CollectorLog.Stopped(logger);
    return ExitCode.Done;

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true; // the program ends when it has drained, not now
        stopping.Cancel();
    }
}
