using Lm.Collector.Listeners;
using Lm.Platform;
using Lm.PromQL;
using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>PromQL over HTTP: <c>query</c>, <c>query_range</c>, <c>export</c>, <c>format_query</c>, <c>query_exemplars</c>.</summary>
/// <remarks>A query sees what every batch acknowledged before it brought.</remarks>
internal sealed class QueryEndpoint(PrivateServices services, ISeriesReader reader, QuerySlots slots, QueryMetrics metrics)
{
    private readonly ILogger<QueryEndpoint> logger = services.Loggers.CreateLogger<QueryEndpoint>();

    /// <summary>The queries that may be answered on a connection's thread.</summary>
    public QuickQueries Quick { get; } = new(services.Time);

    /// <summary>Answers <c>/api/v1/query</c>; the right to ask was checked, here and below.</summary>
    public Task QueryAsync(HttpContext context) => AnswerAsync(context, request => QueryAsk.ReadInstant(request, services.Settings(), UnixMillis.Now(services.Time)), QueryJson.WriteAsync);

    /// <summary>Answers <c>/api/v1/query_range</c>.</summary>
    public Task QueryRangeAsync(HttpContext context) => AnswerAsync(context, request => QueryAsk.ReadRange(request, services.Settings()), QueryJson.WriteAsync);

    /// <summary>Answers <c>/api/v1/export</c>: a range query when a start is given, otherwise an instant query, as CSV.</summary>
    public Task ExportAsync(HttpContext context) => AnswerAsync(
        context,
        request => request.First("start") is not null ? QueryAsk.ReadRange(request, services.Settings()) : QueryAsk.ReadInstant(request, services.Settings(), UnixMillis.Now(services.Time)),
        (response, result, ask, _, cancellationToken) => QueryCsv.WriteAsync(response, result, ask, cancellationToken));

    /// <summary>Answers <c>/api/v1/format_query</c>.</summary>
    public async Task FormatAsync(HttpContext context)
    {
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        if (request is null)
        {
            await error!.WriteAsync(context.Response);
            return;
        }

        if (!PromParser.TryParse(request.First("query") ?? "", request.Semantics, out var expression, out var fault))
        {
            await ApiError.BadData($"invalid parameter \"query\": {fault}").WriteAsync(context.Response);
            return;
        }

        var json = ApiAnswer.Begin(context.Response);
        json.Text(PrettyText.Format(expression, request.Semantics));
        await ApiAnswer.EndAsync(json, [], [], context.RequestAborted);
    }

    /// <summary>Answers <c>/api/v1/query_exemplars</c>: there are none, but a query that cannot be read is still told.</summary>
    public async Task ExemplarsAsync(HttpContext context)
    {
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        if (request is not null)
        {
            var start = request.Time("start", ApiRequest.TimeMin);
            var end = request.Time("end", ApiRequest.TimeMax);
            if (end < start)
            {
                request.Fail(ApiError.BadData("end timestamp must not be before start timestamp"));
            }

            if (!PromParser.TryParse(request.First("query") ?? "", request.Semantics, out var expression, out var fault))
            {
                request.Fail(ApiError.BadData(fault.ToString()));
            }
            else if (request.Error is null && !expression.HasSelector())
            {
                context.Response.StatusCode = StatusCodes.Status204NoContent; // as Prometheus, where nothing can have exemplars
                return;
            }

            error = request.Error;
        }

        await (error is null ? ApiAnswer.WriteAsync(context, "[]"u8).AsTask() : error.WriteAsync(context.Response));
    }

    private async Task AnswerAsync(
        HttpContext context, Func<ApiRequest, QueryAsk?> read, Func<HttpResponse, QueryResult, QueryAsk, TimeSpan, CancellationToken, Task> write)
    {
        var started = services.Time.GetTimestamp();
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        var ask = request is null ? null : read(request);
        error ??= request!.Error;
        if (error is null)
        {
            error = await TryAnswerAsync(context, ask!, write, started);
        }

        var elapsed = services.Time.GetElapsedTime(started);
        metrics.Answered(error?.Type, elapsed);
        if (error is null)
        {
            return;
        }

        QueryLog.QueryFailed(logger, error.Status, error.Type, (long)elapsed.TotalMilliseconds);
        await error.WriteAsync(context.Response);
    }

