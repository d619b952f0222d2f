using System.Runtime.CompilerServices;
using Lm.Collector.Changes;
using Lm.Collector.Dashboards;
using Lm.Collector.Landing;
using Lm.ObjectStore;

namespace Lm.Collector.Recovery;

/// <summary>Takes over what people changed at this collector before its disk was lost: every record of every earlier journal, in their order, each once.</summary>
/// <param name="store">The store.</param>
/// <param name="keys">Makes keys.</param>
/// <param name="collector">The collector's name.</param>
/// <param name="saved">Takes them.</param>
/// <param name="logger">The log.</param>
internal sealed class ChangeRestorer(IObjectStore store, ObjectKeys keys, string collector, SavedDashboards saved, ILogger logger)
{
    /// <summary>Takes them over, where the journal here waits for them.</summary>
    /// <exception cref="IOException">Store or disk failed; it is to be done again.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!saved.IsWaiting)
        {
            return;
        }

        await new RawArchive(store, keys, collector).ProbeAsync(cancellationToken);
        var count = await saved.RestoreAsync(ReadAllAsync(cancellationToken), cancellationToken);
        if (count > 0)
        {
            RecoveryLog.ChangesRestored(logger, count);
        }
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var journal in await JournalsAsync(cancellationToken))
        {
            foreach (var key in journal)
            {
                foreach (var record in await ReadAsync(key, cancellationToken))
                {
                    yield return record;
                }
            }
        }
    }

    // Where one took over what another had, both have the same; where it did not, the older comes first.
    private async Task<IReadOnlyList<List<string>>> JournalsAsync(CancellationToken cancellationToken)
    {
        var journals = new Dictionary<Guid, List<string>>();
        await foreach (var key in StoreLists.KeysAsync(store, keys.ChangesRoot(collector), cancellationToken))
        {
            if (!ObjectKeys.TryReadChanges(key, out _, out _) || !ObjectKeys.TryReadIncarnation(key, out var id) || id == saved.Changes.Id)
            {
                continue;
            }

            if (!journals.TryGetValue(id, out var objects))
            {
                journals.Add(id, objects = []);
            }

            objects.Add(key);
        }

        var dated = new List<(long First, List<string> Keys)>();
        foreach (var objects in journals.Values)
        {
            var changes = (await ReadAsync(objects[0], cancellationToken)).Select(static record => ChangeRecord.TryRead(record, out var change) is null ? change : null).OfType<Change>();
            dated.Add((changes.FirstOrDefault(static change => change.Kind != Change.Recovery)?.At.Value ?? long.MaxValue, objects));
        }

        return [.. dated.OrderBy(static each => each.First).Select(static each => each.Keys)];
    }

    // Marks of a journal's own recovery are not taken over: its records are.
    private async Task<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(string key, CancellationToken cancellationToken)
    {
        if (await StoreLists.ReadWholeAsync(store, key, ChangeObject.SizeMax, cancellationToken) is not { } found)
        {
            return [];
        }

        IReadOnlyList<ReadOnlyMemory<byte>> records = [];
        var fault = found.Bytes is { } bytes ? ChangeObject.TryRead(bytes, out records) : $"it has {found.SizeBytes} bytes; at most {ChangeObject.SizeMax} are read";
        if (fault is not null)
        {
            RecoveryLog.ChangesDamaged(logger, key, fault);
        }

        return [.. records.Where(static record => ChangeRecord.TryRead(record, out var change) is not null || change!.Kind != Change.Recovery)];
    }
}
