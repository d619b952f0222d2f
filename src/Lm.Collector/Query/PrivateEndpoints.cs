using System.Text;
using Lm.Collector.Admin;
using Lm.Collector.Agents;
using Lm.Collector.Console;
using Lm.Collector.Dashboards;
using Lm.Collector.Landing;
using Lm.Collector.Listeners;
using Lm.Collector.Live;
using Microsoft.AspNetCore.ResponseCompression;

namespace Lm.Collector.Query;

/// <summary>All that answers on the private listener: API, console, health.</summary>
/// <remarks>The order of the checks is the rule: known Host, then the few open paths, then the right to ask, then where a browser's request came
/// from, and only then which path it is; who has no right learns nothing, not even what exists.</remarks>
internal sealed class PrivateEndpoints : IHttpEndpoint, IDisposable
{
    private readonly PrivateServices services;
    private readonly ILogger<PrivateEndpoints> logger;
    private readonly QuerySlots slots = new();
    private readonly QueryMemory memory;
    private readonly QueryEndpoint query;
    private readonly SeriesEndpoint series;
    private readonly StatusEndpoint status;
    private readonly StorageStatus storageStatus;
    private readonly AgentsEndpoint agentsEndpoint;
    private readonly LandingEndpoint landingEndpoint;
    private readonly DashboardsEndpoint dashboards;
    private readonly SessionsEndpoint sessionsEndpoint;
    private readonly ConfigEndpoint config;
    private readonly RetentionEndpoint retention;
    private readonly SseEndpoint liveEndpoint;
    private readonly LogRoutes logRoutes;
    private readonly SelfMetrics selfMetrics;
    private readonly SessionEndpoint session;
    private readonly RequestGuard guard;
    private readonly WrongTokens wrongTokens;
    private readonly ConsoleMetrics consoleMetrics;
    private readonly ConsoleAssets assets = new();
    private readonly ResponseCompressionMiddleware compression;

    /// <summary>Wires the parts.</summary>
    public PrivateEndpoints(PrivateServices services, LiveHub live)
    {
        this.services = services;
        memory = new QueryMemory(services.Time);
        compression = new ResponseCompressionMiddleware(RouteAsync, new GzipAnswers());
        logger = services.Loggers.CreateLogger<PrivateEndpoints>();
        Agents = new AgentDirectory(services.Time, services.ExpectedAgents, services.ClockTolerance);

        var queryMetrics = new QueryMetrics();
        var reader = services.Series;
        query = new QueryEndpoint(services, reader, slots, queryMetrics);
        series = new SeriesEndpoint(services, reader, slots, queryMetrics);
        status = new StatusEndpoint(services, services.Catalog.Snapshot);
        storageStatus = new StorageStatus(services, reader, slots);
        landingEndpoint = new LandingEndpoint(services);
        agentsEndpoint = new AgentsEndpoint(services, Agents, new CurrentValues(reader));

        var sessions = new SessionStore(services.Time);
        consoleMetrics = new ConsoleMetrics(sessions);
        guard = new RequestGuard(services.Settings, sessions);
        wrongTokens = new WrongTokens(new WrongTokenLimiter(services.Time), services.Loggers.CreateLogger<WrongTokens>());
        session = new SessionEndpoint(services.Settings, sessions, wrongTokens, guard, consoleMetrics, services.Loggers.CreateLogger<SessionEndpoint>());
        logRoutes = new LogRoutes(services, slots, live, guard);
        sessionsEndpoint = new SessionsEndpoint(services.Settings, sessions, guard);
        config = new ConfigEndpoint(services);
        retention = new RetentionEndpoint(services);
        dashboards = new DashboardsEndpoint(services.Dashboards, guard);
        liveEndpoint = new SseEndpoint(services, live, guard);
        selfMetrics = new SelfMetrics(services.Time, services.Metrics, services.SeriesMetrics, services.LogMetrics, Agents.Collect, queryMetrics.Collect, logRoutes.Collect, services.LandingMetrics, consoleMetrics.Collect, services.Dashboards.Collect, live.Collect);
    }

    /// <summary>What is known of the agents; fed from the spool.</summary>
    public AgentDirectory Agents { get; }

    /// <summary>Agents whose clock differs from the collector's by more than is allowed.</summary>
    public int SuspectClocks => Agents.SuspectClocks;

    /// <summary>Who hears what requests say about their agents.</summary>
    public IAgentReports AgentReports => Agents;

    /// <inheritdoc/>
    /// <remarks>It leaves the connection's thread before it does anything that may take long; that is the only hop from thread to thread of a request.</remarks>
    public bool IsQuick => true;

