using Lm.Journal;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>Deletes raw objects: a day after blocks and log files that hold the same were verified in the store, and all that are older than <c>retention_days</c>, those of earlier lives of the
/// spool among them.</summary>
/// <remarks>The last object of a life of the spool always stays: where the next one begins is known by it. One caller at a time.</remarks>
/// <param name="parts">What landing works with.</param>
/// <param name="local">What this machine has.</param>
/// <param name="state">What counts as covered, and what is kept.</param>
/// <param name="proven">The time by which what is old may be deleted.</param>
/// <param name="retention">retention_days as it is now.</param>
internal sealed class RawTidy(RawLandingParts parts, LocalStores local, LandingState state, Func<UnixMillis> proven, Func<TimeSpan> retention)
{
    /// <summary>How long a raw object stays beside what covers it.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromDays(1);

    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal); // each is told once

    /// <summary>Deletes what is due.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var covered = state.CoveredBefore(proven().Add(-Delay));
        var before = default(Listed);
        var isOldest = true; // of its life: none before it was left for its age
        await foreach (var key in StoreLists.KeysAsync(parts.Store, parts.Keys.RawFolder(parts.Collector), cancellationToken))
        {
            if (!ObjectKeys.TryReadRaw(key, out var segment, out var offset) || !ObjectKeys.TryReadIncarnation(key, out var incarnation))
            {
                continue;
            }

            var next = new Listed(key, incarnation, new JournalPosition(segment, offset));
            if (before.Key is not null && before.Incarnation == next.Incarnation)
            {
                isOldest = await TryDeleteAsync(before, next.Place, covered, isOldest, cancellationToken);
            }
            else
            {
                isOldest = true;
            }

            before = next;
        }
    }

    // Returns whether the one behind it may be too old as well.
    private async Task<bool> TryDeleteAsync(Listed each, JournalPosition next, JournalPosition covered, bool isOldest, CancellationToken cancellationToken)
    {
        var isCovered = each.Incarnation == parts.Spool.Incarnation && next <= covered && await IsNeedlessAsync(each, next, cancellationToken);
        var isTooOld = isCovered || !isOldest ? false : await IsTooOldAsync(each.Key!, cancellationToken);
        if (isCovered || isTooOld == true)
        {
            await parts.Store.DeleteAsync(each.Key!, cancellationToken);
            parts.Metrics.RawDeleted(isCovered);
            LandingLog.RawDeleted(parts.Logger, each.Key!, isCovered ? "blocks and log files hold all of it" : "older than retention_days");
        }

        return isOldest && (isCovered || isTooOld != false);
    }

    private async Task<bool> IsNeedlessAsync(Listed each, JournalPosition next, CancellationToken cancellationToken)
    {
        if (state.Kept.Any(range => range.From < next && each.Place < range.To))
        {
            return false;
        }

        for (var segment = each.Place.Segment; segment <= next.Segment; segment++)
        {
            if (local.IsOnlyHere(segment))
            {
                return await RawObjectReader.ReadAsync(parts.Store, each.Key!, cancellationToken) is { Manifest: { } manifest } && !manifest.Records.Any(static record => record.IsOnlyHere);
            }
        }

        return true;
    }

    // Null: it cannot be read. It is left for a person, and says nothing about those behind it.
    private async Task<bool?> IsTooOldAsync(string key, CancellationToken cancellationToken)
    {
        var found = await RawObjectReader.ReadAsync(parts.Store, key, cancellationToken);
        if (found is { Fault: { } fault } && unreadable.Add(key))
        {
            LandingLog.RawUnreadable(parts.Logger, key, fault);
        }

        return found?.Manifest is { } manifest ? manifest.Newest < proven().Add(-retention()) : null;
    }

    private readonly record struct Listed(string? Key, Guid Incarnation, JournalPosition Place);
}
