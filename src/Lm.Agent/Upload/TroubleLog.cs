using Lm.Agent.Queue;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Upload;

/// <summary>Tells a lasting trouble once when it begins, again when it becomes another kind, and once when it ends.</summary>
internal sealed class TroubleLog(DiskQueue queue, TimeProvider time, ILogger logger)
{
    private FailureKind kind;
    private long since;

    /// <summary>The last failure; empty when there is none.</summary>
    public string Reason { get; private set; } = "";

    public void Begin(FailureKind begun, Uri collector, string reason)
    {
        since = kind == FailureKind.None ? time.GetTimestamp() : since;
        Reason = reason = reason.TrimEnd('.');
        if (kind == begun)
        {
            return;
        }

        kind = begun;
        if (begun == FailureKind.SetUp)
        {
            UploadLog.SetUpTroubleBegins(logger, collector, reason);
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

        (kind, Reason) = (FailureKind.None, "");
        var (durationMs, waiting) = ((long)time.GetElapsedTime(since).TotalMilliseconds, queue.WaitingCount);
        UploadLog.TroubleEnded(logger, collector, durationMs, waiting);
    }
}
