using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>Which sequences of which queue are durable: what makes a batch that is delivered twice visible once.</summary>
/// <remarks>
/// Invariants:
/// a sequence is accepted only after its record's sync, in the order of the spool (D1);
/// a copy of a pending batch shares its outcome, a failed one leaves no trace (D1, D3);
/// replay goes through the same state as live batches (D3);
/// the state at any moment is that of all records up to <see cref="Covered"/>, so a snapshot of it has one position (D4);
/// a queue's state is forgotten only when every repeat of its batches would be too old (D4).
/// </remarks>
internal sealed class SequenceLedger
{
    /// <summary>Queues that one agent may have at a time; a queue lives as long as its directory, so more than a few are a fault or an attack.</summary>
    public const int QueuesPerAgentMax = 64;

    private readonly Lock gate = new(); // guards agents, Covered and everything below them
    private readonly Dictionary<string, Dictionary<QueueId, QueueSequences>> agents = new(StringComparer.Ordinal);
    private JournalPosition covered;

    /// <summary>Whether a request's floor counts only once its batch is durable. With a log of several collectors it must: what another one committed below it, and the spool here does not have yet, would be taken for had.</summary>
    public bool FloorsWait { get; init; }

    /// <summary>The last record whose sequence is in the state.</summary>
    public JournalPosition Covered
    {
        get
        {
            lock (gate)
            {
                return covered;
            }
        }
    }

    /// <summary>Says what a frame is and, when it is new and may enter, makes it pending.</summary>
    /// <param name="key">The dedupe key.</param>
    /// <param name="fingerprint">What the frame is told by.</param>
    /// <param name="floor">The request's floor; 0 when it has none.</param>
    /// <param name="receivedAt">When it came.</param>
    /// <param name="mayEnter">False when the frame would be refused for another reason should it be new.</param>
    public AdmissionResult Admit(BatchKey key, FrameFingerprint fingerprint, ulong floor, UnixMillis receivedAt, bool mayEnter)
    {
        lock (gate)
        {
            if (Find(key) is not { } queue)
            {
                if (!mayEnter)
                {
                    return new AdmissionResult(Admission.New, null, "");
                }

                if (TryAdd(key) is not { } added)
                {
                    return TooManyQueues(key);
                }

                queue = added;
            }

            // A floor above what the request itself sends would make its own batch final: the header is wrong then, the batch is not.
            floor = Math.Min(floor, key.Sequences.Start);
            if (!FloorsWait)
            {
                queue.RaiseFloor(floor);
            }

            var result = queue.Look(key, fingerprint);
            return result.Admission == Admission.New && mayEnter
                ? result with { Batch = queue.Enter(key, fingerprint, floor, receivedAt) }
                : result;
        }
    }

    /// <summary>A pending batch is durable at a position. Called in the order of positions.</summary>
    public void Commit(PendingBatch batch, JournalPosition position)
    {
        lock (gate)
        {
            Find(batch.Key)?.Commit(batch);
            covered = position;
        }
    }

    /// <summary>A batch that the log of several collectors made visible is on its way into the spool here. Limits do not count, and copies that wait here have lost: the log has decided.</summary>
    /// <param name="key">The dedupe key.</param>
    /// <param name="fingerprint">What the frame is told by.</param>
    /// <param name="floor">The queue's floor at its admission; 0 when not known.</param>
    /// <param name="receivedAt">When it came, wherever that was.</param>
    /// <returns>Null when the spool has it.</returns>
    public PendingBatch? TakeCommitted(BatchKey key, FrameFingerprint fingerprint, ulong floor, UnixMillis receivedAt)
    {
        lock (gate)
        {
            var queue = Find(key) ?? Add(key);
            queue.RaiseFloor(Math.Min(floor, key.Sequences.Start));
            return queue.IsRepeat(key.Sequences) ? null : queue.EnterCommitted(new PendingBatch(key, fingerprint, floor, receivedAt));
        }
    }

    /// <summary>A record that has no sequence is durable at a position: the state covers it, too.</summary>
    public void Advance(JournalPosition position)
    {
        lock (gate)
        {
            covered = position > covered ? position : covered;
        }
    }

    /// <summary>A pending batch did not become durable; its sequence may come again.</summary>
    public void RollBack(PendingBatch batch)
    {
        lock (gate)
        {
            if (Find(batch.Key) is { } queue)
            {
                queue.RollBack(batch);
                RemoveIfEmpty(batch.Key, queue);
            }
        }
    }

    /// <summary>Takes a record read back from the spool. Limits that a live batch must keep do not count: it was acknowledged.</summary>
    /// <returns>False when it repeats one that was taken.</returns>
    public bool Replay(BatchKey key, FrameFingerprint fingerprint, ulong floor, UnixMillis receivedAt, JournalPosition position)
    {
        lock (gate)
        {
            covered = position > covered ? position : covered;
            var queue = Find(key) ?? Add(key);
            queue.RaiseFloor(Math.Min(floor, key.Sequences.Start));
            if (queue.IsRepeat(key.Sequences))
            {
                return false;
            }

            queue.Accept(key.Sequences, fingerprint, receivedAt);
            return true;
        }
    }

