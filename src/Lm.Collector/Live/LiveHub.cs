using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO.Pipelines;
using Lm.Collector.Listeners;
using Lm.Platform;

namespace Lm.Collector.Live;

/// <summary>Who listens to what. One thread of low priority reads what was recorded, makes each filter's events once, and writes them to everyone.</summary>
/// <remarks>
/// Nothing here is ever waited for by ingest: the recorder copies into a ring and goes on. It takes a twentieth of a processor at most;
/// when that is too little it falls behind, and says so: <c>lagged</c>. Memory is bounded: the ring, the packets of all channels together, what a connection
/// holds of its last write.
/// </remarks>
internal sealed class LiveHub : IDisposable
{
    /// <summary>Clients at a time.</summary>
    public const int ListenersMax = 4096;

    // What all channels together may keep for clients that are behind.
    private const long PacketBytesMax = 64L << 20;
    private const long ChannelBytesMax = 1L << 20;

    // Events of one record for one channel: room for a full batch, and for every channel at once.
    private const long RecordBytesMin = 128L << 10;
    private const long RecordBytesMax = 4L << 20;

    // Under it a tail of lines still feels immediate.
    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(1);

    // Pauses are so many times as long as what was done between them: however many listen, the stream takes a twentieth of a processor.
    private const int PausePerWork = 19;

    // Events are made for so long at a time, so that those there are get out.
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(20);

    /// <summary>A comment is sent when nothing else was for this long, so that both ends know the connection stands.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    // Given to all clients together at a time, so that a round does not become long: bytes.
    private const int RoundBytesMax = 4 << 20;
    private const int WriteBytesMin = 4 << 10;
    private const int WriteBytesMax = 256 << 10;

    private const int EndWaitStepMs = 10;
    private static readonly TimeSpan EndWaitMax = TimeSpan.FromSeconds(1);

    // History goes on for those who come back.
    private static readonly TimeSpan RecordOn = TimeSpan.FromMinutes(5);

    private readonly LiveRecorder recorder;
    private readonly Guid incarnation;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ConcurrentQueue<Arrival> arrivals = new();
    private readonly List<LiveListener> listeners = [];
    private readonly List<LiveChannel> channels = [];
    private readonly LiveRecord record = new();
    private readonly LiveEvents events;
    private readonly LiveEncoder encoder;
    private readonly AutoResetEvent wake = new(false);
    private readonly Lock gate = new(); // guards thread, validFrom, isStopped, and the recorder's start and stop
    private Thread? thread;
    private LiveRing? ring;
    private long validFrom;
    private bool isStopped;
    private long emptySince;
    private int count;
    private long eventsMade;
    private long eventsMissed;
    private long recordsMissed;
    private long resets;

    /// <param name="recorder">What is told.</param>
    /// <param name="incarnation">The spool's id.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Its log.</param>
    public LiveHub(LiveRecorder recorder, Guid incarnation, TimeProvider time, ILogger logger)
    {
        (this.recorder, this.incarnation, this.time, this.logger) = (recorder, incarnation, time, logger);
        events = new LiveEvents(incarnation);
        encoder = new LiveEncoder(events);
    }

    /// <summary>Takes a client in.</summary>
    /// <param name="to">The answer's body.</param>
    /// <param name="filter">What it wants to hear.</param>
    /// <param name="lastEventId">Where it was, when it comes back.</param>
    /// <returns>Null when there are too many, or the collector stops.</returns>
    public LiveListener? TryListen(PipeWriter to, LiveFilter filter, string? lastEventId)
    {
        lock (gate)
        {
            if (isStopped || Volatile.Read(ref count) >= ListenersMax)
            {
                return null;
            }

            Interlocked.Increment(ref count);
            (ring, var from) = recorder.Start();
            validFrom = from ?? validFrom;
            var listener = new LiveListener(to, filter, lastEventId) { Start = ring.Head };
            arrivals.Enqueue(new Arrival(listener, new LiveId(incarnation, recorder.Last, LiveId.WholeRecord), validFrom));
            if (thread is null)
            {
                thread = new Thread(Run) { IsBackground = true, Name = "live" };
                thread.Start();
            }

            wake.Set();
            return listener;
        }
    }

