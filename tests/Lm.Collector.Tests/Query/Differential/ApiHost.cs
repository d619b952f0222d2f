using System.Net;
using Lm.Collector.Dashboards;
using Lm.Collector.Listeners;
using Lm.Collector.Query;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Collector.Spool;
using Lm.Logs.Tests.Query;
using Lm.PromQL.Tests.Scripts;
using Lm.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Query.Differential;

/// <summary>The query API over series in a list, without the rest of the collector.</summary>
internal sealed class ApiHost : IReadiness, ISpoolProgress, IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly QuerySlots slots = new();
    private readonly SavedDashboards saved;

    private ApiHost(MemorySeries series, int semantics)
    {
        var settings = new QuerySettings
        {
            Listen = new ListenAddress(IPAddress.Loopback, 18080),
            Token = new Secret("unused"),
            Timeout = TimeSpan.FromSeconds(120),
            SamplesMax = 50_000_000,
            PromqlSemantics = semantics,
            AllowedHosts = [],
            BasePath = "/",
            AllowPlaintext = false,
            Tls = null,
        };
        saved = SavedDashboards.Open(new MemoryFileSystem(), "/changes", settings.Semantics, TimeProvider.System, NullLogger.Instance);
        var services = new PrivateServices
        {
            Settings = () => settings,
            Readiness = this,
            Metrics = () => [],
            Queues = () => [],
            ExpectedAgents = () => [],
            ClockTolerance = () => TimeSpan.FromSeconds(600),
            Progress = this,
            Series = series,
            SeriesMetrics = () => [],
            Logs = new MemoryLogs(),
            LogMetrics = () => [],
            Dashboards = new DashboardLibrary(() => [], saved, () => settings.Semantics),
            Catalog = new MetricCatalog(),
            Time = TimeProvider.System,
            Loggers = NullLoggerFactory.Instance,
        };
        var metrics = new QueryMetrics();
        var query = new QueryEndpoint(services, series, slots, metrics);
        var found = new SeriesEndpoint(services, series, slots, metrics);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        app = builder.Build();
        app.Run(context => AnswerAsync(context.Response, () => context.Request.Path.Value!["/api/v1/".Length..] switch
        {
            "query" => query.QueryAsync(context),
            "query_range" => query.QueryRangeAsync(context),
            "query_exemplars" => query.ExemplarsAsync(context),
            "format_query" => query.FormatAsync(context),
            "series" => found.SeriesAsync(context),
            "labels" => found.LabelsAsync(context),
            var path => found.ValuesAsync(context, path["label/".Length..^"/values".Length]),
        }));
    }

    public HttpClient Client { get; } = new();

    public static async Task<ApiHost> StartAsync(MemorySeries series, int semantics)
    {
        var host = new ApiHost(series, semantics);
        await host.app.StartAsync(TestContext.Current.CancellationToken);
        host.Client.BaseAddress = new Uri(host.app.Urls.Single());
        return host;
    }

    // What goes wrong inside belongs into the report.
    private static async Task AnswerAsync(Microsoft.AspNetCore.Http.HttpResponse response, Func<Task> answer)
    {
        try
        {
            await answer();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && !response.HasStarted)
        {
            response.StatusCode = 500;
            await response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(exception.ToString()));
        }
    }

    ReadinessReport IReadiness.Report() => new(true, []);

    ValueTask ISpoolProgress.WaitForAcknowledgedAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
        slots.Dispose();
        await saved.DisposeAsync();
    }
}
