using System.Globalization;
using Lm.Collector.Series;
using Microsoft.AspNetCore.Http.Features;

namespace Lm.Collector.Query;

/// <summary>The parameters of <c>/api/v1/query</c>, from the URL or a form.</summary>
/// <param name="Query">What is asked.</param>
/// <param name="TimeMs">For when, milliseconds since 1970.</param>
/// <param name="Timeout">How long it may take.</param>
/// <param name="Limit">How many series to answer with; 0 for all.</param>
/// <param name="Lookback">How old the newest sample of an instant vector may be.</param>
internal sealed record QueryParameters(string Query, long TimeMs, TimeSpan Timeout, int Limit, TimeSpan Lookback)
{
    /// <summary>Bytes of a form.</summary>
    public const int FormBytesMax = 256 * 1024;

    private const string FormType = "application/x-www-form-urlencoded";

    private static readonly TimeSpan LookbackDefault = TimeSpan.FromMinutes(5);

    // A form in memory is bounded by its bytes; these bound what its pieces may become.
    private static readonly FormOptions FormLimits = new() { ValueCountLimit = 64, KeyLengthLimit = 256, ValueLengthLimit = FormBytesMax, BufferBodyLengthLimit = FormBytesMax };

    /// <summary>Reads them.</summary>
    /// <param name="request">The request.</param>
    /// <param name="nowMs">The default of <c>time</c>.</param>
    /// <param name="timeoutMax">The setting: a request may ask for less.</param>
    /// <param name="cancellationToken">The request's.</param>
    public static async ValueTask<(QueryParameters? Parameters, ApiError? Error)> ReadAsync(
        HttpRequest request, long nowMs, TimeSpan timeoutMax, CancellationToken cancellationToken)
    {
        IFormCollection? form = null;
        if (HttpMethods.IsPost(request.Method) && request.ContentLength is not 0 && request.ContentType is not null)
        {
            (form, var error) = await ReadFormAsync(request, cancellationToken);
            if (error is not null)
            {
                return (null, error);
            }
        }

        return Read(name => ValueOf(name, form, request.Query), nowMs, timeoutMax);
    }

    private static (QueryParameters? Parameters, ApiError? Error) Read(Func<string, string?> valueOf, long nowMs, TimeSpan timeoutMax)
    {
        var time = nowMs;
        if (valueOf("time") is { } timeText && !PromNumber.TryParseTime(timeText, out time))
        {
            return Invalid("time", $"cannot parse \"{Cut(timeText)}\" to a valid timestamp; give Unix seconds or RFC 3339, like 2026-01-02T03:04:05Z");
        }

        var timeout = timeoutMax;
        if (valueOf("timeout") is { } timeoutText && !PromDuration.TryParse(timeoutText, out timeout))
        {
            return Invalid("timeout", $"cannot parse \"{Cut(timeoutText)}\" to a valid duration; give seconds or a duration, like 30s");
        }

        var limit = 0;
        if (valueOf("limit") is { } limitText && !int.TryParse(limitText, NumberStyles.None, CultureInfo.InvariantCulture, out limit))
        {
            return Invalid("limit", $"\"{Cut(limitText)}\" is not a whole number from 0 to {int.MaxValue}");
        }

        var lookback = LookbackDefault;
        if (valueOf("lookback_delta") is { } lookbackText && (!PromDuration.TryParse(lookbackText, out lookback) || lookback == TimeSpan.Zero))
        {
            return Invalid("lookback_delta", $"\"{Cut(lookbackText)}\" is not a duration above 0, like 5m");
        }

        return (new QueryParameters(valueOf("query") ?? "", time, timeout < timeoutMax ? timeout : timeoutMax, limit, lookback), null);
    }

    private static async ValueTask<(IFormCollection? Form, ApiError? Error)> ReadFormAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!request.HasFormContentType || !request.ContentType!.StartsWith(FormType, StringComparison.OrdinalIgnoreCase))
        {
            return (null, new ApiError(StatusCodes.Status415UnsupportedMediaType, "bad_data", $"the body must be {FormType}"));
        }

        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = FormBytesMax;
        }

        if (request.ContentLength > FormBytesMax)
        {
            return (null, TooLarge());
        }

        try
        {
            // Not Request.ReadFormAsync: its limits come from services that this program does not have.
            return (await new FormFeature(request, FormLimits).ReadFormAsync(cancellationToken), null);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, TooLarge());
        }
        catch (Exception exception) when (exception is BadHttpRequestException or InvalidDataException)
        {
            return (null, ApiError.BadData($"the form cannot be read: {exception.Message}"));
        }
    }

    private static ApiError TooLarge() => new(StatusCodes.Status413PayloadTooLarge, "bad_data", $"the form is larger than {FormBytesMax} bytes");

    // As Go's FormValue: the form before the URL; an empty value is none.
    private static string? ValueOf(string name, IFormCollection? form, IQueryCollection url)
    {
        var value = form is not null && form.TryGetValue(name, out var formValue) ? formValue[0] : url[name] is { Count: > 0 } urlValue ? urlValue[0] : null;
        return string.IsNullOrEmpty(value) ? null : value;
    }

    private static (QueryParameters? Parameters, ApiError? Error) Invalid(string name, string reason) =>
        (null, ApiError.BadData($"invalid parameter \"{name}\": {reason}"));

    private static string Cut(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
