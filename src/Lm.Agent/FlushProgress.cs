using Lm.Agent.Queue;
using Lm.Agent.Upload;
using Microsoft.Extensions.Logging;

namespace Lm.Agent;

/// <summary>Tells how a long upload gets on, every two seconds: done, rate, time left.</summary>
internal sealed class FlushProgress(DiskQueue queue, Uploader uploader, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    private readonly long began = time.GetTimestamp();
    private long told = time.GetTimestamp();

    public void Report()
    {
        if (time.GetElapsedTime(told) < Every)
        {
            return;
        }

        told = time.GetTimestamp();
        var (sent, waiting) = (uploader.TakenCount, (long)queue.WaitingCount);
        var rate = sent / time.GetElapsedTime(began).TotalSeconds;
        var left = rate > 0 ? (long)Math.Ceiling(waiting / rate) : 0;
        AgentLog.FlushProgress(logger, sent, sent + waiting, (long)rate, left);
    }
}
