using Lm.Collector.Agents;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Recovery;

/// <summary>The sequences that manifests name, put together by queue. Safe for concurrent use.</summary>
internal sealed class RestoredQueues
{
    private readonly Lock gate = new(); // guards queues and everything in them
    private readonly Dictionary<(string Agent, QueueId Queue), Restored> queues = [];

    /// <summary>How many queues.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return queues.Count;
            }
        }
    }

    /// <summary>Adds what one object holds.</summary>
    public void Add(RawManifest manifest)
    {
        lock (gate)
        {
            foreach (var queue in manifest.Queues)
            {
                var key = (queue.AgentId, queue.QueueId);
                if (!queues.TryGetValue(key, out var known))
                {
                    queues.Add(key, known = new Restored());
                }

                foreach (var range in queue.Sequences)
                {
                    known.Sequences.Add(range);
                }

                known.Newest = manifest.Newest > known.Newest ? manifest.Newest : known.Newest;
            }
        }
    }

    /// <summary>Tells ledger and agents.</summary>
    public void Give(SequenceLedger ledger, AgentDirectory agents)
    {
        lock (gate)
        {
            foreach (var ((agent, queue), restored) in queues)
            {
                ledger.Restore(agent, queue, restored.Sequences.Ranges, restored.Newest);
                agents.Restore(agent, queue, (long)restored.Sequences.Count, restored.Newest);
            }
        }
    }

    private sealed class Restored
    {
        public SequenceSet Sequences { get; } = new();

        public UnixMillis Newest { get; set; }
    }
}