    /// <summary>Takes what manifests say was durable in an earlier life of the spool. Limits do not count, and what is known already stays.</summary>
    /// <param name="agentId">Whose.</param>
    /// <param name="queueId">Which queue.</param>
    /// <param name="sequences">Its sequences; each is a frame's.</param>
    /// <param name="newest">No batch among them came later.</param>
    public void Restore(string agentId, QueueId queueId, IReadOnlyList<SequenceRange> sequences, UnixMillis newest)
    {
        lock (gate)
        {
            var key = new BatchKey(agentId, queueId, sequences[0]);
            (Find(key) ?? Add(key)).AddRestored(sequences, newest);
        }
    }

    /// <summary>Takes what an earlier life's snapshot says, beside what is known already.</summary>
    /// <param name="bytes">The snapshot.</param>
    /// <param name="incarnation">The life.</param>
    /// <param name="queues">The queues in it.</param>
    /// <returns>Null, or why it is of no use; nothing is taken then.</returns>
    public string? TryRestoreLife(ReadOnlySpan<byte> bytes, Guid incarnation, out IReadOnlyList<QueueState> queues)
    {
        var found = new Dictionary<string, Dictionary<QueueId, QueueSequences>>(StringComparer.Ordinal);
        queues = [];
        if (LedgerSnapshot.TryRead(bytes, incarnation, found, out _) is { } fault)
        {
            return fault;
        }

        lock (gate)
        {
            foreach (var (agent, byId) in found)
            {
                foreach (var (id, restored) in byId)
                {
                    if (restored.Accepted.Count > 0)
                    {
                        var key = new BatchKey(agent, id, restored.Accepted[0]);
                        (Find(key) ?? Add(key)).AddRestored(restored);
                    }
                }
            }
        }

        queues = [.. found.SelectMany(agent => agent.Value.Select(queue => queue.Value.State(agent.Key, queue.Key)))];
        return null;
    }

    /// <summary>Forgets the queues whose last batch came before <paramref name="before"/> and that nothing is pending of.</summary>
    /// <returns>How many.</returns>
    public int Forget(UnixMillis before)
    {
        lock (gate)
        {
            var forgotten = 0;
            foreach (var (agent, queues) in agents.ToArray())
            {
                foreach (var (id, queue) in queues.ToArray())
                {
                    if (queue.LastReceivedAt < before && !queue.HasPending)
                    {
                        queues.Remove(id);
                        forgotten++;
                    }
                }

                if (queues.Count == 0)
                {
                    agents.Remove(agent);
                }
            }

            return forgotten;
        }
    }

    /// <summary>Every queue, by agent and queue id, for people.</summary>
    public IReadOnlyList<QueueState> Snapshot()
    {
        lock (gate)
        {
            return
            [
                .. agents
                    .SelectMany(agent => agent.Value.Select(queue => queue.Value.State(agent.Key, queue.Key)))
                    .OrderBy(state => state.AgentId, StringComparer.Ordinal)
                    .ThenBy(state => state.QueueId.Value),
            ];
        }
    }

    /// <summary>Writes the state and its position; format: docs/formats/ledger.md.</summary>
    public byte[] ToBytes(Guid incarnation)
    {
        lock (gate)
        {
            return LedgerSnapshot.Write(incarnation, covered, agents);
        }
    }

    /// <summary>Brings back the state of a snapshot into an empty ledger.</summary>
    /// <returns>Null, or why the snapshot is of no use.</returns>
    public string? TryRestore(ReadOnlySpan<byte> bytes, Guid incarnation)
    {
        lock (gate)
        {
            return LedgerSnapshot.TryRead(bytes, incarnation, agents, out covered);
        }
    }

    /// <summary>The spool's next record comes at this position or behind it: what a snapshot covers beyond are records that were lost, though
    /// their sequences are taken for good.</summary>
    public void SpoolEndsAt(JournalPosition end)
    {
        lock (gate)
        {
            covered = covered < end ? covered : end with { Offset = Math.Max(0, end.Offset - 1) };
        }
    }

    private QueueSequences? Find(in BatchKey key) =>
        agents.TryGetValue(key.AgentId, out var queues) && queues.TryGetValue(key.QueueId, out var queue) ? queue : null;

    private QueueSequences? TryAdd(in BatchKey key) =>
        agents.TryGetValue(key.AgentId, out var queues) && queues.Count >= QueuesPerAgentMax ? null : Add(key);

    private QueueSequences Add(in BatchKey key)
    {
        if (!agents.TryGetValue(key.AgentId, out var queues))
        {
            agents.Add(key.AgentId, queues = []);
        }

        var queue = new QueueSequences();
        queues.Add(key.QueueId, queue);
        return queue;
    }

    // A queue none of whose batches was ever stored is no state worth keeping: it must not use up the agent's queues.
    private void RemoveIfEmpty(in BatchKey key, QueueSequences queue)
    {
        if (queue.LastReceivedAt == default && !queue.HasPending && agents.TryGetValue(key.AgentId, out var queues))
        {
            queues.Remove(key.QueueId);
        }
    }

    private static AdmissionResult TooManyQueues(in BatchKey key) => new(
        Admission.TooManyGaps,
        null,
        $"agent {key.AgentId} has {QueuesPerAgentMax} queues, the most that are kept at a time; queue {key.QueueId} is a new one, "
        + "and one of the others must have been silent for backfill_days + 1 day first");
}
