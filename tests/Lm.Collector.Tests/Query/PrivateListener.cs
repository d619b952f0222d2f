using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lm.Collector.Agents;
using Lm.Collector.Console;
using Lm.Collector.Dashboards;
using Lm.Collector.Ingest;
using Lm.Collector.Landing;
using Lm.Collector.Listeners;
using Lm.Collector.Live;
using Lm.Collector.Query;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Collector.SharedLog;
using Lm.Collector.Spool;
using Lm.Collector.Tests.Series;
using Lm.Logs.Tests.Query;
using Lm.PromQL;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Query;

/// <summary>The private endpoints behind the collector's own listener on loopback; what they are given by the host is set by the test.</summary>
internal sealed class PrivateListener : IReadiness, ISpoolProgress, IAsyncDisposable
{
    public const string Token = "query-token-of-the-tests";

    private readonly HttpListenerHost host;
    private readonly SeriesRig series = new();
    private readonly LiveRecorder recorder = new();

    private readonly SavedDashboards saved;

    private PrivateListener(QuerySettings settings, TimeProvider time)
    {
        saved = SavedDashboards.Open(Files, "/changes", PromSemantics.V3, time, NullLogger.Instance);
        Settings = settings;
        Live = new LiveHub(recorder, Incarnation, time, NullLogger.Instance);
        Endpoints = new PrivateEndpoints(
            new PrivateServices
            {
                Settings = () => Settings,
                Readiness = this,
                Metrics = () => [new CollectorMetric("lm_collector_batches_accepted_total", "Batches made durable.", true, "", 3)],
                Queues = () => Queues,
                ExpectedAgents = () => Expected,
                ClockTolerance = () => TimeSpan.FromSeconds(600),
                Progress = this,
                Series = series.Head,
                SeriesMetrics = () => [new CollectorMetric("lm_collector_series", "Series of the head.", false, "", series.Statistics().Series)],
                Logs = Logs,
                LogMetrics = () => [],
                Landing = () => Landing!,
                SharedLog = () => SharedLog,
                Dashboards = new DashboardLibrary(() => FileDashboards, saved, () => PromSemantics.V3),
                Catalog = series.Catalog,
                Time = time,
                Loggers = NullLoggerFactory.Instance,
            },
            Live);
        host = new HttpListenerHost(new ListenAddress(IPAddress.Loopback, 0), Endpoints, ListenerBounds.Private, tls: null, NullLoggerFactory.Instance);
    }

    public QuerySettings Settings { get; set; }

    public PrivateEndpoints Endpoints { get; }

    /// <summary>Where changes are kept.</summary>
    public MemoryFileSystem Files { get; } = new();

    /// <summary>How far the object store is behind; null: there is none.</summary>
    public LandingStatus? Landing { get; set; }

    /// <summary>How far the log is that collectors share; null: there is none.</summary>
    public SharedLogStatus? SharedLog { get; set; }

    /// <summary>The dashboards of files.</summary>
    public List<Dashboard> FileDashboards { get; } = [];

    /// <summary>What is known of metrics.</summary>
    public MetricCatalog Catalog => series.Catalog;

    /// <summary>What log queries read.</summary>
    public MemoryLogs Logs { get; } = new();

    public Guid Incarnation { get; } = Guid.NewGuid();

    public LiveHub Live { get; }

    public ReadinessReport Ready { get; set; } = new(true, []);

    public List<QueueState> Queues { get; } = [];

    /// <summary>Agents of the token table.</summary>
    public List<string> Expected { get; } = [];

    /// <summary>What a query waits for before it reads.</summary>
    public Func<CancellationToken, ValueTask> Wait { get; set; } = _ => ValueTask.CompletedTask;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>The path of a file that the console's pages load.</summary>
    /// <param name="extension">As in <c>.js</c>.</param>
    public static string AssetPath(string extension) => "/" + new ConsoleAssets().Names.Order(StringComparer.Ordinal).First(name => name.EndsWith(extension, StringComparison.Ordinal));

    /// <summary>A client with neither token nor cookies.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public static async Task<PrivateListener> StartAsync(
        TimeProvider? time = null, Func<QuerySettings, QuerySettings>? change = null)
    {
        var settings = new QuerySettings
        {
            Listen = new ListenAddress(IPAddress.Loopback, 18080),
            Token = new Secret(Token),
            Timeout = TimeSpan.FromSeconds(60),
            SamplesMax = 1_000_000,
            PromqlSemantics = 3,
            AllowedHosts = [],
            BasePath = "/",
            AllowPlaintext = false,
            Tls = null,
        };
        var listener = new PrivateListener(change?.Invoke(settings) ?? settings, time ?? new ManualTime());
        await listener.host.StartAsync(TestContext.Current.CancellationToken);
        listener.Address = new Uri($"http://{listener.host.LocalEndPoint}");
        listener.Client.BaseAddress = listener.Address;
        return listener;
    }

    public void Feed(AcceptedBatch batch)
    {
        series.Apply(batch);
        Endpoints.Agents.Apply(batch);
        recorder.Apply(batch);
    }

    public void Feed(AcceptedWrite write)
    {
        series.Apply(write);
        recorder.Apply(write);
    }

    public void Feed(AcceptedUps ups)
    {
        series.Apply(ups);
        recorder.Apply(ups);
    }

    public void Report(AgentReport report) => Endpoints.AgentReports.Report(report);

    public async Task<(HttpStatusCode Status, string Body)> GetAsync(string path, string? token = Token)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async Task<JsonElement> GetJsonAsync(string path)
    {
        var (status, body) = await GetAsync(path);
        Assert.True(status == HttpStatusCode.OK, body);
        using var document = JsonDocument.Parse(body);
        return document.RootElement.GetProperty("data").Clone();
    }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token = Token, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    ReadinessReport IReadiness.Report() => Ready;

    ValueTask ISpoolProgress.WaitForAcknowledgedAsync(CancellationToken cancellationToken) => Wait(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Live.Dispose();
        await host.DisposeAsync();
        Endpoints.Dispose();
        await saved.DisposeAsync();
    }
}
