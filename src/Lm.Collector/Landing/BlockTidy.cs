using Lm.ObjectStore;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>Takes blocks out of the store that a merged one replaced, or that are older than <c>retention_days</c>: marked first, gone 48 hours later (L31).</summary>
/// <remarks>Why a block was marked must still hold when it goes: else the mark goes instead. What is marked itself, or lacks a file, replaces nothing. Marks and blocks of others are left to them. One caller at a time.</remarks>
/// <param name="parts">What it works with.</param>
/// <param name="bucket">What is there.</param>
/// <param name="isExpired">Whether a block is older than <c>retention_days</c>.</param>
/// <param name="signature">What the details of marks of one's own begin with.</param>
internal sealed class BlockTidy(BlockLandingParts parts, BucketBlocks bucket, Func<BlockMeta, bool> isExpired, string signature)
{
    /// <summary>Marks what is due, and deletes what was marked long enough ago.</summary>
    /// <param name="asOf">Proven time, no later than what is there was listed: what was not due then may have become so in a pause of days, and why it was marked may be over since.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RunAsync(UnixMillis asOf, CancellationToken cancellationToken)
    {
        foreach (var block in bucket.All.ToArray())
        {
            var reason = ReasonToGo(block);
            if (block.Mark is null && reason is not null)
            {
                await MarkAsync(block.Meta, reason, cancellationToken);
            }
            else if (block.Mark is { } mark && IsOurs(mark))
            {
                await EndMarkAsync(block.Meta, mark, reason, asOf, cancellationToken);
            }
        }

        foreach (var rest in bucket.Rests.ToArray())
        {
            if (IsToGo(rest))
            {
                await bucket.DeleteAsync(rest.Id, cancellationToken);
                var name = rest.Id.ToString();
                LandingLog.BlockRestDeleted(parts.Logger, name);
            }
        }
    }

    private DateTimeOffset Dated => DateTimeOffset.FromUnixTimeMilliseconds(parts.Dated().Value);

    private bool IsOurs(DeletionMark mark) => mark.Details.StartsWith(signature, StringComparison.Ordinal);

    private string? ReasonToGo(BucketBlock block)
    {
        if (isExpired(block.Meta))
        {
            return "older than retention_days";
        }

        // One that is not whole goes for any that has all it was made of; one that is here, too, is put again.
        var isHollow = !block.IsWhole && !parts.Blocks.Metas.Any(local => local.Id == block.Meta.Id);
        var replaces = bucket.All.FirstOrDefault(other =>
            other.IsWhole && other.Mark is null && (other.Meta.Replaces(block.Meta) || (isHollow && block.Meta.Sources.All(other.Meta.Sources.Contains))));
        return replaces is not null ? $"replaced by {replaces.Meta.Id}" : null;
    }

    private async Task MarkAsync(BlockMeta block, string reason, CancellationToken cancellationToken)
    {
        var mark = new DeletionMark(block.Id, Dated, signature + reason);
        await parts.Store.PutAsync(parts.Keys.Block(block.Id.ToString(), DeletionMark.FileName), ObjectContent.Of(mark.ToJson()), PutCondition.None, cancellationToken);
        bucket.Note(block.Id, mark);
        parts.Metrics.BlockMarked();
        var name = block.Id.ToString();
        LandingLog.BlockMarked(parts.Logger, name, reason);
    }

    private async Task EndMarkAsync(BlockMeta block, DeletionMark mark, string? reason, UnixMillis asOf, CancellationToken cancellationToken)
    {
        if (reason is null)
        {
            await parts.Store.DeleteAsync(parts.Keys.Block(block.Id.ToString(), DeletionMark.FileName), cancellationToken);
            bucket.Note(block.Id, mark: null);
            return;
        }

        if (mark.MarkedAt > Dated)
        {
            await MarkAsync(block, reason, cancellationToken); // by a clock that ran ahead: it would stay for as long
        }
        else if (IsDue(mark, asOf))
        {
            await bucket.DeleteAsync(block.Id, cancellationToken);
            parts.Metrics.BlockDeleted();
            var name = block.Id.ToString();
            LandingLog.BlockDeleted(parts.Logger, name, reason);
        }
    }

    // By the proven time alone: a clock that leaps ahead deletes nothing that a reader may have open.
    private static bool IsDue(DeletionMark mark, UnixMillis asOf) => mark.MarkedAt + DeletionMark.Delay <= DateTimeOffset.FromUnixTimeMilliseconds(asOf.Value);

    // The rest of a deletion that was cut short; or of a put that was, of a block that a merged one of ours has taken in: it is not put again. Of others nothing is known.
    private bool IsToGo(BucketRest rest)
    {
        if (rest.Mark is { } mark)
        {
            return IsOurs(mark);
        }

        var isLocal = parts.Blocks.Metas.Any(block => block.Id == rest.Id);
        return !isLocal && parts.Blocks.Metas.Concat(bucket.All.Where(static block => block.IsWhole).Select(static block => block.Meta))
            .Any(block => block.Sources.Contains(rest.Id) || block.Parents.Any(parent => parent.Id == rest.Id));
    }
}
