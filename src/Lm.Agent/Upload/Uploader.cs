using Lm.Agent.Queue;
using Lm.Journal;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Upload;

/// <summary>Sends what the queue holds: the newest batch first, then the backlog, oldest first, behind live ones at a bounded rate.</summary>
/// <remarks>
/// Invariants:
/// a batch leaves the queue only by the collector's word about it, or into <c>rejected/</c>;
/// one batch that cannot be taken holds back no other;
/// a failure that says nothing about a batch moves nothing.
/// One loop at a time: <see cref="RunAsync"/>, or <see cref="DrainAsync"/> once it has ended.
/// </remarks>
internal sealed class Uploader : IDisposable
{
    /// <summary>Frames of one request of the backlog.</summary>
    public const int FramesPerRequestMax = 64;

    /// <summary>Bytes of one request of the backlog: it is held in memory, and what a lost answer costs to send again.</summary>
    public const int RequestBytesMax = 256 << 10;

    /// <summary>The pause after a request of the backlog: at most 20 of them a second behind live batches, so that a month of heartbeats drains in minutes and the collector breathes.</summary>
    public static readonly TimeSpan BacklogPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ParkedMin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ParkedMax = TimeSpan.FromHours(1);

    private readonly DiskQueue queue;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Func<double> random;
    private readonly ParkedBatches parked;
    private readonly Backoff backoff;
    private readonly TroubleLog trouble;
    private readonly ClockSkew skew;
    private readonly AsyncSignal work = new();
    private readonly AsyncSignal reload = new();
    private readonly Lock gate = new(); // guards endpoint and replaced
    private UploadEndpoint endpoint;
    private bool isReplaced;
    private JournalPosition cursor; // every batch before it is done with, parked, or newer than it was when read
    private int singles; // so many requests of the backlog carry one frame, to find the one that does not fit
    private bool hasForked; // since the collector took something
    private bool leavesOut;
    private long? freshSince; // nothing but new batches was sent since
    private volatile Limits? limits;

    public Uploader(DiskQueue queue, UploadEndpoint endpoint, TimeProvider time, ILogger logger, Func<double> random)
    {
        (this.queue, this.endpoint, this.time, this.logger, this.random) = (queue, endpoint, time, logger, random);
        parked = new ParkedBatches(queue);
        backoff = new Backoff(random);
        trouble = new TroubleLog(queue, time, logger);
        skew = new ClockSkew(logger);
    }

    /// <summary>Batches refused for good since the start.</summary>
    public long RefusedCount { get; private set; }

    /// <summary>Batches that the collector took since the start.</summary>
    public long TakenCount { get; private set; }

    /// <summary>The last failure's reason; empty when the last request went well.</summary>
    public string LastFailure => trouble.Reason;

    /// <summary>The collector's limits as it announced them last; null before it did.</summary>
    public Limits? AnnouncedLimits => limits;

    /// <summary>The collector's clock less this host's, as of the last answer; null before that.</summary>
    public TimeSpan? Skew => skew.Value;

    /// <summary>There is a new batch.</summary>
    public void Wake() => work.Set();

    /// <summary>From the next request on, sends with other settings; ends a wait that the old ones brought.</summary>
    public void Replace(UploadEndpoint replacement)
    {
        UploadEndpoint old;
        lock (gate)
        {
            (old, endpoint) = (endpoint, replacement);
            isReplaced = true;
        }

        old.Retire();
        reload.Set();
        work.Set();
    }

    /// <summary>Sends until <paramref name="stopping"/>.</summary>
    /// <param name="stopping">Ends waits; a request under way goes on.</param>
    /// <param name="abort">Ends a request under way, too.</param>
    public async Task RunAsync(CancellationToken stopping, CancellationToken abort)
    {
        while (!stopping.IsCancellationRequested)
        {
            var step = await StepAsync(abort);
            await PauseAsync(step, stopping);
        }
    }

