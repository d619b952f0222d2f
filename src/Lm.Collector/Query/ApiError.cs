using System.Buffers;
using System.Text.Json;

namespace Lm.Collector.Query;

/// <summary>A failure, in the shape that Prometheus' API gives it.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Type">Prometheus' <c>errorType</c>, or one in its manner.</param>
/// <param name="Message">What, where, what is allowed.</param>
internal sealed record ApiError(int Status, string Type, string Message)
{
    /// <summary>A parameter that cannot be used.</summary>
    public static ApiError BadData(string message) => new(StatusCodes.Status400BadRequest, "bad_data", message);

    /// <summary>Answers with it.</summary>
    public Task WriteAsync(HttpResponse response)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(body, ApiJson.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("status"u8, "error"u8);
            writer.WriteString("errorType"u8, Type);
            writer.WriteString("error"u8, Message);
            writer.WriteEndObject();
        }

        response.StatusCode = Status;
        response.ContentType = ApiJson.ContentType;
        response.ContentLength = body.WrittenCount;
        return response.Body.WriteAsync(body.WrittenMemory, response.HttpContext.RequestAborted).AsTask();
    }
}
