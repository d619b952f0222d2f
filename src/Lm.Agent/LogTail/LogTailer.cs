using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.LogTail;

/// <summary>Follows all log files and puts their lines into the queue, with the offsets behind them.</summary>
/// <remarks>
/// Invariants:
/// lines and their offsets are stored by one append, or not at all: after a crash reading goes on behind the last line that is in the queue (A10);
/// nothing is read that could not be stored: while the queue takes no lines, or cannot write, they stay in their files;
/// the files of one path are read in the order in which they had its name, each up to where it ended after the younger ones were measured, so that no line
/// comes before one that was written earlier.
/// One loop at a time: <see cref="RunAsync"/>, or <see cref="RoundAsync"/> by whoever has no loop.
/// </remarks>
internal sealed class LogTailer : IDisposable
{
    private const int WindowBytes = 64 << 10;

    // A round gives each file its turn.
    private const long BytesPerTurn = 4 << 20;

    // The shortest time between two batches that are not full: the first line goes at once, those of the next half second together.
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    // Programs write to a file for a while after it was renamed, until they are told.
    private static readonly TimeSpan GraceOfDetached = TimeSpan.FromSeconds(60);

    private readonly DiskQueue queue;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Func<Limits?> announced;
    private readonly Action appended;
    private readonly AsyncSignal wake = new();
    private readonly TailWatch watch;
    private readonly LogBatch batch = new();
    private readonly LineFacts facts = new();
    private readonly IReadOnlyList<IRecordSource> sources;
    private readonly HashSet<string> held = new(StringComparer.Ordinal); // paths of which an older file has more to read
    private byte[] window = [];
    private List<TailSet> sets = [];
    private volatile InputCounters[] counters = [];
    private AgentSettings settings;
    private volatile AgentSettings? replacement;
    private long? lookedAt;
    private long? waitingSince;

    /// <param name="queue">Takes the batches, and knows the offsets.</param>
    /// <param name="settings">The inputs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where events go.</param>
    /// <param name="announced">The collector's limits; null before it answered.</param>
    /// <param name="appended">Called when there is a new batch.</param>
    /// <param name="sources">What records come from beside files; disposed of with this.</param>
    public LogTailer(
        DiskQueue queue, AgentSettings settings, TimeProvider time, ILogger logger, Func<Limits?> announced, Action appended, params IReadOnlyList<IRecordSource> sources)
    {
        this.sources = sources;
        foreach (var source in sources)
        {
            source.Changed = wake.Set;
        }

        (this.queue, this.settings, this.time, this.logger, this.announced, this.appended) = (queue, settings, time, logger, announced, appended);
        watch = new TailWatch(wake);
        Apply(settings);
    }

    /// <summary>What became of each input's lines.</summary>
    public IReadOnlyList<InputCounters> Counters => counters;

    /// <summary>From the next round on, follows other inputs; files that are followed already go on. Waits while what was read cannot be stored.</summary>
    public void Replace(AgentSettings next)
    {
        replacement = next;
        wake.Set();
    }

    /// <summary>The next round looks which files there are, whatever the watches say.</summary>
    public void LookAgain() => lookedAt = null;

    /// <summary>Follows until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                var outcome = await RoundAsync(stopping);
                if (outcome == RoundOutcome.More)
                {
                    continue;
                }

