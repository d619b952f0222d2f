using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Agent.Queue;

/// <summary>Puts batches that the collector refused for good back into the queue, under new numbers, once what it did not like is mended.</summary>
/// <remarks>Each record names the number that the batch had: repeated after a crash between append and deletion, what is queued already is passed over.</remarks>
internal sealed class Requeue(IFileSystem files, string directory, Journal.Journal journal, QueueWriter writer)
{
    private const int FrameBytesMax = 64 << 20;

    /// <summary>Queues all of them again.</summary>
    /// <param name="now">The clock's time: what they say themselves stays.</param>
    /// <param name="cancellationToken">Gives up between two.</param>
    /// <exception cref="FileSystemException">They cannot be read or deleted.</exception>
    public async Task<RequeueOutcome> RunAsync(UnixMillis now, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(directory, RejectedBatches.FolderName);
        var outcome = new RequeueOutcome([]);
        if (!files.Exists(folder))
        {
            return outcome;
        }

        var known = FindReplaced();
        foreach (var name in files.List(folder).Where(name => name.EndsWith(RejectedBatches.Ending, StringComparison.Ordinal)))
        {
            var path = Path.Combine(folder, name);
            if (!RejectedBatches.TryParseName(name, out var number))
            {
                outcome.Faults.Add($"{path} has no name of a refused batch");
                continue;
            }

            if (!known.Contains(number))
            {
                var frame = AtomicFile.Read(files, path, FrameBytesMax) ?? [];
                var head = new QueueRecord { Kind = QueueRecordKind.Batch, Number = number, CollectedAt = now };
                var (isStored, fault) = await writer.AppendAgainAsync(head, frame, cancellationToken);
                if (!isStored)
                {
                    outcome.Faults.Add($"{path}: {(fault.Length > 0 ? fault : "it could not be stored; make room or mend the disk")}");
                    continue;
                }
            }

            files.Delete(path);
            outcome = outcome with { Count = outcome.Count + 1 };
        }

        files.SyncDirectory(folder);
        return outcome;
    }

    private HashSet<BatchNumber> FindReplaced()
    {
        var found = new HashSet<BatchNumber>();
        foreach (var record in journal.Read())
        {
            if (QueueRecordCodec.TryDecode(record.Payload, out var head, out _) && head.Replaces is { } replaced)
            {
                found.Add(replaced);
            }
        }

        return found;
    }
}

/// <summary>What became of refused batches.</summary>
/// <param name="Faults">Those that stay where they are, and why.</param>
internal sealed record RequeueOutcome(List<string> Faults)
{
    /// <summary>Batches that are in the queue again.</summary>
    public int Count { get; init; }
}
