using System.Text.Json;
using Lm.Collector.Console;
using Lm.Collector.Query;
using Lm.Toml;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Lm.Collector.Dashboards;

/// <summary><c>/api/v1/dashboards</c>: list, read, save and delete.</summary>
internal sealed class DashboardsEndpoint(DashboardLibrary library, RequestGuard guard)
{
    /// <summary>What the paths of single dashboards begin with.</summary>
    public const string Prefix = "/api/v1/dashboards/";

    private const string TomlType = "application/toml";

    /// <summary>Answers with all of them.</summary>
    public async Task ListAsync(HttpContext context)
    {
        await using var json = ApiJson.Begin(context.Response);
        json.WriteStartArray();
        foreach (var dashboard in library.List())
        {
            json.WriteStartObject();
            WriteHead(json, dashboard);
            json.WriteString("description"u8, dashboard.Description);
            json.WriteStartArray("tags"u8);
            foreach (var tag in dashboard.Tags)
            {
                json.WriteStringValue(tag);
            }

            json.WriteEndArray();
            json.WriteNumber("panels"u8, dashboard.Panels);
            json.WriteEndObject();
            await ApiJson.FlushIfLargeAsync(json, context.Response, context.RequestAborted);
        }

        json.WriteEndArray();
        await ApiJson.EndAsync(json, context.Response, context.RequestAborted);
    }

    /// <summary>Answers with a definition that is sent to be read and checked, and is not saved.</summary>
    public async Task CheckAsync(HttpContext context)
    {
        var (dashboard, fault) = await ReadBodyAsync(context, null);
        if (dashboard is null)
        {
            await fault!.WriteAsync(context.Response);
            return;
        }

        await using var json = ApiJson.Begin(context.Response);
        json.WriteStartObject();
        WriteDefinition(json, dashboard);
        json.WriteEndObject();
        await ApiJson.EndAsync(json, context.Response, context.RequestAborted);
    }

    /// <summary>Answers a request for one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="id">Its id, as the address has it.</param>
    public Task OneAsync(HttpContext context, string id) => context.Request.Method switch
    {
        "PUT" => SaveAsync(context, id),
        "DELETE" => DeleteAsync(context, id),
        _ => ReadAsync(context, id),
    };

    private async Task ReadAsync(HttpContext context, string id)
    {
        var response = context.Response;
        if (library.Find(id) is not { } dashboard)
        {
            await NotFound(id).WriteAsync(response);
            return;
        }

        response.Headers.ETag = dashboard.ETag;
        if (context.Request.Headers.Accept.ToString().Contains(TomlType, StringComparison.OrdinalIgnoreCase))
        {
            response.ContentType = TomlType + "; charset=utf-8";
            await response.WriteAsync(dashboard.Toml, context.RequestAborted);
            return;
        }

        await using var json = ApiJson.Begin(response);
        json.WriteStartObject();
        WriteHead(json, dashboard);
        WriteDefinition(json, dashboard);
        json.WriteEndObject();
        await ApiJson.EndAsync(json, response, context.RequestAborted);
    }

    private async Task SaveAsync(HttpContext context, string id)
    {
        var (dashboard, fault) = await ReadBodyAsync(context, id);
        if (fault is null && library.FindReadOnly(id) is { } other)
        {
            fault = ReadOnly(other);
        }

        if (fault is not null)
        {
            await fault.WriteAsync(context.Response);
            return;
        }

        // The tag of what was saved here, not of what is there by now: else the next If-Match would go over what somebody else saved meanwhile, unseen.
        await AnswerAsync(context, id, dashboard!.ETag, library.Saved.SaveAsync(dashboard, ConditionOf(context.Request), EditorOf(context)));
    }

    private Task DeleteAsync(HttpContext context, string id) => library.FindReadOnly(id) is { } other
        ? ReadOnly(other).WriteAsync(context.Response)
        : AnswerAsync(context, id, null, library.Saved.DeleteAsync(id, ConditionOf(context.Request), EditorOf(context)));

    private static async Task AnswerAsync(HttpContext context, string id, string? etag, Task<SaveOutcome> change)
    {
        SaveOutcome outcome;
        try
        {
            outcome = await change;
        }
        catch (IOException e)
        {
            await new ApiError(StatusCodes.Status503ServiceUnavailable, "unavailable", $"nothing was changed: {e.Message}").WriteAsync(context.Response);
            return;
        }

        if (FaultOf(outcome, id) is { } fault)
        {
            await fault.WriteAsync(context.Response);
            return;
        }

        context.Response.StatusCode = outcome == SaveOutcome.Created ? StatusCodes.Status201Created : StatusCodes.Status200OK;
        await using var json = ApiJson.Begin(context.Response);
        json.WriteStartObject();
        json.WriteString("id"u8, id);
        if (etag is not null)
        {
            context.Response.Headers.ETag = etag;
            json.WriteString("etag"u8, etag);
        }

        json.WriteEndObject();
        await ApiJson.EndAsync(json, context.Response, context.RequestAborted);
    }