                await Task.Delay(Linger, time, stopping);
                watch.Arm();
                await wake.WaitAsync(NextLook(outcome), time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was read and not stored is in its file.
        }
    }

    /// <summary>Stores what one source has, whatever else there is to read: the last words of an agent that stops.</summary>
    /// <returns>False when it could not be stored.</returns>
    public async Task<bool> StoreLastAsync(IRecordSource source)
    {
        // Not cancellable: it is one small append, and nobody else has these records.
        if (!batch.IsEmpty && !await StoreAsync(CancellationToken.None))
        {
            return false;
        }

        BeginBatch();
        if (batch.Limits.RecordsMax == 0)
        {
            return false;
        }

        while (await source.FillAsync(batch, CancellationToken.None) != FillOutcome.Empty)
        {
            if (!await StoreAsync(CancellationToken.None))
            {
                return false;
            }
        }

        return batch.IsEmpty || await StoreAsync(CancellationToken.None);
    }

    /// <summary>Looks at every file once, and stores what is new.</summary>
    public async Task<RoundOutcome> RoundAsync(CancellationToken cancellationToken)
    {
        // Before other inputs take the place of those that the batch has lines of: they read on from what the queue knows.
        var isLeft = !batch.IsEmpty || (replacement is not null && batch.HasTails);
        if (isLeft && !await StoreAsync(cancellationToken))
        {
            LookAround(); // files that are renamed meanwhile stay open
            Sight();
            return RoundOutcome.Waiting;
        }

        TakeReplacement();
        BeginBatch();
        LookAround();
        if (!TellWaiting(batch.Limits.RecordsMax == 0 ? "the collector takes no log records (ingest.max_logs_per_batch)"
            : queue.TakesLogs ? "" : "seven tenths of max_queue_bytes wait to be uploaded"))
        {
            Sight();
            return batch.IsUrgent && !await StoreAsync(cancellationToken) ? RoundOutcome.Waiting : RoundOutcome.Full;
        }

        Measure();
        var outcome = await ReadAllAsync(cancellationToken);
        window = outcome == RoundOutcome.More ? window : [];
        if ((!batch.IsEmpty || batch.IsUrgent) && !await StoreAsync(cancellationToken))
        {
            return RoundOutcome.Waiting;
        }

        sets.ForEach(set => set.Count());
        return outcome;
    }

    public void Dispose()
    {
        foreach (var source in sources)
        {
            source.Dispose(); // before the signal that they set
        }

        watch.Dispose();
        sets.ForEach(set => set.Dispose());
        wake.Dispose();
    }

    private async Task<RoundOutcome> ReadAllAsync(CancellationToken cancellationToken)
    {
        var outcome = RoundOutcome.Done;
        foreach (var source in sources)
        {
            var ended = await ReadSourceAsync(source, cancellationToken);
            if (ended is RoundOutcome.Waiting or RoundOutcome.Full)
            {
                return ended;
            }

            outcome = ended == RoundOutcome.More ? ended : outcome;
        }

        held.Clear();
        foreach (var set in sets)
        {
            foreach (var tail in set.Tails.ToArray())
            {
                if (!held.Contains(tail.Path))
                {
                    var ended = await ReadOneAsync(set, tail, cancellationToken);
                    if (ended is RoundOutcome.Waiting or RoundOutcome.Full)
                    {
                        return ended;
                    }

                    outcome = ended == RoundOutcome.More ? ended : outcome;
                }
                else
                {
                    outcome = RoundOutcome.More;
                }
            }

            held.Clear(); // a path of another input is another story
        }

        return outcome;
    }

    private async Task<RoundOutcome> ReadSourceAsync(IRecordSource source, CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (await source.FillAsync(batch, cancellationToken))
            {
                case FillOutcome.Empty:
                    return RoundOutcome.Done;
                case FillOutcome.More:
                    return RoundOutcome.More;
                default:
                    break;
            }

            if (!await StoreAsync(cancellationToken))
            {
                return RoundOutcome.Waiting;
            }

            if (!queue.TakesLogs)
            {
                return RoundOutcome.Full;
            }
        }
    }

    private async Task<RoundOutcome> ReadOneAsync(TailSet set, FileTail tail, CancellationToken cancellationToken)
    {
        var isLast = IsQuiet(tail);
        if (tail.Limit - tail.SeenUpTo > BytesPerTurn)
        {
            tail.Limit = tail.SeenUpTo + BytesPerTurn; // a line may be longer than a turn: it goes on where the last one ended
            isLast = false;
            held.Add(tail.Path);
        }

        var closesGroups = isLast || (tail.Input.MultilineStart is not null && !held.Contains(tail.Path) && HasWaited(tail, tail.Input.MultilineTimeout));
        while (true)
        {
            window = window.Length == 0 ? GC.AllocateUninitializedArray<byte>(WindowBytes) : window;
            switch (tail.Position < tail.Limit ? tail.Read(batch, window, facts, isLast, closesGroups) : TailStep.AtLimit)
            {
                case TailStep.BatchFull:
                    if (!await StoreAsync(cancellationToken))
                    {
                        return RoundOutcome.Waiting;
                    }

                    if (!queue.TakesLogs)
                    {
                        return RoundOutcome.Full;
                    }

                    continue;
                case TailStep.Truncated:
                    NoteOf(tail);
                    set.Restart(tail, batch, Begun);
                    held.Add(tail.Path); // what it holds now was written before what has its name by now
                    return RoundOutcome.More;
                case TailStep.NotText:
                    watch.Unwatch(tail, AllTails);
                    set.PassOver(tail, batch);
                    return RoundOutcome.Done;
                default:
                    NoteOf(tail);
                    if (isLast && tail.Position >= tail.SizeBytes)
                    {
                        watch.Unwatch(tail, AllTails);
                        set.LetGo(tail, batch);
                    }

                    return held.Contains(tail.Path) ? RoundOutcome.More : RoundOutcome.Done;
            }
        }
    }

    private IEnumerable<FileTail> AllTails => sets.SelectMany(set => set.Tails);

    /// <summary>Stores the batch with the offsets of every file that it has lines of.</summary>
    private async Task<bool> StoreAsync(CancellationToken cancellationToken)
    {
        foreach (var tail in AllTails)
        {
            NoteOf(tail);
        }

        // An append that has begun is not stopped, and its outcome is waited for: only then is it known where to read on.
        var isStored = batch.IsEmpty
            ? !batch.HasTails || await queue.SaveTailsAsync(batch.Tails, cancellationToken)
            : await queue.AppendLogsAsync(batch.Encoder, batch.ReadAt, batch.Tails, cancellationToken);
        if (!isStored)
        {
            TellWaiting("the queue cannot be written");
            return false;
        }

        if (!batch.IsEmpty)
        {
            appended();
        }

        batch.MarkStored();
        BeginBatch();
        return true;
    }

    private void NoteOf(FileTail tail)
    {
        if (tail.TakeMoved())
        {
            batch.Note(tail.Offset);
        }
    }

    private void BeginBatch() => batch.Begin(
        LogLimits.Of(settings.LogsPerBatchMax, settings.LogMessageBytesMax, announced(), queue.FrameBytesMax),
        UnixMillis.Now(time), (int)settings.Interval.TotalMilliseconds, settings.Labels);

    private void LookAround()
    {
        var now = time.GetTimestamp();
        var interval = watch.IsComplete ? LookInterval : PollInterval;
        if (!watch.TakeNewNames() && lookedAt is { } at && time.GetElapsedTime(at, now) < interval)
        {
            return;
        }

        lookedAt = now;
        var wasComplete = watch.IsComplete;
        var directories = new HashSet<string>(StringComparer.Ordinal);
        var room = new TailRoom(queue.TailBytesMax, sets);
        foreach (var set in sets)
        {
            set.Discover(batch, room, directories, Begun);
        }

        foreach (var tail in AllTails)
        {
            if (tail.RealDirectory is { } real)
            {
                directories.Add(real);
            }
        }

        watch.WatchDirectories(directories);
        foreach (var tail in AllTails.Where(tail => tail.Watch < 0))
        {
            watch.Watch(tail);
        }

        if (wasComplete && !watch.IsComplete)
        {
            LogTailLog.Polling(logger);
        }
    }

    private void Begun(FileTail tail) => watch.Watch(tail);

    /// <summary>The youngest first: what an older file of the same path holds by the time it is measured was written before what lies beyond the younger one's
    /// measure.</summary>
    private void Measure()
    {
        var now = time.GetTimestamp();
        foreach (var set in sets)
        {
            for (var i = set.Tails.Count - 1; i >= 0; i--)
            {
                var tail = set.Tails[i];
                if (!tail.Measure(now))
                {
                    set.Restart(tail, batch, Begun);
                    tail.Measure(now);
                }

                if (tail.Position == 0 && tail.Limit > 0 && tail.Peek())
                {
                    set.AdoptCopies(tail, batch, Begun);
                }

                i = set.IndexOf(tail); // what was put before it is older, and measured next
            }
        }
    }

    private void Sight()
    {
        var now = time.GetTimestamp();
        sets.ForEach(set => set.Sight(now));
    }

    private bool IsQuiet(FileTail tail) => tail.IsDetached && HasWaited(tail, GraceOfDetached);

    private bool HasWaited(FileTail tail, TimeSpan span) => time.GetElapsedTime(tail.GrewAt) >= span;

    private TimeSpan NextLook(RoundOutcome outcome)
    {
        if (outcome is RoundOutcome.Waiting or RoundOutcome.Full || !watch.IsComplete)
        {
            return PollInterval;
        }

        // Records of several lines are complete when nothing follows for a while.
        var next = LookInterval;
        foreach (var tail in AllTails)
        {
            if (tail.Input.MultilineStart is not null && tail.Position < tail.SizeBytes && tail.Input.MultilineTimeout < next)
            {
                next = tail.Input.MultilineTimeout;
            }
        }

        return next;
    }

    /// <summary>Tells once when lines begin to wait in their files, and once when they are read again.</summary>
    /// <returns>Whether nothing is in their way.</returns>
    private bool TellWaiting(string reason)
    {
        if (reason.Length > 0 && waitingSince is null && settings.LogInputs.Count > 0)
        {
            LogTailLog.Waiting(logger, reason);
            waitingSince = time.GetTimestamp();
        }
        else if (reason.Length == 0 && waitingSince is { } since)
        {
            var durationMs = (long)time.GetElapsedTime(since).TotalMilliseconds;
            LogTailLog.WaitingEnded(logger, durationMs);
            waitingSince = null;
        }

        return reason.Length == 0;
    }

    private void TakeReplacement()
    {
        if (replacement is { } next)
        {
            replacement = null;
            Apply(next);
        }
    }

    private void Apply(AgentSettings next)
    {
        settings = next;
        var offsets = queue.TailOffsets;
        var old = sets;
        sets = [];
        foreach (var input in next.LogInputs.Where(input => !input.IsJournal))
        {
            if (old.Find(set => set.Input.IsSameSource(input)) is { } kept)
            {
                kept.Replace(input);
                sets.Add(kept);
                continue;
            }

            var set = new TailSet(input, new InputCounters(input.Name), time, logger);
            set.Restore(offsets);
            sets.Add(set);
        }

        foreach (var gone in old.Except(sets))
        {
            foreach (var tail in gone.Tails)
            {
                watch.Unwatch(tail, AllTails);
            }

            gone.Dispose();
        }

        foreach (var offset in offsets.Where(offset => next.LogInputs.All(input => input.Name != offset.Input)))
        {
            batch.Note(offset with { IsRemoved = true });
        }

        foreach (var source in sources)
        {
            source.Apply(next, offsets);
        }

        counters = [.. sets.Select(set => set.Counters), .. sources.SelectMany(source => source.Counters)];
        lookedAt = null;
    }
}

/// <summary>How a round ended.</summary>
internal enum RoundOutcome
{
    /// <summary>Everything was read.</summary>
    Done,

    /// <summary>There is more: go on at once.</summary>
    More,

    /// <summary>The queue takes no lines until it was uploaded.</summary>
    Full,

    /// <summary>The queue could not be written.</summary>
    Waiting,
}
