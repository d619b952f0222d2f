using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Microsoft.Extensions.Logging;

namespace Lm.Agent;

/// <summary>Says for how many days <c>max_queue_bytes</c> is enough at the rate at which batches come: soon after the start, and again after a reload that changes it.</summary>
/// <remarks>
/// Measured from the second tick on, because the first, as after a change of sources, carries help texts, which come once an hour: over one tick, or, where more is gathered, until every target has had its
/// turn, <see cref="LongestMax"/> at most. A tick that could not be stored is not counted.
/// </remarks>
internal sealed class QueueForecast(ILogger logger)
{
    /// <summary>The longest time that is measured.</summary>
    public static readonly TimeSpan LongestMax = TimeSpan.FromMinutes(10);

    // What the queue's journal has in front of a frame.
    private const long RecordOverhead = 128;

    private (long QueueBytes, TimeSpan Interval, SourcesSettings? Sources, GatherSettings? Gather) basis;
    private long ticks = -1;
    private long bytes;
    private bool isTold;

    /// <summary>Bytes of the queue that a batch takes.</summary>
    public static long BytesOf(QueuedBatch batch) => batch.Frame.Length + RecordOverhead;

    /// <summary>Takes a tick's batches.</summary>
    /// <param name="tickBytes">Bytes of the queue that they take; 0 when they were not stored.</param>
    /// <param name="now">The settings that they were made by.</param>
    public void Note(long tickBytes, AgentSettings now)
    {
        var current = (now.QueueBytesMax, now.Interval, now.Sources, now.Gather);
        if (basis != current)
        {
            (basis, bytes, ticks, isTold) = (current, 0, -1, false);
        }

        if (isTold || tickBytes == 0 || ++ticks == 0)
        {
            return;
        }

        bytes += tickBytes;
        var measured = now.Interval * ticks;
        if (measured >= now.Gather.IntervalMax || measured >= LongestMax)
        {
            isTold = true;
            var days = Math.Round((double)now.QueueBytesMax / bytes * measured.TotalDays, 1);
            AgentLog.QueueHolds(logger, now.QueueBytesMax, days, bytes, (long)measured.TotalMilliseconds);
        }
    }
}