    /// <inheritdoc/>
    public async Task HandleAsync(HttpContext context)
    {
        // A query may run for seconds, and other connections, those of the ingest listener too, wait for the thread that this one's bytes came in on.
        if (!query.Quick.Has(context.Request))
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        try
        {
            await compression.Invoke(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client went away; nobody is left to answer.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && !context.RequestAborted.IsCancellationRequested)
        {
            // A fault of ours. The promise to clients is 503 and nothing of the inside; a half-sent answer is cut off, so that it cannot pass for whole.
            QueryLog.RequestFailed(logger, exception, context.Request.Path.Value ?? "", StatusCodes.Status503ServiceUnavailable);
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            await new ApiError(StatusCodes.Status503ServiceUnavailable, "unavailable", "the request could not be answered; the collector's log says why").WriteAsync(context.Response);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        memory.Dispose();
        slots.Dispose();
    }

    private Task RouteAsync(HttpContext context)
    {
        SetSafetyHeaders(context.Response);
        if (!guard.IsKnownHost(context))
        {
            return new ApiError(StatusCodes.Status421MisdirectedRequest, "misdirected",
                "this Host header is not served here: use the listen address or localhost, or add the name to allowed_hosts in [query]").WriteAsync(context.Response);
        }

        var path = context.Request.Path.Value ?? "/";
        if (path is "/healthz" or "/readyz")
        {
            return Allow(context, "GET", HealthAsync); // balancers and probes know no base path
        }

        var basePath = services.Settings().BasePath;
        if (!path.StartsWith(basePath, StringComparison.Ordinal))
        {
            return path + "/" == basePath ? Redirect(context, basePath) : NotFoundOrUnauthorizedAsync(context);
        }

        return RouteInsideAsync(context, path[(basePath.Length - 1)..]);
    }

    private Task RouteInsideAsync(HttpContext context, string path)
    {
        switch (path)
        {
            case "/healthz" or "/readyz":
                return Allow(context, "GET", HealthAsync);
            case "/login":
                return Allow(context, "GET", WriteSignInAsync);
            case "/api/v1/session":
                return Allow(context, "GET, POST, DELETE", session.HandleAsync); // decides itself: it is how a right is got
        }

        if (path.Length > 1 && assets.Has(path[1..]))
        {
            return Allow(context, "GET", file => assets.WriteAsync(file, path[1..]));
        }

        var right = guard.RightOf(context);
        if (right is RequestRight.None or RequestRight.WrongToken)
        {
            return right == RequestRight.None && ConsolePages.Has(path) && IsRead(context.Request)
                ? SignInAsync(context, path)
                : UnauthorizedAsync(context, right);
        }

        if (right == RequestRight.Session && !IsRead(context.Request) && !RequestGuard.IsSameOrigin(context.Request))
        {
            return new ApiError(StatusCodes.Status403Forbidden, "forbidden",
                "the request comes from another site: Sec-Fetch-Site must be same-origin, or Origin this collector's address").WriteAsync(context.Response);
        }

        const string labelPath = "/api/v1/label/";
        const string valuesPath = "/values";
        if (path.Length > labelPath.Length + valuesPath.Length && path.StartsWith(labelPath, StringComparison.Ordinal) && path.EndsWith(valuesPath, StringComparison.Ordinal))
        {
            // POST, which Prometheus does not have here: a match of hundreds of hosts is longer than an address may be.
            return Allow(context, "GET, POST", request => series.ValuesAsync(request, path[labelPath.Length..^valuesPath.Length]));
        }

        return logRoutes.Find(path) is { } route ? Allow(context, route.Methods, route.Answer) : RouteApi(context, path);
    }

    private Task RouteApi(HttpContext context, string path) => path switch
    {
        "/metrics" => Allow(context, "GET", selfMetrics.HandleAsync),
        "/api/v1/query" => Allow(context, "GET, POST", Large(query.QueryAsync)),
        "/api/v1/query_range" => Allow(context, "GET, POST", Large(query.QueryRangeAsync)),
        "/api/v1/query_exemplars" => Allow(context, "GET, POST", query.ExemplarsAsync),
        "/api/v1/format_query" => Allow(context, "GET, POST", query.FormatAsync),
        "/api/v1/export" => Allow(context, "GET", Large(query.ExportAsync)),
        "/api/v1/live" => Allow(context, "GET", liveEndpoint.HandleAsync),
        "/api/v1/series" => Allow(context, "GET, POST", Large(series.SeriesAsync)),
        "/api/v1/labels" => Allow(context, "GET, POST", Large(series.LabelsAsync)),
        "/api/v1/metadata" => Allow(context, "GET", status.MetadataAsync),
        "/api/v1/rules" => Allow(context, "GET", StatusEndpoint.RulesAsync),
        "/api/v1/alerts" => Allow(context, "GET", StatusEndpoint.AlertsAsync),
        "/api/v1/targets" => Allow(context, "GET", StatusEndpoint.TargetsAsync),
        "/api/v1/targets/metadata" => Allow(context, "GET", StatusEndpoint.TargetMetadataAsync),
        "/api/v1/alertmanagers" => Allow(context, "GET", StatusEndpoint.AlertmanagersAsync),
        "/api/v1/status/config" => Allow(context, "GET", StatusEndpoint.ConfigAsync),
        "/api/v1/status/flags" => Allow(context, "GET", status.FlagsAsync),
        "/api/v1/status/runtimeinfo" => Allow(context, "GET", status.RuntimeAsync),
        "/api/v1/status/tsdb" => Allow(context, "GET", storageStatus.HandleAsync),
        "/api/v1/agents" => Allow(context, "GET", agentsEndpoint.HandleAsync),
        "/api/v1/dashboards" => Allow(context, "GET, POST", request => IsRead(request.Request) ? dashboards.ListAsync(request) : dashboards.CheckAsync(request)),
        _ when path.StartsWith(DashboardsEndpoint.Prefix, StringComparison.Ordinal) => Allow(context, "GET, PUT, DELETE", request => dashboards.OneAsync(request, path[DashboardsEndpoint.Prefix.Length..])),
        "/api/v1/admin/config" => Allow(context, "GET", config.HandleAsync),
        "/api/v1/admin/retention" => Allow(context, "GET", retention.HandleAsync),
        "/api/v1/admin/sessions" => Allow(context, "GET", sessionsEndpoint.ListAsync),
        _ when path.StartsWith(SessionsEndpoint.Prefix, StringComparison.Ordinal) => Allow(context, "DELETE", request => sessionsEndpoint.CloseAsync(request, path[SessionsEndpoint.Prefix.Length..])),
        "/api/v1/landing" => Allow(context, "GET", landingEndpoint.HandleAsync),
        "/api/v1/status/buildinfo" => Allow(context, "GET", BuildInfo.WriteAsync),
        _ when ConsolePages.Has(path) => Allow(context, "GET", page => assets.WritePageAsync(page, "index.html", services.Settings().BasePath)),
        _ => NotFoundAsync(context),
    };

    // What may take much memory, and gives it back.
    private Func<HttpContext, Task> Large(Func<HttpContext, Task> answer) => async context =>
    {
        using var use = memory.Begin();
        await answer(context);
    };

    // The bare address of the console is where everybody comes first: it asks for the token in place. From elsewhere the way back must be kept.
    private Task SignInAsync(HttpContext context, string path)
    {
        var query = context.Request.QueryString.Value ?? "";
        return path == "/" && query.Length == 0 ? WriteSignInAsync(context) : Redirect(context, ConsolePages.SignInFor(services.Settings().BasePath, path, query));
    }

    private Task WriteSignInAsync(HttpContext context) => assets.WritePageAsync(context, "login.html", services.Settings().BasePath);

    private async Task HealthAsync(HttpContext context)
    {
        var isLive = context.Request.Path.Value!.EndsWith("/healthz", StringComparison.Ordinal);
        var report = isLive ? new ReadinessReport(true, []) : services.Readiness.Report();
        context.Response.StatusCode = report.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        var lines = report.IsReady ? report.Lines.Prepend("ok") : report.Lines.Count > 0 ? report.Lines : ["not ready"];
        var body = Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n");
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private Task NotFoundOrUnauthorizedAsync(HttpContext context)
    {
        var right = guard.RightOf(context);
        return right is RequestRight.Token or RequestRight.Session ? NotFoundAsync(context) : UnauthorizedAsync(context, right);
    }

    private Task UnauthorizedAsync(HttpContext context, RequestRight right)
    {
        consoleMetrics.Unauthorized();
        if (right == RequestRight.WrongToken && wrongTokens.Count(context) is { } tooMany)
        {
            return tooMany.WriteAsync(context.Response);
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        return new ApiError(StatusCodes.Status401Unauthorized, "unauthorized",
            "send the header Authorization: Bearer <query token>, or sign in; tokens in URLs are not read").WriteAsync(context.Response);
    }

    private static Task NotFoundAsync(HttpContext context) =>
        new ApiError(StatusCodes.Status404NotFound, "not_found", "nothing is served at this path").WriteAsync(context.Response);

    private static Task Redirect(HttpContext context, string location)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = location;
        return Task.CompletedTask;
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    // HEAD is GET without the body, which Kestrel leaves out itself.
    private static Task Allow(HttpContext context, string methods, Func<HttpContext, Task> answer)
    {
        var method = IsRead(context.Request) ? "GET" : context.Request.Method;
        if (methods.Split(", ").Contains(method, StringComparer.Ordinal))
        {
            return answer(context);
        }

        context.Response.Headers.Allow = methods;
        return new ApiError(StatusCodes.Status405MethodNotAllowed, "bad_data", $"this path takes {methods}").WriteAsync(context.Response);
    }

    private static void SetSafetyHeaders(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = ConsoleAssets.ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store"; // pages and their files say otherwise
    }
}
