using System.Globalization;
using System.Text;
using Lm.Agent.Batching;
using Lm.Agent.Containers;
using Lm.Agent.Events;
using Lm.Agent.Exposition;
using Lm.Agent.Gathering;
using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.LogTail;
using Lm.Agent.Programs;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.SystemdJournal;
using Lm.Agent.Upload;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.Protocol.Framing;
using Microsoft.Extensions.Logging;

namespace Lm.Agent;

/// <summary>Builds every part, starts them, stops them in order; one method a mode.</summary>
/// <param name="configPath">The configuration as the operator named it.</param>
/// <param name="settings">What it says.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where events go.</param>
internal sealed class AgentHost(string configPath, AgentSettings settings, TimeProvider time, ILogger logger)
{
    // Failures in a row after which --once and --flush leave the rest queued: long enough for a collector's restart, short enough for cron.
    private const int DrainAttemptsMax = 4;

    private static readonly MetricDescriptor ClockSkewMetric = new("lmagent_clock_skew_seconds", MetricType.Gauge, "seconds",
        "How far the collector's clock is ahead of this host's, as of its last answer; 0 within what the time of the answer leaves uncertain.");

    private readonly MemoryTrimmer memory = new();

    /// <summary><c>lm-agent CONFIG</c>: collects once and writes what would be sent; opens no queue, uploads nothing.</summary>
    public int Check(Stream output)
    {
        TellConfiguration();
        ExpositionWriter? printed = null;
        var builder = NewBatchBuilder();
        builder.Build(settings, default, UnixMillis.Now(time), sink => printed = new ExpositionWriter(sink, settings.Labels));
        var (seriesCount, payloadBytes, framedBytes) = (0, 0L, 0L);
        foreach (var batch in builder.Batches)
        {
            var frame = batch.EncodeFrame(new BatchKey(settings.AgentId, default, new SequenceRange(1, 1)));
            FrameReader.TryReadHeader(frame.Span, new Limits().BatchBytesMax, out var header);
            (seriesCount, payloadBytes, framedBytes) = (seriesCount + batch.SeriesCount, payloadBytes + header.PayloadLength, framedBytes + frame.Length);
        }

        var batches = builder.Batches.Count == 1
            ? ""
            : $" in {builder.Batches.Count} batches: {Limits.SeriesPerBatchFloor} series each, until the collector has said what it takes";
        var summary = string.Create(
            CultureInfo.InvariantCulture,
            $"# agent {settings.AgentId} would send to {settings.IngestUrl}\n# series {seriesCount}, batch {payloadBytes} bytes, framed {framedBytes} bytes{batches}\n");
        output.Write(Encoding.UTF8.GetBytes(summary));
        Write(output, printed!, withMetadata: false);
        return ExitCode.Done;
    }

    /// <summary><c>--print-metrics</c>: one tick as Prometheus text.</summary>
    public async Task<int> PrintMetricsAsync(Stream output, CancellationToken stopping)
    {
        ExpositionWriter? printed = null;
        NewBatchBuilder().Build(settings, default, UnixMillis.Now(time), sink => printed = new ExpositionWriter(sink, settings.Labels));
        await using var hub = await GatherOnceAsync(new CommandRecords(), stopping);
        hub?.AddLast(printed!);
        Write(output, printed!, withMetadata: true);
        return ExitCode.Done;
    }

    private static void Write(Stream output, ExpositionWriter printed, bool withMetadata)
    {
        var text = new StringBuilder();
        printed.WriteTo(text, withMetadata);
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
        output.Flush();
    }

