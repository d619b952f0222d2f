using Lm.Agent.Queue;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Upload;

/// <summary>Tells a lasting trouble once when it begins, again when it becomes another kind, and once when it ends.</summary>
internal sealed class TroubleLog(DiskQueue queue, TimeProvider time, ILogger logger)
{
    private FailureKind kind;
    private bool isForPerson;
    private long since;

    /// <summary>The last failure; empty when there is none.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>A request failed.</summary>
    /// <param name="begun">The kind of failure.</param>
    /// <param name="needsPerson">Whether a passing one is of those that hardly pass by themselves.</param>
    /// <param name="collector">Where.</param>
    /// <param name="reason">What, and what to do.</param>
    public void Begin(FailureKind begun, bool needsPerson, Uri collector, string reason)
    {
        since = kind == FailureKind.None ? time.GetTimestamp() : since;
        Reason = reason = reason.TrimEnd('.');
        if (kind == begun && isForPerson == needsPerson)
        {
            return;
        }

        (kind, isForPerson) = (begun, needsPerson);
        if (begun == FailureKind.SetUp)
        {
            UploadLog.SetUpTroubleBegins(logger, collector, reason);
        }
        else if (needsPerson)
        {
            UploadLog.CertificateTroubleBegins(logger, collector, reason);
        }
        else
        {
            UploadLog.PassingTroubleBegins(logger, collector, reason);
        }
    }

    public void End(Uri collector)
    {
        if (kind == FailureKind.None)
        {
            return;
        }

        (kind, isForPerson, Reason) = (FailureKind.None, false, "");
        var (durationMs, waiting) = ((long)time.GetElapsedTime(since).TotalMilliseconds, queue.WaitingCount);
        UploadLog.TroubleEnded(logger, collector, durationMs, waiting);
    }
}
