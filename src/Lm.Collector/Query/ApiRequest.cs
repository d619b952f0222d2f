using System.Globalization;
using Lm.Collector.Series;
using Lm.PromQL;
using Microsoft.AspNetCore.Http.Features;

namespace Lm.Collector.Query;

/// <summary>The parameters of a request to the query API, from the URL and a form; remembers the first one that cannot be used.</summary>
/// <remarks>Forms, defaults and messages are those of https://prometheus.io/docs/prometheus/latest/querying/api/.</remarks>
internal sealed class ApiRequest
{
    /// <summary>Bytes of a form.</summary>
    public const int FormBytesMax = 256 * 1024;

    /// <summary>Prometheus' earliest time, milliseconds: what a missing start means.</summary>
    public const long TimeMin = ((long.MinValue / 1000) + 62_135_596_801) * 1000;

    /// <summary>Its latest.</summary>
    public const long TimeMax = (((long.MaxValue / 1000) - 62_135_596_801) * 1000) + 999;

    // What Prometheus makes of times that are no number or infinite: the conversion to whole seconds gives the lowest number there is, and with all parts added up it
    // has come round to this one, late in 1677.
    private const long NowhereMs = -9_223_372_036_854;

    private const string FormType = "application/x-www-form-urlencoded";
    private const double NanosecondsMax = long.MaxValue;

    // A form in memory is bounded by its bytes; these bound what its pieces may become.
    private static readonly FormOptions FormLimits = new() { ValueCountLimit = 1024, KeyLengthLimit = 256, ValueLengthLimit = FormBytesMax, BufferBodyLengthLimit = FormBytesMax };

    private readonly IFormCollection? form;
    private readonly IQueryCollection url;

    private ApiRequest(IFormCollection? form, IQueryCollection url, bool isV2)
    {
        this.form = form;
        this.url = url;
        IsV2 = isV2;
    }

    /// <summary>The first fault; null while there is none.</summary>
    public ApiError? Error { get; private set; }

    /// <summary>Whether messages are those of Prometheus 2.42.</summary>
    public bool IsV2 { get; }

    /// <summary>Whose language queries are in.</summary>
    public PromSemantics Semantics => IsV2 ? PromSemantics.V2 : PromSemantics.V3;

    /// <summary>Reads the parameters.</summary>
    public static async ValueTask<(ApiRequest? Request, ApiError? Error)> ReadAsync(HttpRequest request, int semantics, CancellationToken cancellationToken)
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

        return (new ApiRequest(form, request.Query, semantics == 2), null);
    }

    /// <summary>Notes a fault; the first one stays.</summary>
    public void Fail(ApiError error) => Error ??= error;

    /// <summary>Notes that a parameter cannot be used.</summary>
    public void Fail(string name, string reason) => Fail(ApiError.BadData($"invalid parameter \"{name}\": {reason}"));

    /// <summary>A parameter's first value, the form's before the URL's; an empty value is none.</summary>
    public string? First(string name)
    {
        var value = form is not null && form.TryGetValue(name, out var formValue) ? formValue[0] : url[name] is { Count: > 0 } urlValue ? urlValue[0] : null;
        return string.IsNullOrEmpty(value) ? null : value;
    }

    /// <summary>All values of a parameter.</summary>
    public IReadOnlyList<string> All(string name)
    {
        var values = new List<string>();
        if (form is not null && form.TryGetValue(name, out var formValues))
        {
            values.AddRange(formValues.OfType<string>());
        }

        values.AddRange(url[name].OfType<string>());
        return values;
    }

    /// <summary>A time that may be missing, milliseconds.</summary>
    public long Time(string name, long otherwise)
    {
        if (First(name) is not { } text)
        {
            return otherwise;
        }

        if (!TryParseTime(text, out var time))
        {
            Fail(name, $"{(IsV2 ? "I" : "i")}nvalid time value for '{name}': cannot parse {GoText.Quote(Cut(text))} to a valid timestamp");
        }

        return time;
    }

    /// <summary>A time that must be there, milliseconds.</summary>
    public long RequiredTime(string name)
    {
        var text = First(name) ?? "";
        if (!TryParseTime(text, out var time))
        {
            Fail(name, $"cannot parse {GoText.Quote(Cut(text))} to a valid timestamp");
        }

        return time;
    }

    /// <summary>A duration, nanoseconds; null when it is missing and may be.</summary>
    public long? Duration(string name, bool isRequired = false)
    {
        var text = First(name);
        if (text is null && !isRequired)
        {
            return null;
        }

        if (!TryParseDuration(text ?? "", out var nanoseconds, out var reason))
        {
            Fail(name, reason);
        }

        return nanoseconds;
    }

    /// <summary>How many results to give; 0 for all.</summary>
    public int Limit()
    {
        if (First("limit") is not { } text)
        {
            return 0;
        }

        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var limit))
        {
            Fail("limit", $"strconv.Atoi: parsing {GoText.Quote(Cut(text))}: invalid syntax");
        }
        else if (limit < 0)
        {
            Fail("limit", "limit must be non-negative");
        }

        return limit;
    }

    private static bool TryParseTime(string text, out long milliseconds)
    {
        switch (text)
        {
            case "-292273086-05-16T16:47:06Z": // what Go's clients send for the ends of time
                milliseconds = TimeMin;
                return true;
            case "+292277025-08-18T07:12:54.999999999Z":
                milliseconds = TimeMax;
                return true;
            default:
                milliseconds = NowhereMs;
                return IsNowhere(text) || PromNumber.TryParseTime(text, out milliseconds);
        }
    }

    private static bool IsNowhere(string text) => (text is ['+' or '-', .. var unsigned] ? unsigned : text).ToUpperInvariant() switch
    {
        "INF" or "INFINITY" => true,
        "NAN" => text.Length == 3, // which has no sign
        _ => false,
    };

    internal static bool TryParseDuration(string text, out long nanoseconds, out string reason)
    {
        nanoseconds = 0;
        reason = $"cannot parse {GoText.Quote(Cut(text))} to a valid duration";
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (double.TryParse(text, style, CultureInfo.InvariantCulture, out var seconds) && !double.IsInfinity(seconds))
        {
            var exact = seconds * 1e9; // of NaN nothing is left, which no step may be
            if (Math.Abs(exact) >= NanosecondsMax)
            {
                reason += ". It overflows int64";
                return false;
            }

            nanoseconds = (long)exact;
            return true;
        }

        if (!PromDuration.TryParse(text, out var milliseconds, out _))
        {
            return false;
        }

        nanoseconds = milliseconds * 1_000_000;
        return true;
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

    private static string Cut(string text) => text.Length <= 64 ? text : text[..64] + "…";
}
