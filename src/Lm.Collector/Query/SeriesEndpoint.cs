using Lm.Collector.Listeners;
using Lm.PromQL;
using Lm.Tsdb;

namespace Lm.Collector.Query;

/// <summary>What series there are: <c>series</c>, <c>labels</c>, <c>label/…/values</c>.</summary>
internal sealed class SeriesEndpoint(PrivateServices services, ISeriesReader reader, QuerySlots slots, QueryMetrics metrics)
{
    private const string Truncated = "results truncated due to limit";

    /// <summary>Answers <c>/api/v1/series</c>.</summary>
    public Task SeriesAsync(HttpContext context) => AnswerAsync(context, mustMatch: true, Series);

    /// <summary>Answers <c>/api/v1/labels</c>.</summary>
    public Task LabelsAsync(HttpContext context) => AnswerAsync(context, mustMatch: false, (find, cancellationToken) =>
        Texts(find, matchers => reader.LabelNames(matchers, find.Start, find.End, cancellationToken)));

    /// <summary>Answers <c>/api/v1/label/{name}/values</c>.</summary>
    public Task ValuesAsync(HttpContext context, string name)
    {
        var isV2 = services.Settings().PromqlSemantics == 2;
        name = !isV2 && name.StartsWith("U__", StringComparison.Ordinal) ? EscapedName.Unescape(name) : name;
        var isValid = isV2 ? EscapedName.IsPlain(name) : name.Length > 0 && GoText.IsValid(name);
        return isValid
            ? AnswerAsync(context, mustMatch: false, (find, cancellationToken) => Texts(find, matchers => reader.LabelValues(name, matchers, find.Start, find.End, cancellationToken)))
            : ApiError.BadData($"invalid label name: {GoText.Quote(name)}").WriteAsync(context.Response);
    }

    private async Task AnswerAsync(HttpContext context, bool mustMatch, Func<Find, CancellationToken, Found> find)
    {
        var started = services.Time.GetTimestamp();
        var (request, error) = await ApiRequest.ReadAsync(context.Request, services.Settings().PromqlSemantics, context.RequestAborted);
        var asked = request is null ? null : Read(request, mustMatch);
        error ??= request!.Error;
        Found? found = null;
        if (error is null)
        {
            (found, error) = await TryFindAsync(context, asked!, find);
        }

        metrics.Answered(error?.Type, services.Time.GetElapsedTime(started));
        if (error is not null)
        {
            await error.WriteAsync(context.Response);
            return;
        }

        var json = ApiAnswer.Begin(context.Response);
        json.Raw("["u8);
        for (var i = 0; i < found!.Count; i++)
        {
            json.Raw(i > 0 ? ","u8 : ""u8);
            found.Write(json, i);
            if (json.IsFull)
            {
                await json.FlushAsync(context.RequestAborted);
            }
        }

        json.Raw("]"u8);
        await ApiAnswer.EndAsync(json, found.IsCut ? [Truncated] : [], [], context.RequestAborted);
    }

    private async Task<(Found? Found, ApiError? Error)> TryFindAsync(HttpContext context, Find asked, Func<Find, CancellationToken, Found> find)
    {
        using var deadline = new CancellationTokenSource(services.Settings().Timeout, services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        try
        {
            await services.Progress.WaitForAcknowledgedAsync(both.Token);
            using var slot = await slots.EnterAsync(deadline.Token, context.RequestAborted);
            return (find(asked, both.Token), null);
        }
        catch (Exception exception) when (exception is QueryException or OperationCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            return (null, new ApiError(StatusCodes.Status503ServiceUnavailable, "timeout", exception is QueryException ? exception.Message : "the search for series timed out"));
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException)
        {
            return (null, new ApiError(StatusCodes.Status422UnprocessableEntity, "execution", "a regular expression takes longer than a second for one label value: simplify it"));
        }
    }

    private static Find? Read(ApiRequest request, bool mustMatch)
    {
        var selectors = request.All("match[]");
        if (mustMatch && selectors.Count == 0)
        {
            request.Fail(ApiError.BadData("no match[] parameter provided"));
        }

        var limit = request.Limit();
        var start = request.Time("start", ApiRequest.TimeMin);
        var end = request.Time("end", ApiRequest.TimeMax);

        // The fault of a selector carries the parameter's name for series alone.
        var prefix = mustMatch ? "invalid parameter \"match[]\": " : "";
        var sets = new List<IReadOnlyList<LabelMatcher>>();
        foreach (var selector in selectors)
        {
            if (!PromParser.TryParseSelector(selector, request.Semantics, out var matchers, out var fault))
            {
                request.Fail(ApiError.BadData(prefix + fault));
                return null;
            }

            sets.Add(matchers);
        }

        if (sets.Exists(matchers => !matchers.Any(matcher => !matcher.MatchesEmpty)))
        {
            request.Fail(ApiError.BadData(prefix + "match[] must contain at least one non-empty matcher"));
        }

        return request.Error is null ? new Find(sets, start, end, limit) : null;
    }

    private Found Series(Find find, CancellationToken cancellationToken)
    {
        var found = new HashSet<LabelSet>();
        foreach (var matchers in find.Matchers)
        {
            if (find.End < find.Start)
            {
                break;
            }

            using var selection = reader.Find(matchers, find.Start, find.End, cancellationToken);
            for (var i = 0; i < selection.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                found.Add(selection.Labels(i));
            }
        }

        var sorted = Sorted(found, cancellationToken);
        return new Found(CountOf(sorted.Count, find), sorted.Count > CountOf(sorted.Count, find), (json, i) => ApiAnswer.Labels(json, sorted[i]));
    }

    private static List<LabelSet> Sorted(HashSet<LabelSet> found, CancellationToken cancellationToken)
    {
        List<LabelSet> sorted = [.. found];
        try
        {
            sorted.Sort((left, right) =>
            {
                cancellationToken.ThrowIfCancellationRequested(); // a million take a second
                return left.CompareTo(right);
            });
            return sorted;
        }
        catch (InvalidOperationException e) when (e.InnerException is OperationCanceledException)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    private static Found Texts(Find find, Func<IReadOnlyList<LabelMatcher>, IReadOnlyList<string>> read)
    {
        IReadOnlyList<string> texts = [];
        if (find.End >= find.Start)
        {
            texts = find.Matchers.Count switch
            {
                0 => read([]),
                1 => read(find.Matchers[0]),
                _ => [.. find.Matchers.SelectMany(read).Distinct().Order(StringComparer.Ordinal)],
            };
        }

        return new Found(CountOf(texts.Count, find), texts.Count > CountOf(texts.Count, find), (json, i) => json.Text(texts[i]));
    }

    private static int CountOf(int count, Find find) => find.Limit > 0 ? Math.Min(count, find.Limit) : count;

    private sealed record Find(IReadOnlyList<IReadOnlyList<LabelMatcher>> Matchers, long Start, long End, int Limit);

    private sealed record Found(int Count, bool IsCut, Action<JsonOutput, int> Write);
}