    /// <summary>Ends all streams; no more are taken.</summary>
    public void Stop()
    {
        Thread? running;
        lock (gate)
        {
            isStopped = true;
            running = thread;
        }

        wake.Set();
        running?.Join();
    }

    /// <summary>The counters now.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        yield return new CollectorMetric("lm_collector_live_listeners", "Clients of the live stream.", false, "", Volatile.Read(ref count));
        yield return new CollectorMetric("lm_collector_live_events_total", "Events made, once for all clients that asked for the same.", true, "", Interlocked.Read(ref eventsMade));
        yield return new CollectorMetric("lm_collector_live_events_missed_total", "Events that clients were too slow for, each client counted.", true, "", Interlocked.Read(ref eventsMissed));
        yield return new CollectorMetric("lm_collector_live_records_missed_total", "Records that went by before events could be made of them, each filter counted.", true, "", Interlocked.Read(ref recordsMissed));
        yield return new CollectorMetric("lm_collector_live_resets_total", "Clients that came back to events that are no longer there.", true, "", Interlocked.Read(ref resets));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        wake.Dispose();
        events.Dispose();
    }

    private void Run()
    {
        OwnThread.LowerPriority();
        var pause = RecordOn;
        while (!Volatile.Read(ref isStopped))
        {
            wake.WaitOne(pause);
            var began = Stopwatch.GetTimestamp();
            try
            {
                Round();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LiveLog.RoundFailed(logger, e); // a fault of ours; the streams are begun anew by who listens
                EndAll();
            }

            var work = PausePerWork * Stopwatch.GetElapsedTime(began);
            pause = listeners.Count == 0 ? RecordOn : work < PauseMin ? PauseMin : work > PauseMax ? PauseMax : work;
        }

        EndAll();
    }

    private void Round()
    {
        while (arrivals.TryDequeue(out var arrival))
        {
            TakeIn(arrival);
        }

        MakeEvents();
        var now = time.GetTimestamp();
        var heartbeatDue = now - (long)(HeartbeatInterval.TotalSeconds * time.TimestampFrequency);
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        var bytesEach = Math.Clamp(RoundBytesMax / Math.Max(listeners.Count, 1), WriteBytesMin, WriteBytesMax);
        foreach (var listener in listeners)
        {
            Interlocked.Add(ref eventsMissed, listener.Serve(bytesEach, now, heartbeatDue, nowMs));
        }

        var bytesMax = Math.Min(ChannelBytesMax, PacketBytesMax / Math.Max(channels.Count, 1));
        channels.ForEach(channel => channel.Trim(bytesMax));
        LetGo();
    }

    private void TakeIn(in Arrival arrival)
    {
        var listener = arrival.Listener;
        listeners.Add(listener);
        LiveId? within = null;
        var greeting = LiveEvents.At(arrival.Now);
        if (listener.LastEventId is { } text)
        {
            if (TryFind(text, arrival, out var place, out within) is { } reason)
            {
                Interlocked.Increment(ref resets);
                greeting = LiveEvents.Reset(reason, arrival.Now);
            }
            else
            {
                (listener.Start, greeting) = (place, []);
            }
        }

        listener.Join(ChannelFor(listener, within));
        listener.Greet([.. ": connected\n\n"u8, .. greeting], time.GetTimestamp());
    }

    private LiveChannel ChannelFor(LiveListener listener, LiveId? within)
    {
        var channel = within is null
            ? channels.Find(each => each.IsShared && each.CoversFrom <= listener.Start && each.Filter.Key == listener.Filter.Key)
            : null;
        if (channel is null)
        {
            channel = new LiveChannel(listener.Filter, listener.Start, within);
            channels.Add(channel);
        }

        return channel;
    }

    /// <summary>Finds the first record behind an id.</summary>
    /// <param name="text">The id.</param>
    /// <param name="arrival">Who asks.</param>
    /// <param name="place">The record's place in the ring.</param>
    /// <param name="within">The id, when the record was told in part.</param>
    /// <returns>Why it cannot be found; else null.</returns>
    private string? TryFind(string text, in Arrival arrival, out long place, out LiveId? within)
    {
        (place, within) = (0, null);
        if (!LiveId.TryParse(text, out var id))
        {
            return "the id is none of this collector's";
        }

        if (id.Incarnation != incarnation || id.Position > arrival.Now.Position)
        {
            return "the id is from another life of this collector's spool";
        }

        place = Math.Max(ring!.Tail, arrival.ValidFrom);
        for (var isFirst = true; ; isFirst = false)
        {
            switch (ring.TryRead(place, record, out var next))
            {
                case LiveRead.Nothing:
                    return isFirst && id.Position != arrival.Now.Position ? "what followed is no longer in memory" : null;
                case LiveRead.Lost:
                    return "what followed is no longer in memory";
                case LiveRead.Read when isFirst && id.Position < record.Before && record.Position != id.Position:
                    return "what followed is no longer in memory";
                case LiveRead.Read when record.Position == id.Position && id.Event != LiveId.WholeRecord:
                    within = id;
                    return null;
                case LiveRead.Read when record.Position > id.Position:
                    return null;
            }

            place = next;
        }
    }

    /// <summary>Makes events of what was recorded, for as long as a slice of time.</summary>
    private void MakeEvents()
    {
        var began = Stopwatch.GetTimestamp();
        while (channels.Count > 0 && Stopwatch.GetElapsedTime(began) < Slice)
        {
            var place = channels.Min(channel => channel.Cursor);
            switch (ring!.TryRead(place, record, out var next))
            {
                case LiveRead.Nothing:
                    return;
                case LiveRead.Lost:
                    var oldest = ring.Tail;
                    channels.ForEach(channel => channel.Cursor = Math.Max(channel.Cursor, oldest));
                    break;
                case LiveRead.Read:
                    Give(place, next);
                    break;
            }
        }
    }

    private void Give(long place, long next)
    {
        var bytesMax = Math.Clamp(PacketBytesMax / channels.Count, RecordBytesMin, RecordBytesMax);
        foreach (var channel in channels)
        {
            if (channel.Cursor == place)
            {
                var before = channel.Events;
                Interlocked.Add(ref recordsMissed, channel.Take(place, record, events, encoder, bytesMax));
                Interlocked.Add(ref eventsMade, channel.Events - before);
                channel.Cursor = next;
            }
        }
    }

    private void LetGo()
    {
        var had = listeners.Count;
        foreach (var listener in listeners)
        {
            if (listener.HasEnded)
            {
                listener.Channel!.Listeners--;
                listener.Complete();
            }
        }

        Interlocked.Add(ref count, -listeners.RemoveAll(listener => listener.Done.IsCompleted));
        channels.RemoveAll(channel => channel.Listeners == 0);
        if (listeners.Count > 0)
        {
            return;
        }

        emptySince = had > 0 ? time.GetTimestamp() : emptySince;
        if (time.GetElapsedTime(emptySince) >= RecordOn)
        {
            StopRecording();
        }
    }

    private void StopRecording()
    {
        lock (gate)
        {
            if (arrivals.IsEmpty)
            {
                recorder.Stop();
            }
        }
    }

    private void EndAll()
    {
        while (arrivals.TryDequeue(out var arrival))
        {
            arrival.Listener.End();
            arrival.Listener.Complete();
            Interlocked.Decrement(ref count);
        }

        listeners.ForEach(listener => listener.End());
        for (var waited = 0; waited < EndWaitMax.TotalMilliseconds && !listeners.TrueForAll(listener => listener.HasEnded); waited += EndWaitStepMs)
        {
            wake.WaitOne(EndWaitStepMs); // writes that are under way end soon, or never: who does not read is cut off
        }

        listeners.ForEach(listener => listener.Complete());
        Interlocked.Add(ref count, -listeners.Count);
        listeners.Clear();
        channels.Clear();
    }

    // Where everything stood when it came.
    private readonly record struct Arrival(LiveListener Listener, LiveId Now, long ValidFrom);
}
