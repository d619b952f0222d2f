using System.Globalization;
using Lm.Collector.Listeners;
using Lm.Logs;
using Lm.Logs.Query;
using Lm.PromQL;

namespace Lm.Collector.Query;

/// <summary>Runs log queries: after what was acknowledged, in a slot, within the time that a query has.</summary>
internal sealed class LogSearch(PrivateServices services, QuerySlots slots, LogQueryMetrics metrics)
{
    private readonly ILogger<LogSearch> logger = services.Loggers.CreateLogger<LogSearch>();
    private readonly LogQueryEngine engine = new(services.Logs, new LogQueryLimits());

    /// <summary>Streams that may have lines in a range.</summary>
    /// <exception cref="LogQueryException">They are more than an answer may have.</exception>
    public IReadOnlyCollection<LogStream> Streams(long from, long until, LogSelector selector, CancellationToken cancellationToken) =>
        Streams(from, until, [selector], cancellationToken);

    /// <summary>Streams that may have lines in a range: those that any of some selectors selects.</summary>
    /// <exception cref="LogQueryException">They are more than an answer may have.</exception>
    public IReadOnlyCollection<LogStream> Streams(long from, long until, IReadOnlyList<LogSelector> selectors, CancellationToken cancellationToken)
    {
        var found = new FoundStreams();
        Each(from, until, selectors, found.Add, cancellationToken);
        return found.All;
    }

    /// <summary>Texts that streams have which may have lines in a range, in ordinal order.</summary>
    /// <exception cref="LogQueryException">They are more than an answer may have.</exception>
    public string[] Texts(long from, long until, LogSelector selector, Func<LogStream, IEnumerable<string>> choose, CancellationToken cancellationToken)
    {
        var found = new FoundStreams();
        Each(
            from,
            until,
            [selector],
            stream =>
            {
                foreach (var text in choose(stream))
                {
                    found.Add(text);
                }
            },
            cancellationToken);
        return [.. found.Texts.Order(StringComparer.Ordinal)];
    }

    /// <summary>How much is stored of some streams in a range.</summary>
    public LogExtent Measure(long from, long until, LogSelector selector, CancellationToken cancellationToken) =>
        until <= from ? default : services.Logs.Measure(from, until, selector.Selects, cancellationToken);

    /// <summary>Reads a request's parameters, finds what it asks for, and counts it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="read">Reads the parameters; notes what is wrong with them.</param>
    /// <param name="find">Finds; may answer, when that cannot wait.</param>
    /// <returns>What was asked and found, or why not; neither when an answer was begun and is cut off, so that it cannot pass for whole.</returns>
    public async Task<(TAsk? Ask, TFound? Found, ApiError? Error)> RunAsync<TAsk, TFound>(
        HttpContext context, Func<ApiRequest, TAsk?> read, Func<TAsk, LogWork, Task<TFound>> find)
        where TAsk : class
        where TFound : class
    {
        var started = services.Time.GetTimestamp();
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        var ask = request is null ? null : read(request);
        error ??= request!.Error;
        TFound? found = null;
        if (error is null)
        {
            (found, error) = await TryFindAsync(context, work => find(ask!, work), request!, started);
        }

        var elapsed = services.Time.GetElapsedTime(started);
        metrics.Answered(error?.Type, elapsed);
        if (error is not null)
        {
            QueryLog.QueryFailed(logger, error.Status, error.Type, (long)elapsed.TotalMilliseconds);
        }

        if (error is not null && context.Response.HasStarted)
        {
            context.Abort();
            return (null, null, null);
        }

        return (ask, found, error);
    }

    private void Each(long from, long until, IReadOnlyList<LogSelector> selectors, Action<LogStream> look, CancellationToken cancellationToken)
    {
        if (until <= from)
        {
            return;
        }

        services.Logs.EachStream(
            from,
            until,
            stream =>
            {
                if (selectors.Any(selector => selector.Selects(stream)))
                {
                    look(stream);
                }
            },
            cancellationToken);
    }

    private async Task<(TFound? Found, ApiError? Error)> TryFindAsync<TFound>(HttpContext context, Func<LogWork, Task<TFound>> find, ApiRequest request, long started)
        where TFound : class
    {
        var settings = services.Settings();
        var wanted = request.Duration("timeout");
        if (request.Error is not null)
        {
            return (null, request.Error);
        }

        var timeout = wanted is { } nanoseconds && nanoseconds / 100 < settings.Timeout.Ticks ? TimeSpan.FromTicks(Math.Max(0, nanoseconds / 100)) : settings.Timeout;
        var statistics = new LogScanStatistics();
        using var deadline = new CancellationTokenSource(timeout, services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        try
        {
            await services.Progress.WaitForAcknowledgedAsync(both.Token);
            using var slot = await slots.EnterAsync(deadline.Token, context.RequestAborted);
            return (await find(new LogWork(engine, statistics, services.Time.GetElapsedTime(started), both.Token)), null);
        }
        catch (LogQueryException exception)
        {
            return (null, new ApiError(StatusCodes.Status422UnprocessableEntity, "execution", exception.Message));
        }
        catch (Exception exception) when (exception is QueryException or OperationCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            var message = exception is QueryException
                ? exception.Message
                : string.Create(CultureInfo.InvariantCulture, $"the query took longer than {timeout.TotalSeconds:0.###} s: narrow its range, selector or filters");
            return (null, new ApiError(StatusCodes.Status503ServiceUnavailable, "timeout", message));
        }
        catch (IOException exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            QueryLog.LogsUnreadable(logger, exception);
            return (null, new ApiError(StatusCodes.Status503ServiceUnavailable, "unavailable", "stored lines cannot be read; the collector's log says why"));
        }
        finally
        {
            metrics.Read(statistics);
        }
    }
}

/// <summary>What a log query works with.</summary>
/// <param name="Engine">Asks the lines.</param>
/// <param name="Statistics">Counts what is read.</param>
/// <param name="Waited">How long it waited to begin.</param>
/// <param name="CancellationToken">When the time is over, or the client has gone.</param>
internal sealed record LogWork(LogQueryEngine Engine, LogScanStatistics Statistics, TimeSpan Waited, CancellationToken CancellationToken);
