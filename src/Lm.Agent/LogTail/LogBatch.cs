using Lm.Agent.Queue;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.LogTail;

/// <summary>Log records on their way into one batch, and the tail offsets behind them.</summary>
internal sealed class LogBatch
{
    // What a record takes beside its body, its attributes' texts included where they are new to the batch.
    private const int RecordOverhead = 1200;

    private readonly Dictionary<TailKey, TailOffset> tails = [];

    /// <summary>Holds the records.</summary>
    public BatchEncoder Encoder { get; } = new();

    /// <summary>What it may hold.</summary>
    public LogLimits Limits { get; private set; }

    /// <summary>When its lines were read: the time of those that say none.</summary>
    public UnixMillis ReadAt { get; private set; }

    /// <summary>Whether there is no record.</summary>
    public bool IsEmpty => Encoder.LogCount == 0;

    /// <summary>Whether offsets are to be made durable also when no record comes.</summary>
    public bool IsUrgent { get; private set; }

    /// <summary>The offsets that changed.</summary>
    public IReadOnlyList<TailOffset> Tails => [.. tails.Values];

    /// <summary>Whether an offset changed.</summary>
    public bool HasTails => tails.Count > 0;

    /// <summary>Begins the next batch. Offsets that were noted and not stored stay.</summary>
    public void Begin(LogLimits limits, UnixMillis readAt, int intervalMs, ReadOnlySpan<Label> labels)
    {
        (Limits, ReadAt) = (limits, readAt);
        Encoder.Begin(readAt, intervalMs, labels);
    }

    /// <summary>What was noted is stored.</summary>
    public void MarkStored()
    {
        tails.Clear();
        IsUrgent = false;
    }

    /// <summary>Whether a record with such a body fits; the first one always does.</summary>
    public bool Takes(int bodyLength) => IsEmpty
        || (Encoder.LogCount < Limits.RecordsMax && Encoder.Length + bodyLength + RecordOverhead <= Limits.BatchBytesMax);

    /// <summary>Takes a record.</summary>
    public void Add(UnixMillis time, int severity, ReadOnlySpan<byte> body, Label[] attributes) => Encoder.AddLog(time, severity, body, attributes);

    /// <summary>Takes an offset, in place of what was noted of the same file before.</summary>
    public void Note(TailOffset tail, bool isUrgent = false)
    {
        tails[tail.Key] = tail;
        IsUrgent |= isUrgent;
    }
}
