using System.Text;
using Lm.Agent.Exposition;
using Lm.Agent.Programs;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Gathering;

/// <summary>What a daemon gathers and serves, across reloads: a hub where something is gathered, a listener where one is asked for.</summary>
internal sealed class GatherControl(TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly MetricDescriptor Missed = new("lmagent_gather_missed_total", MetricType.Counter, "",
        "Readings of scrapes, text files, commands and plug-ins that no tick took in time, since the settings were read.");

    private static readonly MetricDescriptor RecordsDropped = new("lmagent_command_records_dropped_total", MetricType.Counter, "",
        "Outputs of commands for which there was no room while the queue took no log records.");

    private readonly LastTick lastTick = new();
    private readonly Lock gate = new(); // guards retired
    private readonly List<GatherHub> retired = []; // what they gave is still to be taken
    private volatile GatherHub? hub;
    private volatile AgentSettings? taken;
    private MetricsListener? listener;

    /// <summary>Output of commands on its way to log records.</summary>
    public CommandRecords Records { get; } = new();

    /// <summary>Takes settings, the first ones and those of a reload.</summary>
    public async Task TakeAsync(AgentSettings settings)
    {
        await RetireAsync();
        var next = GatherHub.Create(settings.Gather, Records, time, logger);
        next?.Start();
        hub = next;
        if (listener is null || !Equals(taken?.MetricsListen, settings.MetricsListen))
        {
            await ListenAsync(settings);
        }

        taken = settings;
    }

    /// <summary>Where a tick's samples go before they go to the batch.</summary>
    public ISampleSink BeginTick(ISampleSink next) => taken?.MetricsListen is null ? next : lastTick.Begin(next);

    /// <summary>The tick is whole.</summary>
    public void EndTick(ISampleSink tick) => lastTick.End(tick);

    /// <summary>Puts what came since the last tick into the queue.</summary>
    /// <returns>What was queued.</returns>
    public async Task<GatheredBatches> AppendAsync(DiskQueue queue, AgentSettings settings, Limits? limits, UnixMillis collectedAt, CancellationToken cancellationToken)
    {
        List<GatherHub> hubs;
        lock (gate)
        {
            hubs = [.. retired];
            retired.Clear();
        }

        if (hub is { } current)
        {
            hubs.Add(current);
        }

        var queued = GatheredBatches.None;
        foreach (var each in hubs)
        {
            queued += await each.AppendAsync(queue, settings, limits, collectedAt, cancellationToken);
        }

        return queued;
    }

    /// <summary>Adds what is told of gathering itself; nothing where nothing is gathered.</summary>
    /// <returns>How many series.</returns>
    public int AddTo(ISampleSink sink, int seriesMax)
    {
        const int Count = 2;
        if (hub is not { } current || seriesMax < Count)
        {
            return 0;
        }

        sink.Add(Missed, [], current.MissedCount);
        sink.Add(RecordsDropped, [], Records.DroppedCount);
        return Count;
    }

    /// <summary>Ends what runs; what it gave can still be taken.</summary>
    public async ValueTask DisposeAsync()
    {
        await RetireAsync();
        if (listener is not null)
        {
            await listener.DisposeAsync();
            listener = null;
        }
    }

    private async Task RetireAsync()
    {
        if (hub is not { } old)
        {
            return;
        }

        hub = null;
        await old.DisposeAsync();
        lock (gate)
        {
            retired.Add(old);
        }
    }

    private async Task ListenAsync(AgentSettings settings)
    {
        if (listener is not null)
        {
            await listener.DisposeAsync();
            listener = null;
        }

        if (settings.MetricsListen is { } address)
        {
            listener = MetricsListener.TryStart(address, Render, time, logger, out var fault);
            if (listener is null)
            {
                GatherLog.CannotListen(logger, address, fault);
            }
            else
            {
                GatherLog.Listening(logger, address);
            }
        }
    }

    private string Render()
    {
        var writer = new ExpositionWriter(null, taken?.Labels ?? []);
        lastTick.AddTo(writer);
        hub?.AddLast(writer);
        var text = new StringBuilder();
        writer.WriteTo(text, withMetadata: true);
        return text.ToString();
    }
}
