using System.Text.RegularExpressions;
using Lm.Collector.Listeners;
using Lm.Collector.Series;
using Lm.Collector.Settings;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary><c>/api/v1/query</c>: sees what every batch acknowledged before it brought, and answers in Prometheus' shape.</summary>
internal sealed class QueryEndpoint(PrivateServices services, ISeriesStore store, QueryMetrics metrics) : IDisposable
{
    /// <summary>Queries that run at once, as Prometheus' default has it; further ones wait within their timeout.</summary>
    public const int ConcurrentMax = 20;

    private readonly SemaphoreSlim slots = new(ConcurrentMax);
    private readonly ILogger<QueryEndpoint> logger = services.Loggers.CreateLogger<QueryEndpoint>();

    /// <summary>Answers one request; its right to ask was checked.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var started = services.Time.GetTimestamp();
        var settings = services.Settings();
        var now = UnixMillis.Now(services.Time).Value;
        var (parameters, error) = await QueryParameters.ReadAsync(context.Request, now, settings.Timeout, context.RequestAborted);
        Selector? selector = null;
        if (parameters is not null && !SelectorParser.TryParse(parameters.Query, out selector, out var fault))
        {
            error = ApiError.BadData($"invalid parameter \"query\": {fault}");
        }

        if (error is null)
        {
            error = await TryAnswerAsync(context, settings, parameters!, selector!);
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

    /// <inheritdoc/>
    public void Dispose() => slots.Dispose();

    private async Task<ApiError?> TryAnswerAsync(HttpContext context, QuerySettings settings, QueryParameters parameters, Selector selector)
    {
        using var deadline = new CancellationTokenSource(parameters.Timeout, services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        SeriesSelection selection;
        try
        {
            await services.Progress.WaitForAcknowledgedAsync(both.Token);
            await slots.WaitAsync(both.Token);
            try
            {
                selection = store.Select(RangeOf(selector, parameters, settings), both.Token);
                selection.Sort();
            }
            finally
            {
                slots.Release();
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return new ApiError(StatusCodes.Status503ServiceUnavailable, "timeout", $"query timed out after {parameters.Timeout.TotalSeconds:0.###} s");
        }
        catch (SampleLimitException exception)
        {
            return new ApiError(StatusCodes.Status422UnprocessableEntity, "execution",
                $"query would touch more than {exception.SamplesMax} samples: narrow the selector or the range, or raise max_samples in [query]");
        }

        catch (RegexMatchTimeoutException)
        {
            return new ApiError(StatusCodes.Status422UnprocessableEntity, "execution", "a regular expression takes longer than a second for one label value: simplify it");
        }

        metrics.Read(selection.SampleCount);
        long? vectorTime = selector.Range is null ? parameters.TimeMs : null;
        await QueryJson.WriteAsync(context.Response, selection, vectorTime, parameters.Limit, context.RequestAborted);
        return null;
    }

    private static SeriesRange RangeOf(Selector selector, QueryParameters parameters, QuerySettings settings)
    {
        // Prometheus 3 leaves the left edge out, 2 took it in. Int128: a far time less a long range must not wrap around.
        var window = selector.Range ?? parameters.Lookback;
        var edge = settings.PromqlSemantics == 2 ? 1 : 0;
        var until = (Int128)parameters.TimeMs - (long)selector.Offset.TotalMilliseconds;
        return new SeriesRange
        {
            Matchers = selector.Matchers,
            After = Clamp(until - (long)window.TotalMilliseconds - edge),
            Until = Clamp(until),
            NewestMax = selector.Range is null ? 1 : int.MaxValue,
            SamplesMax = settings.SamplesMax,
        };
    }

    private static UnixMillis Clamp(Int128 milliseconds) => new((long)Int128.Clamp(milliseconds, long.MinValue, long.MaxValue));
}
