using Lm.Collector.Spool;
using Lm.Journal;
using Lm.ObjectStore;

namespace Lm.Collector.Landing;

/// <summary>Puts the spool into the object store as raw objects (L28), each once, and finds out what is there already.</summary>
/// <remarks>
/// Invariants:
/// the landed place moves only behind an object that was read back from the store, whole, with the hash that the spool gives;
/// an object's key names its first record, so a put that is made again meets the first one, and what is there is compared with what the spool holds at the same place: equal, it
/// is ours, and landing goes on behind it, wherever it ends; other, this spool is not the one that it came from, and nothing is put any more;
/// nothing is ever overwritten.
/// One caller at a time.
/// </remarks>
internal sealed class RawLanding(RawLandingParts parts, LandingState state)
{
    private readonly IObjectStore store = parts.Store;
    private readonly BatchSpool spool = parts.Spool;
    private readonly LandingMetrics metrics = parts.Metrics;
    private readonly ILogger logger = parts.Logger;
    private bool asksBefore; // the store does not refuse a second conditional put

    /// <summary>Finds out what the store can do and what of this spool is in it: first of all, and once.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    /// <exception cref="LandingHaltException">What is there is not of this spool.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var support = await ConditionalPutProbe.RunAsync(store, parts.Keys.Probe(Guid.NewGuid()), cancellationToken);
        asksBefore = support != ConditionalPuts.Hold;
        if (asksBefore)
        {
            var told = support == ConditionalPuts.NotSupported ? "it answers 501" : "it overwrites";
            LandingLog.ConditionsMissing(logger, store.Description, told);
        }