    private static ApiError? FaultOf(SaveOutcome outcome, string id) => outcome switch
    {
        SaveOutcome.NotFound => NotFound(id),
        SaveOutcome.Changed => new ApiError(StatusCodes.Status412PreconditionFailed, "conflict", $"the dashboard {id} was changed by somebody else since it was read; read it again"),
        SaveOutcome.Gone => new ApiError(StatusCodes.Status412PreconditionFailed, "conflict", $"the dashboard {id} was deleted by somebody else since it was read"),
        SaveOutcome.Unseen => new ApiError(StatusCodes.Status428PreconditionRequired, "bad_data", $"there is a dashboard {id}: send If-Match with the ETag that it was read with"),
        SaveOutcome.Full => new ApiError(StatusCodes.Status409Conflict, "bad_data", $"at most {SavedDashboards.CountMax} dashboards and {SavedDashboards.SizeMax} characters of them are kept; delete some"),
        _ => null,
    };

    private async Task<(Dashboard? Dashboard, ApiError? Fault)> ReadBodyAsync(HttpContext context, string? id)
    {
        var request = context.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals(TomlType, StringComparison.OrdinalIgnoreCase))
        {
            return (null, new ApiError(StatusCodes.Status415UnsupportedMediaType, "bad_data", $"Content-Type must be {TomlType}, and the body the definition"));
        }

        if (await ReadBytesAsync(context) is not { } bytes)
        {
            return (null, new ApiError(StatusCodes.Status413PayloadTooLarge, "bad_data", $"a definition has at most {Dashboard.SizeMax} bytes"));
        }

        var document = TomlDocument.Parse(bytes, id ?? "dashboard");
        var dashboard = DashboardReader.Read(document, bytes, DashboardOrigin.Console, library.Semantics);
        if (dashboard is not null && id is not null && dashboard.Id != id)
        {
            document.Root.Fault("id", $"id is {dashboard.Id}; the address says {id}");
        }

        if (dashboard is { OverridesBuiltin: true })
        {
            document.Root.Fault("overrides_builtin", "overrides_builtin is for files: what is saved here cannot take a built-in dashboard's place");
        }

        return document.Faults.Any ? (null, ApiError.BadData(string.Join('\n', document.Faults.All))) : (dashboard, null);
    }

    // Null when there are too many.
    private static async Task<byte[]?> ReadBytesAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null; // counted here, for an answer that says what is allowed
        }

        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is var read and > 0)
        {
            if (body.Length + read > Dashboard.SizeMax)
            {
                return null;
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private Editor EditorOf(HttpContext context) =>
        new(guard.RightOf(context) == RequestRight.Session ? "session" : "query token", context.Connection.RemoteIpAddress?.ToString() ?? "");

    private static SaveCondition ConditionOf(HttpRequest request) => new(
        request.Headers.IfNoneMatch.ToString().Trim() == "*",
        [.. request.Headers.IfMatch.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]);

    private static ApiError NotFound(string id) => new(StatusCodes.Status404NotFound, "not_found", $"there is no dashboard {BoundedText.Cut(id)}");

    private static ApiError ReadOnly(Dashboard dashboard) => new(StatusCodes.Status409Conflict, "bad_data", dashboard.Origin == DashboardOrigin.Builtin
        ? $"{dashboard.Id} is built in: save a copy under another id"
        : $"{dashboard.Id} comes from the file {dashboard.File}: change it there, or save a copy under another id");

    private static void WriteDefinition(Utf8JsonWriter json, Dashboard dashboard)
    {
        json.WriteString("toml"u8, dashboard.Toml);
        json.WritePropertyName("definition"u8);
        json.WriteRawValue(dashboard.Json.Span, skipInputValidation: true); // written by this program
    }

    private static void WriteHead(Utf8JsonWriter json, Dashboard dashboard)
    {
        json.WriteString("id"u8, dashboard.Id);
        json.WriteString("title"u8, dashboard.Title);
        json.WriteString("origin"u8, dashboard.Origin switch { DashboardOrigin.Builtin => "builtin", DashboardOrigin.File => "file", _ => "console" });
        json.WriteString("file"u8, dashboard.File);
        json.WriteString("etag"u8, dashboard.ETag);
    }
}
