using Lm.Collector.Agents;
using Lm.Collector.Bucket;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Recovery;

/// <summary>Takes over what earlier lives of this collector's spool (K12) landed: first the sequences, so that a repeat is recognised, then the records.</summary>
/// <remarks>
/// Invariants:
/// a spool that has no record yet takes none before the store has said which sequences are in it, and they are durable here (D4): a batch that an earlier life
/// acknowledged is never taken twice;
/// records are taken over beside live ingest, in the order of their lives and of their spool; a life's place is noted after what stood before it is durable, so a crash goes on there;
/// what comes twice all the same is recognised: a sample by its time, a line by its identity.
/// Nothing in the store is changed.
/// </remarks>
internal sealed class Recoverer
{
    private const int ManifestsAtOnce = 16;

    // As a restart replays at most (K15).
    private const long SettleBytes = 64L << 20;

    private static readonly TimeSpan SettleInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(30); // agents wait meanwhile

    // A start does not wait longer: both listeners then say what is the matter.
    private static readonly TimeSpan AskMax = TimeSpan.FromSeconds(10);

    private readonly RecovererParts parts;
    private readonly RawArchive archive;
    private readonly RecoveryMetrics metrics = new();
    private readonly RecordRestorer restorer;
    private readonly RetryPolicy backoff = new(RetryFirst, RetryMax, new Random());
    private readonly string markPath;
    private RecoveryMark mark;
    private volatile bool isHolding;
    private volatile bool isFailing;
    private int failures;

    /// <summary>Makes one; nothing is read and nothing is asked of the store yet.</summary>
    public Recoverer(RecovererParts parts)
    {
        this.parts = parts;
        archive = new RawArchive(parts.Store, parts.Keys, parts.Collector);
        restorer = new RecordRestorer(parts.Consumers, parts.Clock, parts.Time, metrics, parts.Logger);
        markPath = Path.Combine(parts.Directory, RecoveryMark.FileName);
        mark = RecoveryMark.Read(parts.Files, markPath, StoreName, out _);
    }

    /// <summary>Why no batch may be taken yet; null when they may.</summary>
    public string? HoldReason => isHolding
        ? "the collector does not know yet which batches the object store holds from before its disk was lost; keep the batch and send it again later"
        : null;

    /// <summary>How far it is.</summary>
    public RecoveryStatus Status => new(isHolding, isFailing, Interlocked.Read(ref metrics.ObjectsWaiting), Interlocked.Read(ref metrics.ObjectsDamaged) + Interlocked.Read(ref metrics.RecordsDamaged));

    private string StoreName => parts.Store.Description + " " + parts.Keys.RawFolder(parts.Collector);

    /// <summary>Decides whether batches must wait. Before the spool takes a record.</summary>
    /// <exception cref="IOException">The disk does not take the note of it.</exception>
    public void Begin()
    {
        mark = RecoveryMark.Read(parts.Files, markPath, StoreName, out var fault);
        if (fault is not null)
        {
            RecoveryLog.MarkUnusable(parts.Logger, markPath, fault);
            mark.Sequences = RecoveryMark.Waiting;
        }
        else if (parts.Spool.Segments.Count == 0)
        {
            // Whatever the note says, it is of a spool that had records or of one that may have had: a journal that somebody took away left its ledger behind for nobody.
            mark.Forget();
            mark.Write();
        }

        isHolding = mark.Sequences == RecoveryMark.Waiting;
    }

