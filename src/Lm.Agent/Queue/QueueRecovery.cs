using Microsoft.Extensions.Logging;

namespace Lm.Agent.Queue;

/// <summary>What happens between opening the journal and using the queue: its records become the state, and its place is compared with where it was.</summary>
internal sealed class QueueRecovery(Journal.Journal journal, QueueState state, string directory, ILogger logger)
{
    /// <summary>Reads every record, and reports what a crash or a disk left behind.</summary>
    public void Read()
    {
        foreach (var record in journal.Read())
        {
            if (!QueueRecordCodec.TryDecode(record.Payload, out var head, out _))
            {
                QueueLog.UnknownRecord(logger, directory, record.Position.Segment, record.Position.Offset);
                continue;
            }

            state.Apply(head, record.Position);
            state.Done.Add(head.Done);
            state.Counters = head.Counters;
            if (head.Replaces is { } replaced)
            {
                state.Done.Add(replaced);
            }
        }

        state.CompleteReading();
        Report();
    }

    /// <summary>Begins a new directory's queue, or tells why this one must go on under a new queue id.</summary>
    /// <param name="here">Whose queue is opened, and where.</param>
    /// <returns>Why a new id is needed; empty when it is not.</returns>
    /// <exception cref="QueueException">It is another agent's.</exception>
    public string Identify(QueueIdentity here)
    {
        if (state.GenerationSeen == 0)
        {
            state.Begin(QueueWriter.NewQueueId(), here);
            return "";
        }

        if (state.Identity is { } identity && !string.Equals(identity.AgentId, here.AgentId, StringComparison.Ordinal))
        {
            throw new QueueException(
                $"queue_dir {directory} belongs to agent_id \"{identity.AgentId}\", not \"{here.AgentId}\": send what it holds with lm-agent --flush "
                + "and the old agent_id, then delete it, or give this agent a directory of its own");
        }

        // Records that are gone may have held numbers that were sent: under a new id none of them can be used again.
        if (journal.Recovery.Damage.Count > 0 || state.GenerationSeen > state.Generation || state.Identity is null)
        {
            return "part of the queue was damaged";
        }

        var difference = here.DifferenceFrom(state.Identity);
        return difference.Length == 0 ? "" : $"the directory was copied or restored: another {difference}";
    }

    private void Report()
    {
        if (journal.Recovery.TornBytes > 0)
        {
            QueueLog.TornTail(logger, directory, journal.Recovery.TornBytes);
        }

        foreach (var damage in journal.Recovery.Damage)
        {
            QueueLog.Damaged(logger, directory, damage.Segment, damage.Offset, damage.Reason, damage.SizeBytes, damage.SavedAs);
        }
    }
}