    /// <summary>Sends what can be sent now, then returns.</summary>
    /// <param name="attemptsMax">Failures in a row after which it gives up.</param>
    /// <param name="progress">Called after each request.</param>
    /// <param name="cancellationToken">Ends it at once; what was not acknowledged stays queued.</param>
    public async Task DrainAsync(int attemptsMax, Action progress, CancellationToken cancellationToken)
    {
        backoff.Reset();
        while (true)
        {
            var step = await StepAsync(cancellationToken);
            progress();
            if (step.Kind == StepKind.Idle || step.Failure == FailureKind.SetUp
                || (step.Kind == StepKind.Failed && backoff.Attempts >= attemptsMax))
            {
                return;
            }

            if (step.Kind == StepKind.Failed)
            {
                await Task.Delay(step.Delay, time, cancellationToken);
            }
        }
    }

    public void Dispose()
    {
        work.Dispose();
        reload.Dispose();
        endpoint.Retire();
    }

    private async Task PauseAsync(Step step, CancellationToken stopping)
    {
        try
        {
            switch (step.Kind)
            {
                case StepKind.Failed:
                    // New batches do not shorten it: that would be no backoff at all.
                    await reload.WaitAsync(step.Delay, time, stopping);
                    break;
                case StepKind.SentBacklog:
                    await work.WaitAsync(BacklogPause, time, stopping);
                    break;
                case StepKind.Idle when parked.DueAt is { } due:
                    await work.WaitAsync(DelayUntil(due), time, stopping);
                    break;
                case StepKind.Idle:
                    await work.WaitAsync(stopping);
                    break;
                default:
                    break;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The loop's condition ends it.
        }
    }

    /// <summary>One request at most: the newest batch, else a parked one whose time has come, else the backlog.</summary>
    private async Task<Step> StepAsync(CancellationToken cancellationToken)
    {
        try
        {
            TakeReplacement();
            if (queue.NeedsMigration && !await queue.MigrateAsync(cancellationToken) && queue.TakeNewest() is null)
            {
                return Step.FailedFor(FailureKind.Passing, backoff.Next(Backoff.PassingMax, null));
            }

            // Log lines can bring new batches faster than they are sent one by one: the backlog keeps its bounded rate beside them.
            var isBacklogDue = freshSince is { } since && time.GetElapsedTime(since) >= BacklogPause;
            if (!isBacklogDue && queue.TakeNewest() is { } fresh)
            {
                var sent = await SendFreshAsync(fresh, cancellationToken);
                freshSince = sent.Kind == StepKind.Sent ? freshSince ?? time.GetTimestamp() : null;
                return sent;
            }

            freshSince = null;
            if (parked.FindDue(time.GetTimestamp()) is { } range)
            {
                return await ProbeAsync(range, cancellationToken);
            }

            var step = await SendBacklogAsync(cancellationToken);
            return step.Kind == StepKind.Idle && isBacklogDue ? Step.Sent : step;
        }
        catch (FileSystemException failure)
        {
            UploadLog.QueueFails(logger, failure.Message);
            return Step.FailedFor(FailureKind.Passing, backoff.Next(Backoff.PassingMax, null));
        }
    }

    private async Task<Step> SendFreshAsync(QueuedBatch batch, CancellationToken cancellationToken)
    {
        var step = await SendAsync([batch], cancellationToken);
        if (cursor == batch.Position && !queue.IsWaiting(batch.Number))
        {
            cursor = batch.Next; // saves reading it only to pass over it
        }

        return step;
    }

    private async Task<Step> SendBacklogAsync(CancellationToken cancellationToken)
    {
        var batches = queue.Read(cursor, singles > 0 ? 1 : FramesPerRequestMax, RequestBytes, parked.Contains, out var next);
        if (batches.Count == 0)
        {
            cursor = next;
            return Step.Idle;
        }

        singles = Math.Max(0, singles - 1);
        var step = await SendAsync(batches, cancellationToken);
        if (step.HasForked)
        {
            return step;
        }

        // Batches that this answer left waiting are read again; nothing else of the stretch is.
        var left = batches.Find(batch => queue.IsWaiting(batch.Number) && !parked.Contains(batch.Number));
        cursor = left?.Position ?? next;
        return step.Kind == StepKind.Sent ? Step.SentBacklog : step;
    }

    private async Task<Step> ProbeAsync(ParkedRange range, CancellationToken cancellationToken)
    {
        var batches = queue.Read(range.Position, 1, 0, number => !range.Contains(number), out _);
        if (batches.Count == 0)
        {
            parked.Release(range);
            return Step.Sent;
        }

        var taken = TakenCount;
        var step = await SendAsync(batches, cancellationToken);
        if (TakenCount > taken && !step.HasForked)
        {
            UploadLog.Unparked(logger, range.Code);
            parked.Release(range);
            cursor = range.Position < cursor ? range.Position : cursor;
        }

        return step;
    }

    // Never a request that the collector's limit on bodies forbids.
    private long RequestBytes => Math.Min(RequestBytesMax, limits?.BodyBytesMax ?? RequestBytesMax);

    private async Task<Step> SendAsync(List<QueuedBatch> batches, CancellationToken cancellationToken)
    {
        UploadEndpoint target;
        lock (gate)
        {
            target = endpoint;
        }

        var request = new UploadRequest(target.AgentId, batches, queue.Status(), UnixMillis.Now(time));
        var began = time.GetTimestamp();
        switch (await target.SendAsync(request, cancellationToken))
        {
            case UploadAnswer.Acknowledged(var ack):
                skew.Note(request.SentAt, ack.CollectorTime, time.GetElapsedTime(began));
                return await TakeAckAsync(target, batches, ack, cancellationToken);
            case UploadAnswer.Refused refused:
                return await TakeRefusalAsync(target, batches, refused, cancellationToken);
            case UploadAnswer.Failed failed:
                // Something on the way may take no request of this size and say so by closing: one by one finds what passes.
                singles = batches.Count > 1 ? batches.Count : singles;
                return Fail(target, FailureKind.Passing, failed.Reason, null, failed.NeedsPerson);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<Step> TakeAckAsync(UploadEndpoint target, List<QueuedBatch> batches, IngestAck ack, CancellationToken cancellationToken)
    {
        NoteLimits(target, ack.Limits);
        NoteLeftOut(target, ack);
        var step = Step.Sent;
        foreach (var batch in batches)
        {
            var answer = ack.Frames.FirstOrDefault(frame => frame.Sequences.Start == batch.Number.Sequence);
            if (answer is { Outcome: FrameOutcome.Accepted or FrameOutcome.Duplicate })
            {
                queue.Acknowledge(batch.Number);
                TakenCount++;
                hasForked = false;
                continue;
            }

            var refusal = answer is { Outcome: FrameOutcome.Refused }
                ? new UploadAnswer.Refused(answer.Status, answer.Code, answer.Detail, null)
                : new UploadAnswer.Refused(502, "", "the answer says nothing about this batch", null);
            var failed = await TakeBatchRefusalAsync(target, batch, refusal, cancellationToken);
            if (failed.HasForked)
            {
                return failed;
            }

            step = failed.Kind == StepKind.Failed ? failed : step;
        }

        if (step.Kind != StepKind.Failed)
        {
            Succeed(target);
        }

        return step;
    }

    private async Task<Step> TakeRefusalAsync(
        UploadEndpoint target, List<QueuedBatch> batches, UploadAnswer.Refused refused, CancellationToken cancellationToken)
    {
        var kind = Failure.KindOf(refused.Status, refused.Code);
        if (batches.Count > 1 && kind is FailureKind.Parked or FailureKind.Refused)
        {
            // The answer is about the first frame, or about all together: one by one tells.
            singles = batches.Count;
            return Step.Sent;
        }

        return await TakeBatchRefusalAsync(target, batches[0], refused, cancellationToken);
    }

    private async Task<Step> TakeBatchRefusalAsync(
        UploadEndpoint target, QueuedBatch batch, UploadAnswer.Refused refused, CancellationToken cancellationToken)
    {
        var kind = Failure.KindOf(refused.Status, refused.Code);
        switch (kind)
        {
            case FailureKind.Parked:
                Park(batch, refused);
                Succeed(target);
                return Step.Sent;
            case FailureKind.Refused:
                Succeed(target);
                return Reject(target, batch, refused);
            case FailureKind.Fork when !hasForked:
                return await ForkAsync(target, batch, refused, cancellationToken);
            default:
                // A second fork in a row cannot be: the new id is random. Whoever answers so is out of order.
                return Fail(target, kind == FailureKind.SetUp ? kind : FailureKind.Passing, Describe(refused), refused.RetryAfter);
        }
    }

    private Step Reject(UploadEndpoint target, QueuedBatch batch, UploadAnswer.Refused refused)
    {
        if (!queue.TryReject(batch, refused.Code, refused.Detail))
        {
            return Fail(target, FailureKind.Passing, $"batch {batch.Number.Sequence} is refused and could not be set aside", null);
        }

        RefusedCount++;
        return Step.Sent;
    }

    private async Task<Step> ForkAsync(UploadEndpoint target, QueuedBatch batch, UploadAnswer.Refused refused, CancellationToken cancellationToken)
    {
        if (!await queue.ForkAsync($"the collector has another batch {batch.Number.Sequence}: {refused.Code}", cancellationToken))
        {
            return Fail(target, FailureKind.Passing, "the queue needs a new id, which could not be stored", null);
        }

        hasForked = true;
        parked.Clear();
        cursor = default;
        return Step.Forked;
    }

    private void Park(QueuedBatch batch, UploadAnswer.Refused refused)
    {
        var now = time.GetTimestamp();
        var range = parked.FindDue(now);
        var isProbe = range is not null && range.Contains(batch.Number);
        var attempts = isProbe ? ++range!.Attempts : 0;
        var ceiling = Min(ParkedMax, ParkedMin * Math.Pow(2, Math.Min(attempts, 6)));
        var delay = refused.RetryAfter is { } asked ? Min(ParkedMax, asked) : ceiling / 2;
        delay += ceiling / 2 * random();
        var due = now + (long)(delay.TotalSeconds * time.TimestampFrequency);
        if (isProbe)
        {
            range!.DueAt = due;
            return;
        }

        var before = parked.Count;
        parked.Park(batch, refused.Code, due);
        if (parked.Count > before && logger.IsEnabled(LogLevel.Warning))
        {
            UploadLog.Parked(logger, batch.Number.Sequence, CodeOf(refused), refused.Detail, (long)delay.TotalMilliseconds);
        }
    }

    private Step Fail(UploadEndpoint target, FailureKind kind, string reason, TimeSpan? retryAfter, bool needsPerson = false)
    {
        trouble.Begin(kind, needsPerson, target.Url, reason);
        return Step.FailedFor(kind, backoff.Next(kind == FailureKind.SetUp ? Backoff.SetUpMax : Backoff.PassingMax, retryAfter));
    }

    private void Succeed(UploadEndpoint target)
    {
        backoff.Reset();
        trouble.End(target.Url);
    }

    private void NoteLimits(UploadEndpoint target, Limits told)
    {
        var announced = told.AtLeastFloors();
        if (announced == limits)
        {
            return;
        }

        if (limits is not null)
        {
            parked.MakeAllDue(time.GetTimestamp());
        }

        limits = announced;
        LimitsComparison.Report(target.Settings, announced, logger);
    }

    private void NoteLeftOut(UploadEndpoint target, IngestAck ack)
    {
        var (tooOld, overLimit) = (ack.Frames.Sum(frame => frame.DroppedTooOld), ack.Frames.Sum(frame => frame.DroppedOverLimit));
        if (tooOld + overLimit > 0 && !leavesOut)
        {
            var detail = ack.Frames.FirstOrDefault(frame => frame.DroppedTooOld + frame.DroppedOverLimit > 0)?.Detail ?? "";
            UploadLog.RecordsLeftOut(logger, target.Url, tooOld, overLimit, detail);
        }

        leavesOut = tooOld + overLimit > 0;
    }

    /// <summary>New settings may cure whatever it was: everything is tried at once.</summary>
    private void TakeReplacement()
    {
        lock (gate)
        {
            if (!isReplaced)
            {
                return;
            }

            isReplaced = false;
        }

        limits = null;
        backoff.Reset();
        parked.MakeAllDue(time.GetTimestamp());
    }

    private TimeSpan DelayUntil(long timestamp)
    {
        var delay = time.GetElapsedTime(time.GetTimestamp(), timestamp);
        return delay > TimeSpan.FromMilliseconds(1) ? delay : TimeSpan.FromMilliseconds(1);
    }

    private static string Describe(UploadAnswer.Refused refused) =>
        refused.Detail.Length > 0 ? $"{refused.Status} {CodeOf(refused)}: {refused.Detail}" : $"{refused.Status} {CodeOf(refused)}.";

    private static string CodeOf(UploadAnswer.Refused refused) => refused.Code.Length > 0 ? refused.Code : "without a code";

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