    /// <summary>Asks the store for sequences where batches must wait for them. Without an answer in time they wait, and <see cref="RunAsync"/> asks again.</summary>
    public async Task AskAsync(CancellationToken stopping)
    {
        if (!isHolding)
        {
            return;
        }

        using var deadline = new CancellationTokenSource(AskMax, parts.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, deadline.Token);
        try
        {
            await TryAsync(AskForSequencesAsync, either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            BeginTrouble($"the store did not answer within {AskMax.TotalSeconds} s");
        }
    }

    /// <summary>Takes over until all is, or until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!await TryPassAsync(stopping))
            {
                await Task.Delay(backoff.DelayAfter(failures), parts.Time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends: the next start goes on.
        }
    }

    /// <summary>The values for <c>/metrics</c>.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        yield return new CollectorMetric("lm_collector_recovery_holding", "1 while no batch is taken because the object store has not said which batches it holds from before the disk was lost.", false, "", isHolding ? 1 : 0);
        yield return new CollectorMetric("lm_collector_recovery_objects_waiting", "Raw objects of earlier lives that are not taken over yet.", false, "", Interlocked.Read(ref metrics.ObjectsWaiting));
        yield return new CollectorMetric("lm_collector_recovery_objects_total", "Raw objects of earlier lives taken over.", true, "", Interlocked.Read(ref metrics.Objects));
        yield return new CollectorMetric("lm_collector_recovery_records_total", "Records in them.", true, "", Interlocked.Read(ref metrics.Records));
        yield return new CollectorMetric("lm_collector_recovery_damaged_total", "Raw objects and records of earlier lives that are damaged and left out.", true, "", Interlocked.Read(ref metrics.ObjectsDamaged) + Interlocked.Read(ref metrics.RecordsDamaged));
        yield return new CollectorMetric("lm_collector_recovery_failures_total", "Passes that failed, and records that a part of the collector failed on.", true, "", Interlocked.Read(ref metrics.Failures) + Interlocked.Read(ref metrics.ConsumerFailures));
    }

    // False: it is to be tried again.
    internal Task<bool> TryPassAsync(CancellationToken stopping) => TryAsync(PassAsync, stopping);

    private async Task<bool> TryAsync(Func<CancellationToken, Task> pass, CancellationToken stopping)
    {
        try
        {
            await pass(stopping);
            EndTrouble();
            return true;
        }
        catch (IOException e)
        {
            BeginTrouble(e.Message);
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !stopping.IsCancellationRequested)
        {
            RecoveryLog.PassFailed(parts.Logger, e);
            BeginTrouble("a fault of the program; the log has it");
            return false;
        }
    }

    private async Task PassAsync(CancellationToken stopping)
    {
        var lives = await AskForSequencesAsync(stopping);
        if (parts.Changes is { } changes)
        {
            await changes.RunAsync(stopping);
        }

        if (!parts.Bucket.IsListed && !await parts.Bucket.TryPassAsync(stopping))
        {
            throw new IOException("blocks and log files in the object store could not be listed");
        }

        await Task.Run(() => RestoreRecordsAsync(lives, stopping), stopping);
    }

    private async Task<IReadOnlyList<RawLife>> AskForSequencesAsync(CancellationToken stopping)
    {
        if (mark.Sequences != RecoveryMark.Restored)
        {
            await archive.ProbeAsync(stopping);
        }

        var lives = await archive.ListAsync(parts.Spool.Incarnation, stopping);
        mark.Keep(lives);
        if (lives.Count > 0)
        {
            var objects = lives.Sum(static life => life.Objects.Count);
            RecoveryLog.Found(parts.Logger, objects, lives.Count);
        }

        if (mark.Sequences != RecoveryMark.Restored)
        {
            await RestoreSequencesAsync(lives, stopping);
        }

        return lives;
    }

    private async Task RestoreSequencesAsync(IReadOnlyList<RawLife> lives, CancellationToken stopping)
    {
        var queues = new RestoredQueues();
        var options = new ParallelOptions { MaxDegreeOfParallelism = ManifestsAtOnce, CancellationToken = stopping };
        await Parallel.ForEachAsync(lives.SelectMany(static life => life.Objects), options, async (place, cancellationToken) =>
        {
            if (await ManifestAsync(place, cancellationToken) is { } manifest)
            {
                queues.Add(manifest);
            }
        });
        var snapshots = await RestoreSnapshotsAsync(stopping);
        queues.Give(parts.Ledger, parts.Agents);
        if (queues.Count > 0 || snapshots > 0)
        {
            await MakeDurableAsync();
        }

        mark.Sequences = RecoveryMark.Restored;
        mark.Write();
        isHolding = false;
        RecoveryLog.SequencesRestored(parts.Logger, queues.Count);
    }

