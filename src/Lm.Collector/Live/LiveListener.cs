using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Lm.Collector.Live;

/// <summary>One client of the stream.</summary>
/// <remarks>The hub's thread alone writes; a write that the client does not take is awaited aside, and the client finds itself behind when it is done.</remarks>
/// <param name="to">The answer's body.</param>
/// <param name="filter">What it wants to hear.</param>
/// <param name="lastEventId">Where it was, when it comes back.</param>
internal sealed class LiveListener(PipeWriter to, LiveFilter filter, string? lastEventId)
{
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isBusy;
    private volatile bool isEnding;
    private long next;
    private long eventsBefore;
    private long wroteAt;

    /// <summary>What it wants to hear.</summary>
    public LiveFilter Filter => filter;

    /// <summary>Where it was, when it comes back.</summary>
    public string? LastEventId => lastEventId;

    /// <summary>The place in the ring from which on it hears.</summary>
    public long Start { get; set; }

    /// <summary>What tells it; set when the hub has taken it in.</summary>
    public LiveChannel? Channel { get; private set; }

    /// <summary>Completes when nothing more is written.</summary>
    public Task Done => done.Task;

    /// <summary>Whether it has gone, and no write is under way.</summary>
    public bool HasEnded => isEnding && !isBusy;

    /// <summary>It is to get nothing more. Any thread.</summary>
    public void End() => isEnding = true;

    /// <summary>The hub lets go of it.</summary>
    public void Complete() => done.TrySetResult();

    /// <summary>Begins to hear a channel.</summary>
    public void Join(LiveChannel channel)
    {
        Channel = channel;
        channel.Listeners++;
        next = channel.First;
        while (next < channel.End && channel[next].Place < Start)
        {
            next++;
        }

        eventsBefore = next < channel.End ? channel[next].EventsBefore : channel.Events;
    }

    /// <summary>Writes bytes that are its own, before anything else.</summary>
    public void Greet(ReadOnlySpan<byte> bytes, long now)
    {
        to.Write("retry: 2000\n"u8);
        to.Write(bytes);
        Flush(now);
    }

    /// <summary>Gives what there is, as far as it is taken.</summary>
    /// <param name="bytesMax">How much at a time; one record's events are given whole.</param>
    /// <param name="now">A timestamp.</param>
    /// <param name="heartbeatDue">Timestamps before this one are so long ago that a sign of life is due.</param>
    /// <param name="nowMs">The clock, for the sign of life.</param>
    /// <returns>How many events it missed.</returns>
    public long Serve(int bytesMax, long now, long heartbeatDue, long nowMs)
    {
        if (isBusy || isEnding || Channel is not { } channel)
        {
            return 0;
        }

        var missed = 0L;
        if (next < channel.First)
        {
            next = channel.First;
            missed = channel[next].EventsBefore - eventsBefore;
            to.Write(LiveEvents.Lagged(missed, "events"));
        }

        var written = missed > 0 ? 1 : 0;
        for (; next < channel.End && written < bytesMax; next++)
        {
            var packet = channel[next];
            to.Write(packet.Bytes);
            written += packet.Bytes.Length;
        }

        eventsBefore = next < channel.End ? channel[next].EventsBefore : channel.Events;
        if (written == 0 && wroteAt < heartbeatDue)
        {
            to.Write(Encoding.ASCII.GetBytes($": {nowMs}\n\n"));
            written = 1;
        }

        if (written > 0)
        {
            Flush(now);
        }

        return missed;
    }

    private void Flush(long now)
    {
        wroteAt = now;
        isBusy = true;
        _ = FlushAsync();
    }

    private async Task FlushAsync()
    {
        try
        {
            var result = await to.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            isEnding |= result.IsCompleted;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            isEnding = true; // the connection is gone, in whichever way; there is nobody to tell
        }

        isBusy = false;
    }
}
