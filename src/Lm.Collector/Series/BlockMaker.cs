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

    private const int WaitingMax = 16;

    private readonly List<Waiting> waiting = []; // oldest first

    /// <summary>Blocks written since start.</summary>
    public long Written { get; private set; }

    /// <summary>Blocks that could not be written; tried again.</summary>
    public long Failed { get; private set; }

    /// <summary>Whether so many ranges wait that no more should be closed: the disk takes nothing, and what stays open takes late samples.</summary>
    public bool IsFull => waiting.Count >= WaitingMax;

    /// <summary>Takes a range over. By the head's writer.</summary>
    public void Take(FrozenRange range) => waiting.Add(new Waiting(range));

    /// <summary>Writes what waits, one block after another. One that fails holds up only those for the same time, which the head does not close before it is gone.</summary>
    /// <param name="asWriter">Runs an action as the head's writer, between two batches.</param>
    /// <param name="stopping">Ends it between two series; nothing is half done then.</param>
    public void WriteAll(Action<Action> asWriter, CancellationToken stopping)
    {
        for (var i = 0; i < waiting.Count;)
        {
            if (TryWrite(waiting[i], asWriter, stopping))
            {
                waiting.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    private bool TryWrite(Waiting each, Action<Action> asWriter, CancellationToken stopping)
    {
        try
        {
            Write(each.Range, isLastTry: each.Tries >= TriesMax, stopping);
            asWriter(() => head.Drop(each.Range));
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or BlockDamageException)
        {
            Failed++;
            if (each.Tries++ == 0)
            {
                SeriesLog.BlockFailed(logger, each.Range.Range.From, each.Range.Range.Until, e.Message); // once: a full disk stays full for a while
            }

            return false;
        }
    }

    private void Write(FrozenRange range, bool isLastTry, CancellationToken stopping)
    {
        using var existing = new ExistingSamples(blocks, range.Range.From, range.Range.Until);
        using var writer = blocks.Write(range.Range.From, range.Range.Until + 1);
        var content = range.WriteTo(writer, existing, stopping);
        if (content.ChunksUnreadable > 0)
        {
            if (!isLastTry)
            {
                throw new InvalidDataException($"{content.ChunksUnreadable} chunks cannot be read: {content.Damage}");
            }

            SeriesLog.ChunksUnreadable(logger, content.ChunksUnreadable, range.Range.From, range.Range.Until, content.Damage);
        }

        var meta = writer.Commit(new BlockProvenance { IsLate = range.Range.IsLate, ExternalLabels = labels, Coverage = range.Coverage });
        if (meta is null)
        {
            return; // blocks hold all of it already
        }

        blocks.Add(meta.Id);
        Written++;
        var name = meta.Id.ToString();
        SeriesLog.BlockWritten(logger, name, meta.MinTime, meta.MaxTime, meta.Stats.Series, meta.Stats.Samples, meta.SizeBytes);
    }

    /// <summary>A range that is to become a block.</summary>
    private sealed class Waiting(FrozenRange range)
    {
        public FrozenRange Range => range;

        public int Tries { get; set; }
    }
}
