using Lm.Platform;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Upload;

/// <summary>How far the collector's clock is from this host's, measured with each answer. It is told, and nothing is corrected by it.</summary>
internal sealed class ClockSkew(ILogger logger)
{
    // Beyond what the time of an answer makes uncertain on most ways, and what a dashboard shows.
    private static readonly TimeSpan Notable = TimeSpan.FromSeconds(5);

    // A large difference that comes and goes about the bound is told once.
    private static readonly TimeSpan Unnotable = TimeSpan.FromSeconds(2);

    private long ticks;
    private volatile bool isKnown;
    private bool isNotable;

    /// <summary>The collector's clock less this one's, as of the last answer; null before that.</summary>
    public TimeSpan? Value => isKnown ? TimeSpan.FromTicks(Interlocked.Read(ref ticks)) : null;

    /// <summary>Takes an answer.</summary>
    /// <param name="sentAt">This clock, when the request was begun.</param>
    /// <param name="answeredAt">The collector's clock in the answer.</param>
    /// <param name="took">How long the answer took: the collector looked at its clock somewhere within.</param>
    public void Note(UnixMillis sentAt, UnixMillis answeredAt, TimeSpan took)
    {
        if (answeredAt.Value <= 0)
        {
            return; // it does not say
        }

        var skew = answeredAt - sentAt - (took / 2);
        // As near to nothing as the time of the answer, and clocks of whole milliseconds, allow.
        skew = skew.Duration() <= (took / 2) + TimeSpan.FromMilliseconds(1) ? TimeSpan.Zero : skew;
        Interlocked.Exchange(ref ticks, skew.Ticks);
        isKnown = true;
        if (skew.Duration() > Notable && !isNotable)
        {
            isNotable = true;
            UploadLog.ClocksDiffer(logger, skew.TotalSeconds);
        }
        else if (skew.Duration() < Unnotable && isNotable)
        {
            isNotable = false;
            UploadLog.ClocksAgree(logger, skew.TotalSeconds);
        }
    }
}
