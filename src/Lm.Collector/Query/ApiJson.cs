using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lm.Collector.Query;

/// <summary>How the API's JSON is written.</summary>
internal static class ApiJson
{
    /// <summary>The media type of every answer.</summary>
    public const string ContentType = "application/json";

    // Bytes that may gather before they are sent on: a large answer never lies in memory twice.
    private const int FlushBytes = 32 * 1024;

    /// <summary>Text stays as it is where JSON lets it: answers are never put into a page as HTML, and say nosniff.</summary>
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Begins a successful answer and opens <c>data</c>, which the caller writes.</summary>
    public static Utf8JsonWriter Begin(HttpResponse response)
    {
        response.ContentType = ContentType;
        var writer = new Utf8JsonWriter(response.BodyWriter, Options);
        writer.WriteStartObject();
        writer.WriteString("status"u8, "success"u8);
        writer.WritePropertyName("data"u8);
        return writer;
    }

    /// <summary>Ends the answer begun by <see cref="Begin"/>.</summary>
    public static async Task EndAsync(Utf8JsonWriter writer, HttpResponse response, CancellationToken cancellationToken)
    {
        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken);
        await response.BodyWriter.FlushAsync(cancellationToken);
    }

    /// <summary>Sends what has gathered when it is much; a slow reader slows the writer here.</summary>
    public static async ValueTask FlushIfLargeAsync(Utf8JsonWriter writer, HttpResponse response, CancellationToken cancellationToken)
    {
        if (writer.BytesPending > FlushBytes)
        {
            await writer.FlushAsync(cancellationToken);
            await response.BodyWriter.FlushAsync(cancellationToken);
        }
    }
}