    // Raw objects that blocks and log files cover are gone after a day: what they brought the ledger is in its snapshot (D4). They tell of frames' content, too, so they come first.
    private async Task<int> RestoreSnapshotsAsync(CancellationToken stopping)
    {
        var queues = 0;
        foreach (var (life, info) in await archive.ListStatesAsync(StateLanding.LedgerEnding, parts.Spool.Incarnation, stopping))
        {
            if (await archive.ReadWholeAsync(info, LedgerSnapshot.SizeMax, stopping) is not { } bytes)
            {
                throw new IOException($"{info.Key} was there and is not any more, or changes"); // a newer one takes its place: it is listed again
            }

            if (parts.Ledger.TryRestoreLife(bytes, life, out var found) is { } fault)
            {
                Interlocked.Increment(ref metrics.ObjectsDamaged);
                RecoveryLog.ObjectDamaged(parts.Logger, info.Key, fault);
                continue;
            }

            foreach (var queue in found)
            {
                parts.Agents.Restore(queue.AgentId, queue.QueueId, (long)(queue.Highest - Math.Min(queue.Highest, queue.Gaps + queue.Missing)), queue.LastReceivedAt);
            }

            queues += found.Count;
        }

        return queues;
    }

    // A spool without a record has no id that a snapshot could be bound to: an `up` of nobody is its first.
    private async Task MakeDurableAsync()
    {
        if (parts.Spool.Segments.Count == 0)
        {
            var result = await parts.Spool.AppendAsync(new AcceptedUps(default, UnixMillis.Now(parts.Time), [], IsReplay: false));
            if (result.Status != SpoolStatus.Ok)
            {
                throw new IOException(result.Detail);
            }
        }

        if (!parts.TryPersist())
        {
            throw new IOException("the restored sequences could not be written; the log says why");
        }
    }

    private async Task RestoreRecordsAsync(IReadOnlyList<RawLife> lives, CancellationToken stopping)
    {
        var waiting = lives.Select(life => new RawLife(life.Incarnation, [.. life.Objects.Where(place => place.First >= mark.DoneUpTo(life))])).Where(static life => life.Objects.Count > 0).ToArray();
        Interlocked.Exchange(ref metrics.ObjectsWaiting, waiting.Sum(static life => life.Objects.Count));
        if (waiting.Length == 0)
        {
            return;
        }

        var began = parts.Time.GetTimestamp();
        var stored = new StoredWindows(parts.Store, parts.Bucket.Catalog);
        foreach (var life in await InOrderAsync(waiting, stopping))
        {
            await RestoreLifeAsync(life, stored, stopping);
        }

        var elapsedMs = (long)parts.Time.GetElapsedTime(began).TotalMilliseconds;
        var (objects, records) = (Interlocked.Read(ref metrics.Objects), Interlocked.Read(ref metrics.Records));
        RecoveryLog.Restored(parts.Logger, objects, records, elapsedMs);
    }

    // The older life's samples come first: of two for one time they stay (V20).
    private async Task<IReadOnlyList<RawLife>> InOrderAsync(RawLife[] lives, CancellationToken stopping)
    {
        var dated = new List<(long Oldest, RawLife Life)>();
        foreach (var life in lives)
        {
            var manifest = await ManifestAsync(life.Objects[0], stopping);
            dated.Add((manifest?.Oldest.Value ?? long.MaxValue, life));
        }

        return [.. dated.OrderBy(static each => each.Oldest).Select(static each => each.Life)];
    }

    private async Task RestoreLifeAsync(RawLife life, StoredWindows stored, CancellationToken stopping)
    {
        var (bytes, settledAt, done) = (0L, parts.Time.GetTimestamp(), 0);
        foreach (var place in life.Objects)
        {
            if (await ManifestAsync(place, stopping) is { } manifest)
            {
                await foreach (var record in archive.ReadRecordsAsync(place.Key, manifest, stopping))
                {
                    await restorer.RestoreAsync(life.Incarnation, place.Key, record, stored, stopping);
                }

                mark.Advance(life, manifest.End);
                bytes += place.SizeBytes;
            }

            done++;
            if (bytes >= SettleBytes || parts.Time.GetElapsedTime(settledAt) >= SettleInterval)
            {
                Settle(done);
                (bytes, settledAt, done) = (0, parts.Time.GetTimestamp(), 0);
            }
        }

        Settle(done);
    }