    /// <summary><c>--once</c>: one collect, queue, upload cycle.</summary>
    public async Task<int> OnceAsync(CancellationToken stopping)
    {
        TellConfiguration();
        await using var queue = await OpenQueueAsync(stopping);
        using var uploader = new Uploader(queue, NewEndpoint(settings), time, logger, Random.Shared.NextDouble);
        var journals = new JournalInputs(JournalOptions.OfThisHost(follows: false, (_, _) => { }), time, logger);
        var records = new CommandRecords();
        await using var hub = await GatherOnceAsync(records, stopping);
        using var tailer = NewTailer(queue, uploader, journals, records);
        var builder = NewBatchBuilder(uploader, (sink, seriesMax) => AddSeries(sink, tailer, journals, seriesMax));
        var collectedAt = UnixMillis.Now(time);
        var isStored = (await TickAsync(builder, queue, settings, collectedAt, null, stopping)).IsWhole;
        isStored &= hub is null || (await hub.AppendAsync(queue, settings, uploader.AnnouncedLimits, collectedAt, stopping)).IsWhole;
        var result = await TailAndUploadAsync(tailer, queue, uploader, stopping);
        return isStored || result != ExitCode.Done ? result : ExitCode.Fault;
    }

    /// <summary><c>--flush</c>: uploads what is queued, collects nothing.</summary>
    public async Task<int> FlushAsync(CancellationToken stopping)
    {
        await using var queue = await OpenQueueAsync(stopping);
        using var uploader = new Uploader(queue, NewEndpoint(settings), time, logger, Random.Shared.NextDouble);
        return await UploadAsync(queue, uploader, stopping);
    }

    /// <summary><c>--daemon</c>: cycles until <paramref name="stopping"/>, then one last flush.</summary>
    /// <param name="reload">Set on SIGHUP.</param>
    /// <param name="stopping">SIGTERM.</param>
    public async Task<int> DaemonAsync(AsyncSignal reload, CancellationToken stopping)
    {
        TellConfiguration();
        await using var queue = await OpenQueueAsync(stopping);
        using var uploader = new Uploader(queue, NewEndpoint(settings), time, logger, Random.Shared.NextDouble);
        using var abort = new CancellationTokenSource();
        using var current = new CurrentSettings(settings);
        var events = new AgentEvents(settings, time, logger);
        var journals = new JournalInputs(JournalOptions.OfThisHost(follows: true, events.LifeCycle.InputFailed), time, logger);
        var gather = new GatherControl(time, logger);
        using var tailer = NewTailer(queue, uploader, events.Source, journals, gather.Records);
        var builder = NewBatchBuilder(uploader, (sink, seriesMax) => AddDaemonSeries(sink, uploader, tailer, journals, events, gather, seriesMax), events.Processes);
        events.LifeCycle.Started();
        await gather.TakeAsync(settings);
        var uploading = uploader.RunAsync(stopping, abort.Token);
        var reloading = ReloadAsync(current, queue, uploader, tailer, events, gather, reload, stopping);
        var tailing = tailer.RunAsync(stopping);
        await CollectAsync(current, builder, queue, uploader, tailer, events, gather, stopping);
        await tailing;
        await reloading; // a reload under way would begin what nobody ends
        await gather.DisposeAsync();
        await gather.AppendAsync(queue, current.Value, uploader.AnnouncedLimits, UnixMillis.Now(time), CancellationToken.None);
        events.LifeCycle.Stopped();
        await tailer.StoreLastAsync(events.Source);
        await tailer.StoreLastAsync(gather.Records);

        var timeout = current.Value.ShutdownTimeout;
        AgentLog.Stopping(logger, (long)timeout.TotalMilliseconds);
        using var timer = time.CreateTimer(_ => abort.Cancel(), null, timeout, Timeout.InfiniteTimeSpan);
        await FlushAtStopAsync(uploader, uploading, abort.Token);
        var waiting = queue.WaitingCount;
        AgentLog.Stopped(logger, waiting);
        return ExitCode.Done;
    }

    private static async Task FlushAtStopAsync(Uploader uploader, Task uploading, CancellationToken abort)
    {
        try
        {
            await uploading;
            await uploader.DrainAsync(attemptsMax: 1, () => { }, abort);
        }
        catch (OperationCanceledException) when (abort.IsCancellationRequested)
        {
            // shutdown_timeout_ms is over: the rest stays queued.
        }
    }