    private async Task<ApiError?> TryAnswerAsync(
        HttpContext context, QueryAsk ask, Func<HttpResponse, QueryResult, QueryAsk, TimeSpan, CancellationToken, Task> write, long started)
    {
        QueryResult result;
        TimeSpan waited;
        try
        {
            using var deadline = new CancellationTokenSource(ask.Timeout, services.Time);
            await WaitForAcknowledgedAsync(deadline.Token, context.RequestAborted);
            using var slot = await slots.EnterAsync(deadline.Token, context.RequestAborted);
            waited = services.Time.GetElapsedTime(started);
            // Only what is known to be quick comes here on another thread than the pool's.
            result = (Thread.CurrentThread.IsThreadPoolThread ? null : TryEvaluateBriefly(ask, context.RequestAborted))
                ?? await EvaluateAsync(ask, deadline.Token, context.RequestAborted);
        }
        catch (QueryException exception)
        {
            context.RequestAborted.ThrowIfCancellationRequested(); // nobody is left to answer
            return ErrorOf(exception);
        }

        metrics.Read(result.Statistics.SamplesTotal);
        await write(context.Response, result, ask, waited, context.RequestAborted);
        return null;
    }

    private async ValueTask WaitForAcknowledgedAsync(CancellationToken timedOut, CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timedOut, cancellationToken);
        try
        {
            await services.Progress.WaitForAcknowledgedAsync(both.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QueryException(QueryFault.Timeout, "query timed out waiting for the batches that were acknowledged before it", exception);
        }
    }

    private QueryResult? TryEvaluateBriefly(QueryAsk ask, CancellationToken cancellationToken)
    {
        using var brief = new CancellationTokenSource(QuickQueries.TimeMax, services.Time);
        try
        {
            return Evaluate(ask, brief.Token, cancellationToken);
        }
        catch (QueryException exception) when (exception.Fault == QueryFault.Timeout)
        {
            Quick.Note(ask.Text, QuickQueries.TimeMax);
            return null;
        }
    }

    private async ValueTask<QueryResult> EvaluateAsync(QueryAsk ask, CancellationToken deadline, CancellationToken cancellationToken)
    {
        if (!Thread.CurrentThread.IsThreadPoolThread)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        return Evaluate(ask, deadline, cancellationToken);
    }

    private QueryResult Evaluate(QueryAsk ask, CancellationToken deadline, CancellationToken cancellationToken)
    {
        var started = services.Time.GetTimestamp();
        var settings = services.Settings();
        var engine = new QueryEngine(reader, new QueryEngineOptions
        {
            LookbackMs = ask.LookbackMs,
            SamplesMax = settings.SamplesMax,
            Deadline = deadline,
            Semantics = settings.Semantics,
            TimeProvider = services.Time,
            Workers = slots.Workers,
        });
        if (ask.IsRange)
        {
            return engine.Range(ask.Expression, ask.StartMs, ask.EndMs, ask.StepMs, cancellationToken);
        }

        var result = engine.Instant(ask.Expression, ask.StartMs, cancellationToken);
        Quick.Note(ask.Text, services.Time.GetElapsedTime(started));
        return result;
    }

    private static ApiError ErrorOf(QueryException exception) => exception.Fault switch
    {
        QueryFault.Timeout => new ApiError(StatusCodes.Status503ServiceUnavailable, "timeout", exception.Message),
        QueryFault.Canceled => new ApiError(StatusCodes.Status503ServiceUnavailable, "canceled", exception.Message),
        _ => new ApiError(StatusCodes.Status422UnprocessableEntity, "execution", exception.Message),
    };
}