    private void Settle(int objects)
    {
        var isSettled = true;
        foreach (var consumer in parts.Consumers)
        {
            isSettled &= consumer.TrySettle();
        }

        if (!isSettled || !parts.TryPersist())
        {
            throw new IOException("what was taken over could not be made durable; the log says why");
        }

        mark.Write();
        var done = Interlocked.Add(ref metrics.Objects, objects);
        var all = done + Interlocked.Add(ref metrics.ObjectsWaiting, -objects);
        var records = Interlocked.Read(ref metrics.Records);
        RecoveryLog.Restoring(parts.Logger, done, all, records);
    }

    // Null: it is gone, or damaged and left where it is.
    private async Task<RawManifest?> ManifestAsync(RawPlace place, CancellationToken cancellationToken)
    {
        var found = await archive.ReadManifestAsync(place, cancellationToken);
        if (found is null)
        {
            if (await archive.IsListedAsync(place, cancellationToken))
            {
                throw new ObjectStoreException(ObjectStoreFault.Failed, $"{place.Key} in {parts.Store.Description} is listed, and not found when it is read", cause: null);
            }

            RecoveryLog.ObjectGone(parts.Logger, place.Key);
        }
        else if (found.Fault is { } fault)
        {
            Interlocked.Increment(ref metrics.ObjectsDamaged);
            RecoveryLog.ObjectDamaged(parts.Logger, place.Key, fault);
        }

        return found?.Manifest;
    }

    private void BeginTrouble(string reason)
    {
        Interlocked.Increment(ref metrics.Failures);
        if (failures++ == 0)
        {
            RecoveryLog.TroubleBegan(parts.Logger, reason, isHolding ? "until then no batch is taken, and agents keep theirs" : "ingest goes on");
        }

        isFailing = true;
    }

    private void EndTrouble()
    {
        if (failures > 0)
        {
            RecoveryLog.TroubleEnded(parts.Logger, failures);
        }

        (failures, isFailing) = (0, false);
    }
}

/// <summary>What a recoverer works with.</summary>
/// <param name="Store">The store; not disposed of.</param>
/// <param name="Keys">Makes keys.</param>
/// <param name="Bucket">What else is in the store.</param>
/// <param name="Collector">The collector's name.</param>
/// <param name="Files">The file system of the spool.</param>
/// <param name="Directory">The spool's folder.</param>
/// <param name="Spool">The spool of this life.</param>
/// <param name="Ledger">Takes sequences.</param>
/// <param name="Agents">Hears how many batches agents sent.</param>
/// <param name="Consumers">Take records.</param>
/// <param name="Clock">Hears of receive times.</param>
/// <param name="TryPersist">Makes state file and ledger's snapshot durable; false when they could not be.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Its log.</param>
internal sealed record RecovererParts(
    IObjectStore Store, ObjectKeys Keys, BucketReader Bucket, string Collector, IFileSystem Files, string Directory, BatchSpool Spool, SequenceLedger Ledger, AgentDirectory Agents,
    IReadOnlyList<IRestoredConsumer> Consumers, ClockGuard Clock, Func<bool> TryPersist, TimeProvider Time, ILogger Logger)
{
    /// <summary>Takes over what people changed.</summary>
    public ChangeRestorer? Changes { get; init; }
}

/// <summary>How far taking over is.</summary>
/// <param name="IsHolding">Whether no batch is taken yet.</param>
/// <param name="IsFailing">Whether the last try failed.</param>
/// <param name="ObjectsWaiting">Raw objects that are not taken over yet.</param>
/// <param name="Damaged">Objects and records that are damaged and left out.</param>
internal sealed record RecoveryStatus(bool IsHolding, bool IsFailing, long ObjectsWaiting, long Damaged);