    private async Task CollectAsync(
        CurrentSettings current,
        BatchBuilder builder,
        DiskQueue queue,
        Uploader uploader,
        LogTailer tailer,
        AgentEvents events,
        GatherControl gather,
        CancellationToken stopping)
    {
        var clock = new TickClock(time);
        var forecast = new QueueForecast(logger);
        var sources = settings.Sources; // the builder's
        while (!stopping.IsCancellationRequested)
        {
            var now = current.Value;
            if (now.Sources != sources)
            {
                sources = now.Sources;
                builder.Replace(NewSampler(now, events.Processes));
            }

            events.BeginTick(now);
            var collectedAt = UnixMillis.Now(time);
            var stored = await TickAsync(builder, queue, now, collectedAt, gather, CancellationToken.None);
            var gathered = await gather.AppendAsync(queue, now, uploader.AnnouncedLimits, collectedAt, CancellationToken.None);
            if (stored.IsWhole || gathered.Count > 0)
            {
                uploader.Wake();
            }

            forecast.Note(stored.IsWhole && gathered.IsWhole ? stored.Bytes + gathered.Bytes : 0, now);
            events.EndTick(UnixMillis.Now(time), queue.Counters, tailer.Counters);

            memory.AfterTick();
            if (await current.WaitAsync(clock.Next(now.Interval), time, stopping))
            {
                clock.Restart();
            }
        }
    }

    /// <returns>Whether all of the tick was stored, and how large it is in the queue.</returns>
    private static async Task<(bool IsWhole, long Bytes)> TickAsync(
        BatchBuilder builder, DiskQueue queue, AgentSettings now, UnixMillis collectedAt, GatherControl? gather, CancellationToken cancellationToken)
    {
        ISampleSink? seen = null;
        var reported = builder.Build(now, queue.Counters, collectedAt, gather is null ? null : sink => seen = gather.BeginTick(sink));
        if (seen is not null)
        {
            gather!.EndTick(seen);
        }

        var (isWhole, bytes) = (true, 0L);
        foreach (var batch in builder.Batches)
        {
            var stored = await queue.AppendAsync(batch, collectedAt, reported, cancellationToken);
            isWhole &= stored is not null;
            bytes += stored is null ? 0 : QueueForecast.BytesOf(stored);
            reported = default; // the alert records are in the first batch alone
        }

        return (isWhole, bytes);
    }

    private async Task<GatherHub?> GatherOnceAsync(CommandRecords records, CancellationToken stopping)
    {
        if (GatherHub.Create(settings.Gather, records, time, logger) is not { } hub)
        {
            return null;
        }

        foreach (var fault in await hub.RunOnceAsync(stopping))
        {
            AgentLog.TargetFailed(logger, fault);
        }

        return hub;
    }

