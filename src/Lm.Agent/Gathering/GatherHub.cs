using Lm.Agent.Programs;
using Lm.Agent.Queue;
using Lm.Agent.Scrapes;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Gathering;

/// <summary>Everything that gives samples from outside the agent: scrapes, text files, commands and plug-ins; each on its own clock.</summary>
/// <remarks>There is none of it, no thread and no memory, where nothing of the kind is configured.</remarks>
internal sealed class GatherHub : IAsyncDisposable
{
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CommandRecords records;
    private readonly GatherBatches batches;
    private readonly CancellationTokenSource stop = new();
    private List<IGatherJob> jobs = [];
    private List<Scrape> scrapes = [];
    private volatile HarvestOutlet[] outlets = [];
    private JobLoop? loop;
    private Task scraping = Task.CompletedTask;

    private GatherHub(GatherSettings settings, CommandRecords records, TimeProvider time, ILogger logger)
    {
        (this.time, this.logger, this.records, batches) = (time, logger, records, new GatherBatches(time));
        Take(settings);
    }

    /// <summary>Makes one; null where nothing is configured.</summary>
    /// <param name="settings">What is to be gathered.</param>
    /// <param name="records">Gets the output of commands.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where events go.</param>
    public static GatherHub? Create(GatherSettings settings, CommandRecords records, TimeProvider time, ILogger logger) =>
        settings.IsEmpty ? null : new GatherHub(settings, records, time, logger);

    /// <summary>Reads every target again and again, until disposed.</summary>
    public void Start()
    {
        var (commands, plugins, folders) = (jobs.Count(job => job is Command), jobs.Count(job => job is Plugin), jobs.Count(job => job is TextFolder));
        GatherLog.Begun(logger, scrapes.Count, commands, plugins, folders);
        scraping = Task.WhenAll(scrapes.Select(scrape => scrape.RunAsync(stop.Token)));
        loop = jobs.Count > 0 ? new JobLoop(jobs, time, logger) : null;
    }

    /// <summary>Reads every target once.</summary>
    /// <returns>What went wrong, for each target that failed.</returns>
    public async Task<List<string>> RunOnceAsync(CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        var reading = scrapes.ConvertAll(scrape => scrape.ReadAsync(cancellationToken));
        foreach (var job in jobs)
        {
            if (job.Run(cancellationToken) is { Length: > 0 } fault)
            {
                faults.Add($"{job.Name}: {fault}");
            }
        }

        for (var i = 0; i < reading.Count; i++)
        {
            if (await reading[i] is { Length: > 0 } fault)
            {
                faults.Add($"{scrapes[i].Name}: {fault}");
            }
        }

        return faults;
    }

    /// <summary>Puts what came since the last tick into the queue.</summary>
    public Task<GatheredBatches> AppendAsync(DiskQueue queue, AgentSettings settings, Limits? limits, UnixMillis collectedAt, CancellationToken cancellationToken) =>
        batches.AppendAsync(outlets, queue, settings, limits, collectedAt, cancellationToken);

    /// <summary>Readings that no tick took in time.</summary>
    public long MissedCount => outlets.Sum(outlet => outlet.MissedCount);

    /// <summary>Adds what every target gave last.</summary>
    public void AddLast(ISampleSink sink)
    {
        foreach (var outlet in outlets)
        {
            foreach (var (metric, labels, value) in outlet.Last?.Samples ?? [])
            {
                sink.Add(metric, labels, value);
            }
        }
    }

    /// <summary>Ends what runs.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        loop?.Dispose();
        await scraping;
        stop.Dispose();
    }

    private void Take(GatherSettings settings)
    {
        scrapes = [.. settings.Scrapes.Select(each => new Scrape(each, time, logger))];
        jobs =
        [
            .. settings.Commands.Select(each => new Command(each, records, time, logger)),
            .. settings.Plugins.Select(each => new Plugin(each, time, logger)),
        ];
        if (settings.Text is { } text)
        {
            jobs.Add(new TextFolder(text, time));
        }

        outlets = [.. scrapes.Select(scrape => scrape.Outlet), .. jobs.Select(job => job.Outlet)];
    }
}
