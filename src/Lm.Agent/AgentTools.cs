using System.Globalization;
using System.Text;
using Lm.Agent.Doctor;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Microsoft.Extensions.Logging;

namespace Lm.Agent;

/// <summary>The modes for when something is wrong; each writes a report to standard output.</summary>
/// <param name="settings">What the configuration says.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where events go.</param>
/// <param name="output">Gets the report.</param>
internal sealed class AgentTools(AgentSettings settings, TimeProvider time, ILogger logger, Stream output)
{
    /// <summary><c>--doctor</c> of a configuration with faults: nothing else can be checked.</summary>
    public static int TellFaults(IReadOnlyList<string> faults, Stream output)
    {
        var findings = new Findings(output);
        foreach (var fault in faults)
        {
            findings.Fail("config", fault);
        }

        findings.Close();
        return ExitCode.Fault;
    }

    /// <summary><c>--doctor</c>: looks at everything that a daemon depends on.</summary>
    public async Task<int> DoctorAsync(string configPath, CancellationToken stopping)
    {
        var findings = new Findings(output);
        findings.Ok("config", $"{configPath} has no fault");
        findings.Ok("secrets", "the files of token and keys can be read, and by nobody who should not");
        await new Examination(settings, time, findings).RunAsync(stopping);
        findings.Close();
        return findings.FailureCount == 0 ? ExitCode.Done : ExitCode.Fault;
    }

    /// <summary><c>--queue-check</c>: opening the queue repairs what a crash left and sets damage aside; the rest is looked at here.</summary>
    public async Task<int> QueueCheckAsync(CancellationToken stopping)
    {
        await using var queue = await AgentHost.OpenQueueAsync(settings, time, logger, stopping);
        var found = queue.Examine();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"queue {settings.QueueDirectory}: {found.Segments} segments, {found.SizeBytes} of {settings.QueueBytesMax} bytes\n");
        text.Append(CultureInfo.InvariantCulture, $"waiting: {found.Waiting} batches{Range(found)}\n");
        text.Append(CultureInfo.InvariantCulture, $"log files with a tail offset: {found.Tails}\n");
        text.Append(CultureInfo.InvariantCulture, $"since the directory was made: {found.Counters.Dropped} batches dropped because it was full, {found.Counters.Lost} lost because it could not be written, {found.Counters.Rejected} refused\n");
        text.Append(CultureInfo.InvariantCulture, $"refused batches in rejected/: {found.RejectedFiles}{(found.RejectedFiles > 0 ? "; lm-agent --requeue-rejected queues them again" : "")}\n");
        if (found.TornBytes > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"repaired: {found.TornBytes} bytes of an append that a crash had interrupted were cut; nothing that was stored is lost\n");
        }

        foreach (var damage in found.Damage)
        {
            text.Append(CultureInfo.InvariantCulture, $"damaged: {damage}\n");
        }

        if (found.BrokenFrames > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"damaged: {found.BrokenFrames} batches are not whole and were set aside in rejected/\n");
        }

        text.Append(found.IsSound ? "the queue is sound\n" : "the queue is usable; what was damaged is set aside and is not sent\n");
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        output.Flush();
        return found.IsSound ? ExitCode.Done : ExitCode.Refused;
    }

    /// <summary><c>--requeue-rejected</c>: what the collector refused for good goes into the queue again.</summary>
    public async Task<int> RequeueRejectedAsync(CancellationToken stopping)
    {
        await using var queue = await AgentHost.OpenQueueAsync(settings, time, logger, stopping);
        var outcome = await queue.RequeueRejectedAsync(UnixMillis.Now(time), stopping);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{outcome.Count} refused batches are queued again; {queue.WaitingCount} batches wait\n");
        foreach (var fault in outcome.Faults)
        {
            text.Append(CultureInfo.InvariantCulture, $"stays: {fault}\n");
        }

        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        output.Flush();
        return outcome.Faults.Count == 0 ? ExitCode.Done : ExitCode.Refused;
    }

    private static string Range(QueueExamination found) => found.Oldest is { } oldest && found.Newest is { } newest
        ? string.Create(CultureInfo.InvariantCulture, $", collected from {Show(oldest)} to {Show(newest)}")
        : "";

    private static string Show(UnixMillis at) => DateTimeOffset.FromUnixTimeMilliseconds(at.Value).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