    /// <summary>Reads what the log files hold now, and uploads; by turns where the queue does not take all at once.</summary>
    private async Task<int> TailAndUploadAsync(LogTailer tailer, DiskQueue queue, Uploader uploader, CancellationToken stopping)
    {
        while (true)
        {
            var outcome = RoundOutcome.More;
            try
            {
                while (outcome == RoundOutcome.More)
                {
                    outcome = await tailer.RoundAsync(stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // What was not stored is in its file.
            }

            var before = queue.WaitingCount;
            var result = await UploadAsync(queue, uploader, stopping);
            if (outcome != RoundOutcome.Full || result != ExitCode.Done || before == 0)
            {
                return result == ExitCode.Done && outcome == RoundOutcome.Waiting ? ExitCode.Fault : result;
            }
        }
    }

    private async Task<int> UploadAsync(DiskQueue queue, Uploader uploader, CancellationToken stopping)
    {
        var progress = new FlushProgress(queue, uploader, time, logger);
        try
        {
            await uploader.DrainAsync(DrainAttemptsMax, progress.Report, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was not acknowledged stays queued, and the exit code says so.
        }

        var waiting = queue.WaitingCount;
        var lastFailure = uploader.LastFailure.Length > 0 ? $"; last failure: {uploader.LastFailure}" : "";
        AgentLog.Drained(logger, uploader.TakenCount, waiting, uploader.RefusedCount, lastFailure);
        return uploader.RefusedCount > 0 ? ExitCode.Refused : waiting > 0 ? ExitCode.StaysQueued : ExitCode.Done;
    }

    private async Task ReloadAsync(
        CurrentSettings current,
        DiskQueue queue,
        Uploader uploader,
        LogTailer tailer,
        AgentEvents events,
        GatherControl gather,
        AsyncSignal reload,
        CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await reload.WaitAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }

            if (ReadAgain(current.Value, events) is { } next)
            {
                queue.SizeBytesMax = next.QueueBytesMax;
                uploader.Replace(NewEndpoint(next));
                tailer.Replace(next);
                current.Replace(next);
                await gather.TakeAsync(next);
                AgentLog.Reloaded(logger, configPath);
                events.LifeCycle.Reloaded();
            }
        }
    }

    private AgentSettings? ReadAgain(AgentSettings old, AgentEvents events)
    {
        var next = AgentSettingsReader.Read(configPath, time, out var faults);
        if (next is not null && (next.AgentId != old.AgentId || next.QueueDirectory != old.QueueDirectory))
        {
            faults = ["agent_id and queue_dir stay as they are until a restart"];
            next.Tls.Dispose();
            next = null;
        }

        if (next is null)
        {
            var all = string.Join("; ", faults);
            AgentLog.ReloadRefused(logger, configPath, all);
            events.LifeCycle.ReloadRefused(all);
        }

        return next;
    }

    private void TellConfiguration()
    {
        AgentLog.Started(logger, AgentVersion.Text, settings.AgentId, settings.IngestUrl, (long)settings.Interval.TotalMilliseconds);
        foreach (var (name, _) in settings.Labels)
        {
            if (name is "instance" or "job")
            {
                AgentLog.LabelIsRenamed(logger, name);
            }
        }
    }

    private BatchBuilder NewBatchBuilder() => new(NewSampler(settings), time);

    private BatchBuilder NewBatchBuilder(Uploader uploader, Action<ISampleSink, int> extraSeries, ProcessChanges? processes = null) =>
        new(NewSampler(settings, processes), time) { AnnouncedLimits = () => uploader.AnnouncedLimits, ExtraSeries = extraSeries };

    private static void AddDaemonSeries(
        ISampleSink sink, Uploader uploader, LogTailer tailer, JournalInputs journals, AgentEvents events, GatherControl gather, int seriesMax)
    {
        if (uploader.Skew is { } skew && seriesMax > 0)
        {
            sink.Add(ClockSkewMetric, [], skew.TotalSeconds);
            seriesMax--;
        }

        seriesMax -= gather.AddTo(sink, seriesMax);
        AddSeries(sink, tailer, journals, seriesMax - EventMetrics.AddTo(sink, events.Source, seriesMax));
    }

    private static void AddSeries(ISampleSink sink, LogTailer tailer, JournalInputs journals, int seriesMax) =>
        LogTailMetrics.AddTo(sink, tailer.Counters, seriesMax - JournalMetrics.AddTo(sink, journals, seriesMax));

    private HostSampler NewSampler(AgentSettings from, ProcessChanges? processes = null) =>
        HostSources.OfThisHost(from.Sources, from.QueueDirectory, time, logger, processes, ContainerSocket.Create(from.Sources, time, logger));

    private LogTailer NewTailer(DiskQueue queue, Uploader uploader, params IReadOnlyList<IRecordSource> sources) =>
        new(queue, settings, time, logger, () => uploader.AnnouncedLimits, uploader.Wake, sources);

    private UploadEndpoint NewEndpoint(AgentSettings from) => new(from, new UploadClient(from.IngestUrl, from.Token, from.Tls, time, memory.NoteConnection));

    private Task<DiskQueue> OpenQueueAsync(CancellationToken cancellationToken) => OpenQueueAsync(settings, time, logger, cancellationToken);

    /// <summary>Opens the queue that the settings name, for this process alone.</summary>
    internal static Task<DiskQueue> OpenQueueAsync(AgentSettings settings, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var files = new PhysicalFileSystem();
        return DiskQueue.OpenAsync(
            new DiskQueueOptions(
                files, settings.QueueDirectory, settings.AgentId, QueueIdentity.ReadMachineId(files), settings.QueueBytesMax, time, logger),
            cancellationToken);
    }
}
