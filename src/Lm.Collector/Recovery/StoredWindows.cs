using System.Buffers.Binary;
using Lm.Collector.Bucket;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Recovery;

/// <summary>What of a record of an earlier life blocks and log files in the store hold already, as these say themselves (K13): it is read from there, and must not be stored, and land, once more.</summary>
/// <remarks>For one thread.</remarks>
/// <param name="store">The store.</param>
/// <param name="catalog">What it has.</param>
internal sealed class StoredWindows(IObjectStore store, BucketCatalog catalog) : IStoredWindows
{
    private readonly Dictionary<LogWindow, List<SealedFileFacts>> logs = [];

    // A block of late samples speaks for the one before it of its window, too, which may have been damaged and never have landed. The first one holds what it speaks for.
    private readonly ILookup<UInt128, BlockCoverage> blocks =
        BlockCoverage.Merge(catalog.Blocks.Where(static block => !block.IsLate).SelectMany(static block => block.Coverage)).ToLookup(static each => each.Incarnation);

    private readonly ILookup<LogWindow, StoredLogFile> files = catalog.Logs.ToLookup(static file => file.Window);
    private Guid life;
    private BlockCoverage[] covered = [];
    private CommitPosition position;

    /// <summary>What is asked next is of this record.</summary>
    public void At(Guid incarnation, JournalPosition at)
    {
        position = new CommitPosition(at.Segment, at.Offset);
        if (incarnation != life)
        {
            life = incarnation;
            covered = [.. blocks[BinaryPrimitives.ReadUInt128BigEndian(incarnation.ToByteArray(bigEndian: true))]];
        }
    }

    /// <summary>Reads what the log files of a batch's lines say, before anyone asks.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async ValueTask PrepareAsync(AcceptedBatch batch, CancellationToken cancellationToken)
    {
        for (var i = 0; i < batch.Batch.Logs.Length; i++)
        {
            var window = LogWindow.Of(batch.Batch.Logs[i].Time.Value, batch.ReceivedAt.Value);
            if (!logs.ContainsKey(window))
            {
                logs.Add(window, await ReadAsync(window, cancellationToken));
            }
        }
    }

    /// <inheritdoc/>
    public bool HasSamples(long from, long until)
    {
        var number = position.ToNumber();
        foreach (ref readonly var each in covered.AsSpan())
        {
            if (each.WindowStart <= from && until < each.WindowEnd && number <= each.UpTo)
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public bool HasLine(long time, UnixMillis receivedAt)
    {
        foreach (var file in logs[LogWindow.Of(time, receivedAt.Value)])
        {
            if (file.Incarnation == life && position <= file.Covered && file.Covered != CommitPosition.Start)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<List<SealedFileFacts>> ReadAsync(LogWindow window, CancellationToken cancellationToken)
    {
        var found = new List<SealedFileFacts>();
        foreach (var file in files[window])
        {
            var end = new byte[Math.Min(file.FileBytes, SealedFileFacts.Size)];
            var range = await store.ReadAsync(StoreFileSystem.KeyOf(file.Path), file.FileBytes - end.Length, end, cancellationToken);
            if (range?.Count == end.Length && SealedFileFacts.TryRead(end) is { } facts)
            {
                found.Add(facts);
            }
        }

        return found;
    }
}
