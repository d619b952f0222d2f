using Lm.Collector.Landing;
using Lm.Collector.Recovery;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Protocol;

namespace Lm.Collector.Verify;

/// <summary>Checks raw objects: each whole and of its key, each behind the one before it, no batch twice.</summary>
internal sealed class RawVerifier(IObjectStore store, RawArchive archive, string collector, VerifyReport report)
{
    private readonly Dictionary<(string Agent, QueueId Queue), SequenceSet> queues = [];
    private long objects;
    private long records;

    /// <summary>Checks those of all lives.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RunAsync(IReadOnlyList<RawLife> lives, CancellationToken cancellationToken)
    {
        foreach (var life in lives)
        {
            JournalPosition? end = null;
            foreach (var place in life.Objects)
            {
                if (await CheckAsync(life, place, cancellationToken) is { } manifest)
                {
                    CheckChain(place.Key, manifest, end);
                    end = manifest.End;
                }

                report.Read(place.SizeBytes);
            }
        }

        foreach (var ((agent, queue), sequences) in queues)
        {
            var holes = new SequenceRange(sequences.Ranges[0].Start, sequences.Highest).Count - sequences.Count;
            if (holes > 0)
            {
                report.Note($"queue {queue} of agent {agent}: {holes} sequences between {sequences.Ranges[0].Start} and {sequences.Highest} are in no raw object");
            }
        }

        report.Tell($"raw: {objects} objects of {lives.Count} lives of {collector}, {records} records, {queues.Count} queues");
    }

    private async Task<RawManifest?> CheckAsync(RawLife life, RawPlace place, CancellationToken cancellationToken)
    {
        if (await archive.ReadManifestAsync(place, cancellationToken) is not { } found)
        {
            if (await archive.IsListedAsync(place, cancellationToken))
            {
                report.Fault(place.Key, "it is listed, and not found when it is read");
            }

            return null; // landing deleted it meanwhile
        }

        objects++;
        if (found.Manifest is not { } manifest)
        {
            report.Fault(place.Key, found.Fault ?? "it is damaged");
            return null;
        }

        if (manifest.Incarnation != life.Incarnation || manifest.Collector != collector || manifest.Records[0].Position != place.First)
        {
            report.Fault(place.Key, $"it says that it is of collector {manifest.Collector}, spool {manifest.Incarnation:N}, place {manifest.Records[0].Position}");
        }

        if (await RawObjectReader.VerifyAsync(store, place.Key, place.SizeBytes, found.Trailer.Hash, cancellationToken) is { } fault)
        {
            report.Fault(place.Key, fault);
        }

        records += manifest.Records.Count;
        CheckSequences(place.Key, manifest);
        return manifest;
    }

    private void CheckChain(string key, RawManifest manifest, JournalPosition? end)
    {
        if (end is { } before && manifest.From < before)
        {
            report.Fault(key, $"it begins at {manifest.From}, and the object before it ends at {before}: they overlap");
        }
        else if (end is { } gap && manifest.From > gap)
        {
            report.Note($"{key} begins at {manifest.From}, the one before it ends at {gap}: what stood between is in blocks and log files, or went while the store was away");
        }
    }

    private void CheckSequences(string key, RawManifest manifest)
    {
        foreach (var queue in manifest.Queues)
        {
            if (!queues.TryGetValue((queue.AgentId, queue.QueueId), out var known))
            {
                queues.Add((queue.AgentId, queue.QueueId), known = new SequenceSet());
            }

            foreach (var range in queue.Sequences)
            {
                if (known.CountIn(range) is > 0 and var twice)
                {
                    report.Fault(key, $"{twice} sequences of {range} of queue {queue.QueueId} of agent {queue.AgentId} are in another raw object, too");
                }

                known.Add(range);
            }
        }
    }
}
