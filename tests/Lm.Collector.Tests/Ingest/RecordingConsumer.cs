using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Protocol;

namespace Lm.Collector.Tests.Ingest;

/// <summary>Notes what it is given.</summary>
internal sealed class RecordingConsumer : IBatchConsumer
{
    private readonly Lock gate = new(); // guards seen
    private readonly List<Seen> seen = [];

    public IReadOnlyList<Seen> All
    {
        get
        {
            lock (gate)
            {
                return [.. seen];
            }
        }
    }

    /// <summary>What is done when a remote-write request comes; it may wait.</summary>
    public Action OnWrite { get; set; } = static () => { };

    public void Apply(AcceptedWrite write) => OnWrite();

    public IEnumerable<ulong> Sequences => All.Select(batch => batch.Key.Sequences.Start);

    public void Apply(AcceptedBatch batch)
    {
        lock (gate)
        {
            seen.Add(new Seen(batch.Batch.Key, batch.Position, batch.IsReplay, batch.Verdict, batch.Batch.SampleCount));
        }
    }

    internal sealed record Seen(BatchKey Key, JournalPosition Position, bool IsReplay, BatchVerdict Verdict, int Samples);
}
