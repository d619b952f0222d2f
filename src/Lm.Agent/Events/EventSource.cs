using System.Globalization;
using System.Text;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>Events that wait to be stored. Anybody may post; the tail loop takes them into the queue.</summary>
/// <remarks>
/// Invariants: events leave in the order in which they were posted; no more wait than <see cref="CountMax"/>, of <see cref="BytesMax"/> bytes;
/// what comes beyond that is dropped, counted, and told as soon as there is room.
/// </remarks>
internal sealed class EventSource(TimeProvider time) : IRecordSource
{
    /// <summary>Events that may wait.</summary>
    public const int CountMax = 4096;

    /// <summary>Bytes of their texts.</summary>
    public const int BytesMax = 1 << 20;

    // What the collector takes of a value, and no more than that: LogBatch reckons with it.
    private const int ValueBytesMax = 400;

    private readonly Lock gate = new(); // guards waiting, waitingBytes, dropped and droppedTold
    private readonly Queue<AgentEvent> waiting = new();
    private int waitingBytes;
    private long dropped;
    private long droppedTold;
    private long stored;
    private FileWatches? watches;

    /// <inheritdoc/>
    public Action Changed { private get; set; } = () => { };

    /// <summary>None: what is told of inputs is about lines and files. <see cref="EventMetrics"/> tells of events.</summary>
    public IReadOnlyList<InputCounters> Counters => [];

    /// <summary>Events made into records.</summary>
    public long RecordCount => Volatile.Read(ref stored);

    /// <summary>Events for which there was no room.</summary>
    public long DroppedCount
    {
        get
        {
            lock (gate)
            {
                return dropped;
            }
        }
    }

    /// <summary>Directories that are watched.</summary>
    public FileWatches? Watches
    {
        get => watches;
        init => watches = value;
    }

    /// <summary>Takes an event.</summary>
    public void Post(AgentEvent what)
    {
        lock (gate)
        {
            var bytes = SizeOf(what);
            if (waiting.Count >= CountMax || waitingBytes + bytes > BytesMax)
            {
                dropped++;
                return;
            }

            waiting.Enqueue(what);
            waitingBytes += bytes;
        }

        Changed();
    }

    /// <inheritdoc/>
    public void Apply(AgentSettings settings, IReadOnlyList<TailOffset> saved) => watches?.Apply(settings, Changed);

    /// <inheritdoc/>
    public ValueTask<FillOutcome> FillAsync(LogBatch batch, CancellationToken cancellationToken) => ValueTask.FromResult(Fill(batch));

    /// <inheritdoc/>
    public void Dispose() => watches?.Dispose();

    private FillOutcome Fill(LogBatch batch)
    {
        watches?.Flush(this);
        lock (gate)
        {
            while (waiting.TryPeek(out var next))
            {
                if (!TryAdd(batch, next))
                {
                    return FillOutcome.BatchFull;
                }

                waitingBytes -= SizeOf(waiting.Dequeue());
            }

            if (dropped > droppedTold)
            {
                var count = (dropped - droppedTold).ToString(CultureInfo.InvariantCulture);
                var told = new AgentEvent(
                    UnixMillis.Now(time), AgentEvent.Warning, "events_dropped", $"{count} events were dropped: too many waited to be stored", new Label("count", count));
                if (!TryAdd(batch, told))
                {
                    return FillOutcome.BatchFull;
                }

                droppedTold = dropped;
            }

            return FillOutcome.Empty;
        }
    }

    private bool TryAdd(LogBatch batch, AgentEvent what)
    {
        var marks = LineMarks.None;
        var body = LineText.Clean(Encoding.UTF8.GetBytes(what.Body), batch.Limits.MessageBytesMax, ref marks);
        if (!batch.Takes(body.Length))
        {
            return false;
        }

        var valueBytesMax = Math.Min(ValueBytesMax, batch.Limits.ValueBytesMax);
        var attributes = new Label[2 + what.About.Length];
        attributes[0] = new Label("input", LogInputReader.EventsName);
        attributes[1] = new Label("event", what.Name);
        for (var i = 0; i < what.About.Length; i++)
        {
            attributes[2 + i] = new Label(what.About[i].Name, LabelValue.Cut(what.About[i].Value, valueBytesMax));
        }

        batch.Add(what.Time, what.Severity, body, attributes);
        Volatile.Write(ref stored, stored + 1);
        return true;
    }

    private static int SizeOf(AgentEvent what)
    {
        const int Overhead = 200; // the objects themselves, about
        var size = Overhead + (2 * what.Body.Length);
        foreach (var label in what.About)
        {
            size += 2 * label.Value.Length;
        }

        return size;
    }
}
