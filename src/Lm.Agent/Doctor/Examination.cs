using System.Globalization;
using Lm.Agent.Containers;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.LogTail;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Platform.Files;
using Lm.Platform.Processes;
using Lm.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Agent.Doctor;

/// <summary><c>--doctor</c>: looks at everything that a daemon depends on, one line each, and changes nothing.</summary>
/// <param name="settings">The settings, which are in order.</param>
/// <param name="time">The clock.</param>
/// <param name="findings">Hears what is found.</param>
internal sealed class Examination(AgentSettings settings, TimeProvider time, Findings findings)
{
    private const int FilesListedMax = 1000;
    private static readonly TimeSpan SkewWarning = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ExpiryWarning = TimeSpan.FromDays(14);
    private static readonly TimeSpan JournalPatience = TimeSpan.FromSeconds(20);

    /// <summary>Makes all checks.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        LookAtSources();
        await LookAtRuntimeAsync(cancellationToken);
        LookAtQueue();
        await LookAtCollectorAsync(cancellationToken);
        foreach (var input in settings.LogInputs)
        {
            LookAtInput(input, cancellationToken);
        }

        foreach (var watch in settings.Watches)
        {
            LookAtWatch(watch);
        }

        await new GatherExamination(settings, time, findings).RunAsync(cancellationToken);
    }

    private void LookAtSources()
    {
        using var sampler = HostSources.OfThisHost(settings.Sources, ExistingPartOf(settings.QueueDirectory), time, NullLogger.Instance, null);
        var count = sampler.Collect(new CountingSink());
        var failed = sampler.Sources.Where(source => !source.Fault.IsNone).ToList();
        foreach (var source in failed)
        {
            findings.Fail("sources", $"{source.Name} gives nothing: {source.Fault}; make it readable for the agent's user");
        }

        if (failed.Count == 0)
        {
            findings.Ok("sources", $"{sampler.Sources.Count} host sources give {count} series");
        }
    }

    private async Task LookAtRuntimeAsync(CancellationToken cancellationToken)
    {
        if (settings.Sources.Of(SourceCatalog.Containers) is not { IsEnabled: true, Socket: { Length: > 0 } socket } || settings.Sources.Profile != SourceProfile.Host)
        {
            return;
        }

        var answer = await new RuntimeClient(socket, time).AskAsync(cancellationToken);
        if (answer.Fault.Length == 0)
        {
            findings.Ok("containers", $"{socket} lists {answer.Containers.Count} containers");
        }
        else
        {
            findings.Fail("containers", $"{socket}: {answer.Fault}: see that the container runtime runs, and that the agent's user may write to its socket");
        }
    }

    private void LookAtQueue()
    {
        var directory = settings.QueueDirectory;
        var place = ExistingPartOf(directory);
        try
        {
            if (!CanWrite(place))
            {
                findings.Fail("queue", $"{place} cannot be written: give it to the agent's user, mode 0700");
                return;
            }

            if (place != directory)
            {
                findings.Ok("queue", $"{directory} is not there yet and can be made");
            }
            else
            {
                LookAtLock(directory);
            }

            LookAtRoom(directory, place);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FileSystemException)
        {
            findings.Fail("queue", $"{directory} cannot be looked at: {failure.Message}");
        }
    }

    private void LookAtLock(string directory)
    {
        if (!File.Exists(Path.Combine(directory, "lock")))
        {
            findings.Ok("queue", $"{directory} is empty and can be written");
            return;
        }

        using var taken = new PhysicalFileSystem().TryLock(directory);
        var rejected = CountFiles(Path.Combine(directory, "rejected"), "*.frame");
        findings.Ok("queue", taken is null ? $"{directory} is in use by a running lm-agent" : $"{directory} can be written; no lm-agent is running on it");
        if (rejected > 0)
        {
            findings.Warn("queue", $"{rejected} batches that the collector refused for good lie in {directory}/rejected: its log says why; once that is mended, lm-agent --requeue-rejected queues them again");
        }
    }

    private void LookAtRoom(string directory, string place)
    {
        var free = new DriveInfo(place).AvailableFreeSpace;
        var used = place == directory ? Directory.EnumerateFiles(directory).Sum(path => new FileInfo(path).Length) : 0;
        var needed = Math.Max(0, settings.QueueBytesMax - used);
        if (free < needed)
        {
            findings.Warn("disk", $"{Mebi(free)} MiB are free and the queue may need {Mebi(needed)} MiB more before max_queue_bytes is reached: make room, or lower max_queue_bytes");
        }
        else
        {
            findings.Ok("disk", $"{Mebi(free)} MiB are free; the queue may grow by {Mebi(needed)} MiB");
        }
    }

    private async Task LookAtCollectorAsync(CancellationToken cancellationToken)
    {
        using var probe = new CollectorProbe(settings, time);
        var host = settings.IngestUrl.IdnHost;
        if (await probe.LookUpAsync(cancellationToken) is { Length: > 0 } nameFault)
        {
            findings.Fail("name", $"{host}: {nameFault}: see ingest_url and the name service of this host");
            findings.Skip("tls", "there is no address to connect to");
            return;
        }

        findings.Ok("name", $"{host} is {string.Join(", ", probe.Addresses.Take(4).Select(address => address.ToString()))}");
        if (await probe.ConnectAsync(cancellationToken) is { Length: > 0 } connectFault)
        {
            findings.Fail("tls", connectFault);
            findings.Skip("token", "there is no connection");
            return;
        }

        LookAtCertificate(probe.CertificateEndsAt);
        LookAtAnswer(await probe.AskAsync(cancellationToken));
    }

    private void LookAtCertificate(DateTimeOffset endsAt)
    {
        var left = endsAt - time.GetUtcNow();
        var text = string.Create(CultureInfo.InvariantCulture, $"the collector's certificate is vouched for and ends on {endsAt:yyyy-MM-dd}, in {(int)left.TotalDays} days");
        if (left < ExpiryWarning)
        {
            findings.Warn("tls", text + ": renew it");
        }
        else
        {
            findings.Ok("tls", text);
        }

        if (settings.Tls.ClientCertificate is { } own && own.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime is var ownLeft && ownLeft < ExpiryWarning)
        {
            findings.Warn("tls", string.Create(CultureInfo.InvariantCulture, $"tls_client_cert_file ends in {(int)ownLeft.TotalDays} days: renew it"));
        }
    }

    private void LookAtAnswer(ProbeAnswer answer)
    {
        if (answer.Ack is not { } ack)
        {
            findings.Fail("token", answer.Fault);
            findings.Skip("limits", "the collector did not tell them");
            return;
        }

        findings.Ok("token", $"the collector takes the token for agent_id \"{settings.AgentId}\"");
        var skew = answer.Skew;
        var text = string.Create(CultureInfo.InvariantCulture, $"the collector's clock is {skew.TotalSeconds:+0.0;-0.0;0.0} s from this host's");
        if (skew.Duration() > SkewWarning)
        {
            findings.Warn("clock", $"{text}: set the one that is wrong (NTP); beyond {ack.Limits.FutureSecondsMax} s batches wait");
        }
        else
        {
            findings.Ok("clock", text);
        }

        var disagreements = LimitsComparison.Find(settings, ack.Limits);
        foreach (var found in disagreements)
        {
            findings.Warn("limits", $"{found.AgentKey} of this agent is {found.AgentValue}, {found.CollectorKey} of the collector is {found.CollectorValue}: lower the one or raise the other");
        }

        if (disagreements.Count == 0)
        {
            findings.Ok("limits", $"{ack.Limits.SeriesPerBatchMax} series and {ack.Limits.LogsPerBatchMax} log records a batch; the settings of both sides fit");
        }
    }

    private void LookAtInput(LogInput input, CancellationToken cancellationToken)
    {
        if (input.IsJournal)
        {
            LookAtJournal(input, cancellationToken);
            return;
        }

        var paths = new GlobPattern(input.Path).Expand(FilesListedMax, new HashSet<string>());
        var unreadable = new List<string>();
        foreach (var path in paths)
        {
            if (FaultOfReading(path) is { Length: > 0 } fault)
            {
                unreadable.Add($"{path} cannot be read ({fault})");
            }
        }

        if (unreadable is [var first, ..])
        {
            findings.Fail("log input", $"{input.Name}: {first}{AndMore(unreadable.Count)}: give the agent's user or group read access");
        }
        else if (paths.Count == 0)
        {
            findings.Warn("log input", $"{input.Name}: no file is {input.Path} now; it is followed once there is one");
        }
        else
        {
            findings.Ok("log input", $"{input.Name}: {paths.Count} files can be read");
        }
    }

    private void LookAtJournal(LogInput input, CancellationToken cancellationToken)
    {
        if (ChildProcess.Find("journalctl", Environment.GetEnvironmentVariable("PATH")) is not { } program)
        {
            findings.Fail("log input", $"{input.Name}: there is no journalctl in the folders of PATH; install systemd's, or take the input out");
            return;
        }

        var run = ProgramRun.Start(new ProgramStart(program, ["--lines=1", "--quiet", "--no-pager"]) { Environment = ["LC_ALL=C"], Timeout = JournalPatience }, time, cancellationToken);
        if (run.IsGood)
        {
            findings.Ok("log input", $"{input.Name}: the journal can be read");
        }
        else
        {
            findings.Fail("log input", $"{input.Name}: {program}: {run.Describe()}; the agent's user must be in the group systemd-journal");
        }
    }

    private void LookAtWatch(WatchSettings watch)
    {
        if (!Directory.Exists(watch.Path))
        {
            findings.Warn("watch", $"{watch.Name}: {watch.Path} is not there now; it is watched once it is");
            return;
        }

        try
        {
            _ = Directory.EnumerateFileSystemEntries(watch.Path).FirstOrDefault();
            findings.Ok("watch", $"{watch.Name}: {watch.Path} can be read");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            findings.Fail("watch", $"{watch.Name}: {failure.Message}: give the agent's user read access");
        }
    }

    private static string FaultOfReading(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return "";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message.TrimEnd('.');
        }
    }

    private static bool CanWrite(string directory)
    {
        // Asking is not enough: read-only mounts and quotas say no only when it is tried.
        var path = Path.Combine(directory, $".lm-agent-doctor-{Environment.ProcessId}");
        try
        {
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.DeleteOnClose });
            file.WriteByte(0);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string ExistingPartOf(string directory)
    {
        var part = directory;
        while (part.Length > 1 && !Directory.Exists(part))
        {
            part = Path.GetDirectoryName(part) ?? "/";
        }

        return part;
    }

    private static int CountFiles(string directory, string pattern) => Directory.Exists(directory) ? Directory.EnumerateFiles(directory, pattern).Count() : 0;

    private static string AndMore(int count) => count > 1 ? $" and {count - 1} others" : "";

    private static long Mebi(long bytes) => bytes >> 20;

    private sealed class CountingSink : ISampleSink
    {
        public void Add(MetricDescriptor metric, ReadOnlySpan<Label> labels, double value)
        {
            // The sampler counts.
        }
    }
}