        await CatchUpAsync(cancellationToken);
        var landed = state.Landed;
        LandingLog.Ready(logger, store.Description, landed.Segment, landed.Offset);
    }

    /// <summary>Asks the store for next to nothing: one that is still away is found to be so before an object is gathered for it, which takes as much as the object is long.</summary>
    /// <exception cref="ObjectStoreException">The store cannot be asked.</exception>
    public async Task AskAsync(CancellationToken cancellationToken)
    {
        var next = FirstKept(state.Landed);
        await store.FindAsync(parts.Keys.Raw(parts.Collector, spool.Incarnation, next.Segment, next.Offset), cancellationToken);
    }

    /// <summary>Lands what comes next, one object of it.</summary>
    /// <param name="end">What came since is left for the next time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when there is nothing.</returns>
    /// <exception cref="IOException">Store or spool failed.</exception>
    /// <exception cref="LandingHaltException">What is there is not of this spool.</exception>
    public async Task<bool> LandNextAsync(JournalPosition end, CancellationToken cancellationToken)
    {
        var from = FirstKept(state.Landed);
        using var group = await Task.Run(() => RawGroup.Gather(spool, parts.Collector, new RawSpan(from, state.BehindHole(from), end), parts.ObjectSizeMax, cancellationToken), cancellationToken);
        if (group is null)
        {
            return false;
        }

        var first = group.Manifest.Records[0].Position;
        var key = parts.Keys.Raw(parts.Collector, spool.Incarnation, first.Segment, first.Offset);
        if (await PutAsync(key, group, cancellationToken) == PutOutcome.AlreadyThere)
        {
            await AdoptAsync(key, isLast: true, cancellationToken);
            return true;
        }

        await VerifyAsync(key, group, cancellationToken);
        state.Advance(group.Manifest.End);
        metrics.Landed(group.Length, group.Manifest.Records.Count);
        LandingLog.Landed(logger, key, group.Manifest.Records.Count, group.Length);
        return true;
    }

    // Where the landed place's segment is gone, what it held was given up while the store was away: the object says that it begins behind it.
    private JournalPosition FirstKept(JournalPosition landed)
    {
        var segments = spool.Segments;
        return segments.Count > 0 && segments[0].Number > landed.Segment ? new JournalPosition(segments[0].Number, 0) : landed;
    }

    private async Task<PutOutcome> PutAsync(string key, RawGroup group, CancellationToken cancellationToken)
    {
        if (!asksBefore)
        {
            return await store.PutAsync(key, group, PutCondition.IfAbsent, cancellationToken);
        }

        return await store.FindAsync(key, cancellationToken) is null
            ? await store.PutAsync(key, group, PutCondition.None, cancellationToken)
            : PutOutcome.AlreadyThere;
    }

    private async Task VerifyAsync(string key, RawGroup group, CancellationToken cancellationToken)
    {
        if (await RawObjectReader.VerifyAsync(store, key, group.Length, group.Hash, cancellationToken) is not { } fault)
        {
            return;
        }

        metrics.VerificationFailed();
        LandingLog.PutDamaged(logger, key, fault);
        await store.DeleteAsync(key, cancellationToken);
        throw new ObjectStoreException(ObjectStoreFault.Damaged, $"{key} in {store.Description} was not as it was put: {fault}", cause: null);
    }

    // After a crash more may be there than is known here: it is found by listing, oldest first.
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var folder = parts.Keys.RawFolder(parts.Collector, spool.Incarnation);
        var landed = state.Landed;
        var after = parts.Keys.RawAt(parts.Collector, spool.Incarnation, landed.Segment, landed.Offset);
        for (var hasMore = true; hasMore;)
        {
            var page = await store.ListAsync(folder, after, ObjectPage.SizeMax, cancellationToken);
            for (var i = 0; i < page.Objects.Count; i++)
            {
                var key = page.Objects[i].Key;
                if (ObjectKeys.TryReadRaw(key, out _, out _))
                {
                    await AdoptAsync(key, isLast: !page.HasMore && i == page.Objects.Count - 1, cancellationToken);
                }

                after = key;
            }

            hasMore = page.HasMore;
        }
    }

    // The last one may be a put that nobody has verified; those before it were, or the next would not have been put.
    private async Task AdoptAsync(string key, bool isLast, CancellationToken cancellationToken)
    {
        // A folder whose disk was unmounted meanwhile holds nothing: that passes, and then it is listed or put again.
        var found = await RawObjectReader.ReadAsync(store, key, cancellationToken)
            ?? throw new ObjectStoreException(ObjectStoreFault.Failed, $"{key} in {store.Description} was there and is not any more", cause: null);
        if (found.Manifest is not { } manifest)
        {
            throw new LandingHaltException($"{key} in {store.Description} is damaged: {found.Fault}. Move it away and restart: it is put again if the spool still has it");
        }

        if (manifest.Incarnation != spool.Incarnation || manifest.Collector != parts.Collector)
        {
            throw new LandingHaltException($"{key} in {store.Description} says that it is of collector {manifest.Collector} and spool {manifest.Incarnation:N}");
        }

        if (state.IsInHole(manifest.End))
        {
            // The spool lost these records and went on behind their places: the store alone has them.
            state.Advance(manifest.End);
            metrics.Adopted();
            LandingLog.AdoptedAlone(logger, key);
            return;
        }

        var end = spool.End;
        if (manifest.End > end)
        {
            throw new LandingHaltException(
                $"{key} in {store.Description} reaches to segment {manifest.End.Segment}, byte {manifest.End.Offset}, and this spool ends at segment {end.Segment}, byte {end.Offset}: "
                + "the disk was rolled back to an older state of itself, or a copy of it runs elsewhere");
        }

        if (FirstKept(manifest.Records[0].Position) == manifest.Records[0].Position)
        {
            await CompareAsync(key, found, manifest, isLast, cancellationToken);
        }

        state.Advance(manifest.End);
        metrics.Adopted();
        LandingLog.Adopted(logger, key);
    }

    private async Task CompareAsync(string key, RawObject found, RawManifest manifest, bool isLast, CancellationToken cancellationToken)
    {
        var span = new RawSpan(manifest.From, manifest.Records[0].Position, manifest.End);
        using var ours = await Task.Run(() => RawGroup.Gather(spool, parts.Collector, span, long.MaxValue, cancellationToken), cancellationToken);
        if (ours is null || ours.Length != found.SizeBytes || !ours.Hash.Span.SequenceEqual(found.Trailer.Hash.Span))
        {
            throw new LandingHaltException(
                $"{key} in {store.Description} holds other records than this spool at the same place: the disk was rolled back to an older state of itself, or a copy of it runs elsewhere");
        }

        if (isLast)
        {
            await VerifyAsync(key, ours, cancellationToken);
        }
    }
}

/// <summary>What landing works with.</summary>
/// <param name="Store">The store.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Collector">The collector's name.</param>
/// <param name="Spool">The spool.</param>
/// <param name="Metrics">Its counters.</param>
/// <param name="Logger">Its log.</param>
internal sealed record RawLandingParts(IObjectStore Store, ObjectKeys Keys, string Collector, BatchSpool Spool, LandingMetrics Metrics, ILogger Logger)
{
    /// <summary>Bytes of records after which another object begins.</summary>
    public required long ObjectSizeMax { get; init; }
}
