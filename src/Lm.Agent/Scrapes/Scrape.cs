using Lm.Agent.Batching;
using Lm.Agent.Gathering;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Scrapes;

/// <summary>One target whose <c>/metrics</c> is read, on its own clock.</summary>
internal sealed class Scrape(ScrapeSettings settings, TimeProvider time, ILogger logger)
{
    private static readonly MetricDescriptor Up = new("up", MetricType.Gauge, "",
        "1 where the target's last scrape was good, 0 where not.");

    private static readonly MetricDescriptor Duration = new("scrape_duration_seconds", MetricType.Gauge, "seconds",
        "How long the target's last scrape took.");

    private static readonly MetricDescriptor Scraped = new("scrape_samples_scraped", MetricType.Gauge, "",
        "Samples of the target's last answer.");

    private static readonly MetricDescriptor Kept = new("scrape_samples_post_metric_relabeling", MetricType.Gauge, "",
        "Samples of the target's last answer that its rules left.");

    private readonly SeriesTable table = new(settings.Rules);
    private readonly GatherTrouble trouble = new($"scrape \"{settings.Name}\" of {settings.Url}", logger);
    private readonly Label[] labels = [.. settings.Rules.Own];

    /// <summary>What it is, for people.</summary>
    public string Name => $"scrape \"{settings.Name}\"";

    /// <summary>Where it leaves what it gives.</summary>
    public HarvestOutlet Outlet { get; } = new();

    /// <summary>Reads it again and again.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        var clock = new TickClock(time);
        try
        {
            while (true)
            {
                trouble.Note(await ReadGuardedAsync(stopping));
                await Task.Delay(clock.Next(settings.Interval), time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What it was reading is nobody's any more.
        }
    }

    // Nobody waits for this loop: what one reading throws must not be the end of all further ones.
    private async Task<string> ReadGuardedAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            return $"a fault of this program: {failure.GetType().Name}: {failure.Message}";
        }
    }

    /// <summary>Reads it once.</summary>
    /// <returns>What went wrong; empty for nothing.</returns>
    public async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        var at = UnixMillis.Now(time);
        var began = time.GetTimestamp();
        var (body, fault) = await ScrapeClient.GetAsync(settings, time, cancellationToken);
        GatheredSample[] samples = [];
        fault = fault.Length > 0 ? fault : table.Read(body, out samples);
        var isUp = fault.Length == 0;
        if (!isUp)
        {
            table.EndAll();
        }

        Outlet.Put(new Harvest(
            at,
            [
                .. samples,
                new GatheredSample(Up, labels, isUp ? 1 : 0),
                new GatheredSample(Duration, labels, time.GetElapsedTime(began).TotalSeconds),
                new GatheredSample(Scraped, labels, isUp ? table.ReadCount : 0),
                new GatheredSample(Kept, labels, samples.Length),
            ],
            [.. table.Ended]));
        return fault;
    }
}
