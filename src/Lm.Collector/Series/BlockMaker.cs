using Lm.Tsdb;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Head;

namespace Lm.Collector.Series;

/// <summary>Writes ranges of the head as blocks.</summary>
/// <remarks>Order: the block is durable and in the set, then the head lets the range go. A crash in between shows the range in both, which reading
/// merges, and the next start writes nothing twice: what a block holds is left out.</remarks>
/// <param name="head">The head.</param>
/// <param name="blocks">The blocks.</param>
/// <param name="labels">What tells this collector's blocks from others'.</param>
/// <param name="logger">The log.</param>
internal sealed class BlockMaker(Head head, BlockSet blocks, IReadOnlyList<Label> labels, ILogger logger)
{
    // A chunk that cannot be read now may be readable soon (EIO of a path that comes back); one that is damaged never is, and must not hold up the rest.
    private const int TriesMax = 60;

    private readonly List<FrozenRange> frozen = []; // oldest first; those behind the first wait because a block could not be written

    private int tries; // of the first

    /// <summary>Blocks written since start.</summary>
    public long Written { get; private set; }

    /// <summary>Blocks that could not be written; tried again.</summary>
    public long Failed { get; private set; }

    /// <summary>Ranges that are closed and not yet blocks.</summary>
    public int Waiting => frozen.Count;

    /// <summary>Takes a range over. By the head's writer.</summary>
    public void Take(FrozenRange range) => frozen.Add(range);

    /// <summary>Writes what waits, one block after another, until one fails.</summary>
    /// <param name="asWriter">Runs an action as the head's writer, between two batches.</param>
    /// <param name="stopping">Ends it between two series; nothing is half done then.</param>
    public void WriteAll(Action<Action> asWriter, CancellationToken stopping)
    {
        while (frozen.Count > 0)
        {
            try
            {
                Write(frozen[0], stopping);
                asWriter(() => head.Drop(frozen[0]));
                frozen.RemoveAt(0);
                tries = 0;
            }
            catch (Exception e) when (e is IOException or InvalidDataException or BlockDamageException)
            {
                Failed++;
                tries++;
                SeriesLog.BlockFailed(logger, frozen[0].Range.From, frozen[0].Range.Until, e.Message);
                return;
            }
        }
    }

    private void Write(FrozenRange range, CancellationToken stopping)
    {
        using var writer = blocks.Write(range.Range.From, range.Range.Until + 1);
        var isPartlyThere = blocks.Metas.Any(meta => meta.MinTime <= range.Range.Until && meta.MaxTime > range.Range.From);
        var content = range.WriteTo(writer, isPartlyThere ? new SeriesStore(null, blocks) : null, stopping);
        if (content.ChunksUnreadable > 0)
        {
            if (tries < TriesMax)
            {
                throw new InvalidDataException($"{content.ChunksUnreadable} chunks cannot be read: {content.Damage}");
            }

            SeriesLog.ChunksUnreadable(logger, content.ChunksUnreadable, range.Range.From, range.Range.Until, content.Damage);
        }

        var meta = writer.Commit(new BlockProvenance { IsLate = range.Range.IsLate, ExternalLabels = labels });
        if (meta is null)
        {
            return; // blocks hold all of it already
        }

        blocks.Add(meta.Id);
        Written++;
        var name = meta.Id.ToString();
        SeriesLog.BlockWritten(logger, name, meta.MinTime, meta.MaxTime, meta.Stats.Series, meta.Stats.Samples, meta.SizeBytes);
    }
}
