using System.Net.Http.Headers;
using System.Text.Json;
using Lm.Collector.Tests.Query;

namespace Lm.Collector.Tests.Live;

/// <summary>A client of the live stream that reads as browsers do.</summary>
internal sealed class EventStream : IAsyncDisposable
{
    private readonly HttpResponseMessage answer;
    private readonly StreamReader lines;

    private EventStream(HttpResponseMessage answer, StreamReader lines) => (this.answer, this.lines) = (answer, lines);

    /// <summary>The id that a client would come back with.</summary>
    public string LastId { get; private set; } = "";

    public HttpContentHeaders Headers => answer.Content.Headers;

    public static async Task<EventStream> OpenAsync(PrivateListener listener, string query = "", string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/live" + query);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", PrivateListener.Token);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var cancellationToken = TestContext.Current.CancellationToken;
        var answer = await listener.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, answer.IsSuccessStatusCode ? "" : await answer.Content.ReadAsStringAsync(cancellationToken));
        return new EventStream(answer, new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken)));
    }

    /// <summary>The next event.</summary>
    public async Task<LiveEvent> NextAsync()
    {
        var (name, data) = ("message", "");
        while (true)
        {
            var line = await LineAsync() ?? throw new EndOfStreamException("the stream ended");
            if (line.Length == 0 && data.Length > 0)
            {
                using var document = JsonDocument.Parse(data);
                return new LiveEvent(name, document.RootElement.Clone(), LastId);
            }

            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                data = line["data: ".Length..];
            }
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                LastId = line["id: ".Length..];
            }
        }
    }

    /// <summary>The next line as it came; null when the stream has ended.</summary>
    public Task<string?> LineAsync() => lines.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();

    /// <summary>Reads up to the place where the client knows where it is, and nothing was told yet.</summary>
    public async Task GreetedAsync()
    {
        while (LastId.Length == 0)
        {
            var line = await LineAsync();
            LastId = line!.StartsWith("id: ", StringComparison.Ordinal) ? line["id: ".Length..] : "";
        }
    }

    public ValueTask DisposeAsync()
    {
        lines.Dispose();
        answer.Dispose();
        return ValueTask.CompletedTask;
    }
}

internal sealed record LiveEvent(string Name, JsonElement Data, string Id)
{
    public string Text(string property) => Data.GetProperty(property).GetString()!;

    public string Metric => Data.GetProperty("metric").GetProperty("__name__").GetString()!;
}
