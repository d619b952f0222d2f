using System.Runtime.ExceptionServices;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;
using Lm.Journal;
using Lm.Logs;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>Brings what was acknowledged into the object store, in the background: a pass every <c>object_landing_interval_ms</c>, the oldest first, raw objects one after another and
/// beside them files one after another. When the store fails it waits, longer each time; nobody waits for it.</summary>
internal sealed class Lander : IDisposable
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryMax = TimeSpan.FromMinutes(5);

    private readonly LanderParts parts;
    private readonly LandingState state;
    private readonly LandingMetrics metrics = new();
    private readonly RawLanding raw;
    private readonly LogLanding logs;
    private readonly BlockLanding blocks;
    private readonly ChangeLanding? changes;
    private readonly CoverageWatch coverage;
    private readonly StoreTidy tidy;
    private readonly RetryPolicy backoff;
    private readonly Lock gate = new(); // guards the four below
    private string? trouble;
    private bool isHalted;
    private UnixMillis? oldestWaiting;
    private UnixMillis? lastLanded;
    private bool isPrepared;
    private int failures;
    private uint givenUpBefore;
    private Task? filesLanding; // under way, or ended and not looked at
    private bool isTroubleOfFiles; // then it ends when all of them have landed

    /// <summary>Makes one; nothing is asked of the store yet.</summary>
    public Lander(LanderParts parts)
    {
        this.parts = parts;
        state = new LandingState(parts.Store.Description + " " + parts.Keys.RawFolder(parts.Collector, Guid.Empty), parts.Marker);
        var rawParts = new RawLandingParts(parts.Store, parts.Keys, parts.Collector, parts.Spool, metrics, parts.Logger) { ObjectSizeMax = parts.ObjectSizeMax };
        raw = new RawLanding(rawParts, state);
        logs = new LogLanding(parts.Store, parts.Keys, parts.Files, parts.Local.SealedLogs, () => parts.Proven().Add(-parts.Retention()), parts.Time, metrics, parts.Logger);
        changes = parts.Changes is { } journal ? new ChangeLanding(rawParts, journal) : null;
        var blockParts = new BlockLandingParts
        {
            Store = parts.Store,
            Keys = parts.Keys,
            Files = parts.Files,
            Blocks = parts.Local.Blocks,
            Labels = parts.Local.Labels,
            CompactsElsewhere = parts.CompactsElsewhere,
            Retention = parts.Retention,
            Proven = parts.Proven,
            Dated = parts.Dated,
            Time = parts.Time,
            Metrics = metrics,
            Logger = parts.Logger,
        };
        var bucket = new BucketBlocks(parts.Store, parts.Keys, block => block.ExternalLabels.SequenceEqual(parts.Local.Labels), parts.Logger);
        blocks = new BlockLanding(blockParts, bucket, state.Blocks);
        coverage = new CoverageWatch(parts.Local, state, () => logs.Waiting == 0 && blocks.AreAllLanded, () => parts.Spool.End, parts.Dated);
        tidy = new StoreTidy(new StoreTidyParts(rawParts, blockParts, parts.Local, bucket, blocks, state));
        backoff = new RetryPolicy(RetryFirst, RetryMax, new Random());
    }

    /// <summary>What the state file keeps of it.</summary>
    public IStatePart State => state;

    /// <summary>What it has done and what waits.</summary>
    public LandingStatus Status
    {
        get
        {
            var landed = state.Landed;
            lock (gate)
            {
                return new LandingStatus
                {
                    Store = parts.Store.Description,
                    Trouble = trouble,
                    IsHalted = isHalted,
                    Landed = landed,
                    PendingBytes = PendingBytes(landed),
                    OldestWaiting = oldestWaiting,
                    LastLanded = lastLanded,
                    Objects = metrics.Objects,
                    ObjectBytes = metrics.ObjectBytes,
                    LogFiles = metrics.LogFiles,
                    LogFilesWaiting = logs.Waiting,
                    Blocks = metrics.Blocks,
                    BlockBytes = metrics.BlockBytes,
                    BlocksWaiting = blocks.Waiting,
                    Covered = state.Covered,
                    ObjectsCovered = metrics.RawCovered,
                };
            }
        }
    }

    /// <summary>The spool was opened, and the state file read: where it has lost its end, it goes on behind all places that may have landed, once that is durable. Before anything is
    /// appended.</summary>
    /// <param name="saveState">Writes the state file; false when it could not.</param>
    /// <exception cref="IOException">It could not.</exception>
    public void SpoolOpened(Func<bool> saveState)
    {
        var (end, landed) = (parts.Spool.End, state.Landed);
        if (state.SpoolEndsAt(end) is not { To.Segment: var next })
        {
            return;
        }

        LandingLog.SpoolIsShorter(parts.Logger, end.Segment, end.Offset, landed.Segment, landed.Offset, next);
        if (!saveState())
        {
            throw new IOException("the spool has lost its end, and the state file that has to say so cannot be written: the log says why");
        }

        parts.Spool.SkipTo(next);
    }

    /// <summary>Whether a block may be deleted here: it is in the store, verified, and queries find it there; or it is older than what is kept there. Where something else merges and deletes in
    /// the store, it need not be there any more: that the store was listed since it landed is enough.</summary>
    public bool MayGo(BlockMeta block) =>
        blocks.IsExpired(block) || (blocks.IsSafe(block) && (parts.FindsBlock(block) || (parts.CompactsElsewhere && parts.ListedSince(state.Blocks.LandedAt(block)))));

    /// <summary>Whether a log file may be deleted here.</summary>
    public bool MayGo(StoredLogFile file) => logs.IsExpired(file) || (logs.IsSafe(file) && parts.FindsLogFile(file));

    /// <summary>Whether a block may be merged with others: where something else merges those in the store, what is merged here must never land, so its parts must have.</summary>
    public bool MayMerge(BlockMeta block) => !parts.CompactsElsewhere || state.Blocks.Has(block);

    /// <summary>Lands until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            while (await TryPassAsync(ending.Token) is { } wait)
            {
                await Task.Delay(wait, parts.Time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // That is how it ends: what has not landed does at the next start.
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAny(filesLanding ?? Task.CompletedTask);
        }
    }

    /// <summary>The first segment that must stay because it has not landed. Where what has not landed is more than half of <c>max_spool_bytes</c>, segments that local files cover may go
    /// without (K19): a store that is away, or slower than what comes in, must not stop ingest.</summary>
    /// <param name="spoolSizeMax">max_spool_bytes.</param>
    public uint FirstToKeep(long spoolSizeMax)
    {
        var landed = state.Landed;
        var (keep, pending) = (landed.Segment, PendingBytes(landed));
        foreach (var segment in parts.Spool.Segments)
        {
            if (pending <= spoolSizeMax / 2)
            {
                break;
            }

            if (segment.Number >= landed.Segment)
            {
                pending -= segment.SizeBytes;
                keep = segment.Number + 1;
            }
        }

        if (keep > landed.Segment && keep > givenUpBefore)
        {
            LandingLog.GaveUpSegments(parts.Logger, keep);
            givenUpBefore = keep;
        }

        return keep;
    }

    /// <summary>The values for <c>/metrics</c>.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        var status = Status;
        var age = status.OldestWaiting is { } oldest ? Math.Max(0, (UnixMillis.Now(parts.Time) - oldest).TotalSeconds) : 0;
        yield return new CollectorMetric("lm_collector_landing_oldest_age_seconds", "Age of the oldest batch that had not landed at the last look; 0 when there was none.", false, "", age);
        yield return new CollectorMetric("lm_collector_landing_pending_bytes", "Bytes of the spool that have not landed.", false, "", status.PendingBytes);
        yield return new CollectorMetric("lm_collector_landing_failing", "1 while the last try to land failed.", false, "", status.Trouble is null ? 0 : 1);
        yield return new CollectorMetric("lm_collector_landing_halted", "1 when landing has stopped until a restart, because the store holds what contradicts the spool.", false, "", status.IsHalted ? 1 : 0);
        yield return new CollectorMetric("lm_collector_landing_log_files_waiting", "Sealed log files that are not known to be in the object store.", false, "", status.LogFilesWaiting);
        yield return new CollectorMetric("lm_collector_landing_blocks_waiting", "Blocks that are not known to be in the object store.", false, "", status.BlocksWaiting);
        yield return new CollectorMetric("lm_collector_landing_kept_stretches", "Stretches of the spool whose raw objects stay until retention_days, because something here that held their records was damaged.", false, "", state.Kept.Count);
        foreach (var metric in metrics.Collect())
        {
            yield return metric;
        }

        foreach (var metric in StoreMetrics(parts.Counters))
        {
            yield return metric;
        }
    }

    /// <summary>Lets go of the store.</summary>
    public void Dispose() => parts.Store.Dispose();

    /// <summary>The values of the store itself.</summary>
    public static IEnumerable<CollectorMetric> StoreMetrics(StoreCounters counters)
    {
        var requests = Enum.GetValues<StoreRequest>();
        foreach (var request in requests)
        {
            yield return new CollectorMetric(
                "lm_collector_object_store_requests_total", "Requests to the object store, every try, by kind.", true, $"request=\"{StoreCounters.Name(request)}\"", counters.Requests(request));
        }

        foreach (var request in requests)
        {
            foreach (var fault in ObjectStoreFaults.All)
            {
                if (counters.Failures(request, fault) is > 0 and var count)
                {
                    yield return new CollectorMetric(
                        "lm_collector_object_store_failures_total", "Tries that failed, by kind of request and of failure.", true,
                        $"request=\"{StoreCounters.Name(request)}\",reason=\"{fault.Name()}\"", count);
                }
            }
        }

        yield return new CollectorMetric("lm_collector_object_store_sent_bytes_total", "Bytes of objects sent to the object store.", true, "", counters.SentBytes);
        yield return new CollectorMetric("lm_collector_object_store_received_bytes_total", "Bytes of objects received from the object store.", true, "", counters.ReceivedBytes);
    }

    // Null: landing has stopped. Else how long to wait before the next pass.
    internal async Task<TimeSpan?> TryPassAsync(CancellationToken stopping)
    {
        try
        {
            var isAllLanded = await PassAsync(stopping);
            if (isAllLanded || !isTroubleOfFiles)
            {
                EndTrouble();
            }

            return isAllLanded ? parts.Interval() : TimeSpan.Zero;
        }
        catch (LandingHaltException e)
        {
            lock (gate)
            {
                (trouble, isHalted) = (e.Message, true);
            }

            LandingLog.Halted(parts.Logger, e.Message);
            return null;
        }
        catch (IOException e)
        {
            if (filesLanding?.Exception?.InnerException is IOException)
            {
                filesLanding = null; // of the same: told once
            }

            BeginTrouble(e.Message);
            return backoff.DelayAfter(failures);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !stopping.IsCancellationRequested)
        {
            // A fault of ours must not end landing in silence; nothing that it did counts as landed.
            LandingLog.PassFailed(parts.Logger, e);
            BeginTrouble("a pass failed by a fault of the program; the log has it");
            return backoff.DelayAfter(failures);
        }
    }

    // False: files are still on their way.
    private async Task<bool> PassAsync(CancellationToken stopping)
    {
        if (parts.Spool.Segments.Count == 0)
        {
            return true; // not born yet: until its first record the spool has no id to land under
        }

        var began = parts.Time.GetTimestamp();
        var wasOfFiles = isTroubleOfFiles;
        isTroubleOfFiles = false;
        NoteOldest();
        if (!isPrepared)
        {
            await raw.PrepareAsync(stopping);
            isPrepared = true;
        }
        else if (failures > 0)
        {
            await raw.AskAsync(stopping);
        }

        for (var end = parts.Spool.End; state.Landed < end;)
        {
            if (!await raw.LandNextAsync(end, stopping))
            {
                break;
            }

            lock (gate)
            {
                lastLanded = UnixMillis.Now(parts.Time);
            }

            NoteOldest();
        }

        isTroubleOfFiles = wasOfFiles;
        if (!await LandFilesAsync(began, stopping))
        {
            return false;
        }

        coverage.Look();
        await tidy.RunIfDueAsync(stopping);
        return true;
    }

    // What was acknowledged since may be nowhere but on this disk: raw objects do not wait for a block, which may take hours. Returns whether all files have landed.
    private async Task<bool> LandFilesAsync(long began, CancellationToken stopping)
    {
        filesLanding ??= Task.Run(() => LandAllFilesAsync(stopping), stopping);
        var left = parts.Interval() - parts.Time.GetElapsedTime(began);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var rawIsDue = Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, parts.Time, waiting.Token);
        if (await Task.WhenAny(filesLanding, rawIsDue) != filesLanding)
        {
            await rawIsDue;
            return false;
        }

        await waiting.CancelAsync();
        var landing = filesLanding;
        (filesLanding, isTroubleOfFiles) = (null, true);
        await landing;
        isTroubleOfFiles = false;
        return true;
    }

    // A log file that cannot be put holds up no block, and neither what people changed.
    private async Task LandAllFilesAsync(CancellationToken stopping)
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var landNextAsync in (Func<CancellationToken, Task<bool>>[])[LandChangesAsync, logs.LandNextAsync, blocks.LandNextAsync])
        {
            try
            {
                while (await landNextAsync(stopping))
                {
                    // The next one.
                }
            }
            catch (IOException e)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        failure?.Throw();
    }

    private Task<bool> LandChangesAsync(CancellationToken stopping) => changes?.LandNextAsync(stopping) ?? Task.FromResult(false);

    private void NoteOldest()
    {
        var oldest = FirstReceived();
        lock (gate)
        {
            oldestWaiting = oldest;
        }
    }

    private UnixMillis? FirstReceived()
    {
        foreach (var record in parts.Spool.Read(state.BehindHole(state.Landed)))
        {
            if (!record.IsPreamble)
            {
                return RawGroup.ReceivedAt(record.Payload.Span);
            }
        }

        return null;
    }

    private long PendingBytes(JournalPosition landed) =>
        parts.Spool.Segments.Where(segment => segment.Number >= landed.Segment).Sum(segment => segment.Number == landed.Segment ? Math.Max(0, segment.SizeBytes - landed.Offset) : segment.SizeBytes);

    private void BeginTrouble(string reason)
    {
        metrics.Failed();
        if (failures++ == 0)
        {
            LandingLog.TroubleBegan(parts.Logger, reason);
        }

        lock (gate)
        {
            trouble = reason;
        }
    }

    private void EndTrouble()
    {
        if (failures > 0)
        {
            LandingLog.TroubleEnded(parts.Logger, failures);
        }

        failures = 0;
        lock (gate)
        {
            trouble = null;
        }
    }
}
