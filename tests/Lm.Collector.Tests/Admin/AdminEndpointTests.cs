using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Lm.Collector.Tests.Ingest;
using Lm.Collector.Tests.Query;

namespace Lm.Collector.Tests.Admin;

public sealed class AdminEndpointTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Settings_are_shown_with_their_places_and_what_a_reload_did_not_take_and_no_secret()
    {
        await using var running = await RunningCollector.StartAsync();
        var (config, text) = await GetAsync(running, "config");
        Assert.Equal(running.Folder["server.toml"], config.GetProperty("file").GetString());
        var settings = config.GetProperty("settings").EnumerateArray().ToDictionary(each => each.GetProperty("name").GetString()!);
        Assert.Equal(("\"/spool\"", true, 13), (settings["storage.spool_dir"].GetProperty("value").GetString(), settings["storage.spool_dir"].GetProperty("is_set").GetBoolean(), settings["storage.spool_dir"].GetProperty("line").GetInt32()));
        Assert.Equal(("90", false), (settings["storage.local_retention_days"].GetProperty("value").GetString(), settings["storage.local_retention_days"].GetProperty("is_set").GetBoolean()));
        Assert.DoesNotContain("query-secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("token-of-a1", text, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, config.GetProperty("refused_reload").ValueKind);

        var file = running.Folder["server.toml"];
        var before = await File.ReadAllTextAsync(file, Cancelled);
        running.Folder.Write("server.toml", before + "\nblock_hours = \"two\"\n");
        Assert.False(running.Reload());
        var refused = (await GetAsync(running, "config")).Data.GetProperty("refused_reload");
        Assert.Contains($"{file}:16:15: block_hours is a string", refused.GetProperty("faults")[0].GetString(), StringComparison.Ordinal);

        running.Folder.Write("server.toml", before + "\nblock_hours = 4\n");
        Assert.True(running.Reload());
        config = (await GetAsync(running, "config")).Data;
        Assert.Equal((JsonValueKind.Null, "storage.block_hours"), (config.GetProperty("refused_reload").ValueKind, Assert.Single(config.GetProperty("awaits_restart").EnumerateArray()).GetString()));
        var hours = config.GetProperty("settings").EnumerateArray().Single(each => each.GetProperty("name").GetString() == "storage.block_hours");
        Assert.Equal(("2", "4", 16), (hours.GetProperty("value").GetString(), hours.GetProperty("awaits_restart").GetString(), hours.GetProperty("line").GetInt32()));

        running.Folder.Write("s3-id", "the-id\n");
        running.Folder.Write("s3-secret", "the-secret\n");
        running.Folder.Write("server.toml", before + "\n[object_store]\nbucket = \"later\"\naccess_key_id_file = \"s3-id\"\nsecret_access_key_file = \"s3-secret\"\n");
        Assert.True(running.Reload());
        config = (await GetAsync(running, "config")).Data;
        var bucket = config.GetProperty("settings").EnumerateArray().Single(each => each.GetProperty("name").GetString() == "object_store.bucket");
        Assert.Equal((JsonValueKind.Null, "\"later\""), (bucket.GetProperty("value").ValueKind, bucket.GetProperty("awaits_restart").GetString()));
        Assert.DoesNotContain(config.GetProperty("settings").EnumerateArray(), each => each.GetProperty("name").GetString() == "storage.block_hours" && each.GetProperty("awaits_restart").ValueKind != JsonValueKind.Null);
    }

    [Fact]
    public async Task Stores_are_listed_with_what_they_take()
    {
        await using var running = await RunningCollector.StartAsync();
        var retention = (await GetAsync(running, "retention")).Data;

        Assert.Equal((90, 35, 10_737_418_240), (retention.GetProperty("local_retention_days").GetInt32(), retention.GetProperty("backfill_days").GetInt32(), retention.GetProperty("max_spool_bytes").GetInt64()));
        Assert.Equal(["spool", "head", "blocks", "log files", "changes"], retention.GetProperty("stores").EnumerateArray().Select(each => each.GetProperty("name").GetString()));
        Assert.Equal(JsonValueKind.Null, retention.GetProperty("forecast_bytes").ValueKind);
    }

    [Fact]
    public async Task Sessions_are_listed_without_what_would_let_somebody_use_them_and_can_be_ended()
    {
        await using var listener = await PrivateListener.StartAsync();
        var (first, second) = (await SignInAsync(listener), await SignInAsync(listener));

        using var listed = await listener.SendAsync(HttpMethod.Get, "/api/v1/admin/sessions", token: null, headers: ("Cookie", first));
        var text = await listed.Content.ReadAsStringAsync(Cancelled);
        using var answer = JsonDocument.Parse(text);
        var sessions = answer.RootElement.GetProperty("data").EnumerateArray().ToArray();
        Assert.Equal([(1, "127.0.0.1", true), (2, "127.0.0.1", false)], sessions.Select(each => (each.GetProperty("id").GetInt32(), each.GetProperty("from").GetString()!, each.GetProperty("is_this").GetBoolean())));
        Assert.DoesNotContain(first.Split('=')[1], text, StringComparison.Ordinal);

        using var foreign = await listener.SendAsync(HttpMethod.Delete, "/api/v1/admin/sessions/2", token: null, headers: [("Cookie", first), ("Sec-Fetch-Site", "cross-site")]);
        using var ended = await listener.SendAsync(HttpMethod.Delete, "/api/v1/admin/sessions/2", token: null, headers: [("Cookie", first), ("Sec-Fetch-Site", "same-origin")]);
        using var gone = await listener.SendAsync(HttpMethod.Delete, "/api/v1/admin/sessions/2");
        using var asked = await listener.SendAsync(HttpMethod.Get, "/api/v1/agents", token: null, headers: ("Cookie", second));
        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.OK, HttpStatusCode.NotFound, HttpStatusCode.Unauthorized], [foreign.StatusCode, ended.StatusCode, gone.StatusCode, asked.StatusCode]);
    }

    private static async Task<string> SignInAsync(PrivateListener listener)
    {
        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/session", content: new StringContent("", new MediaTypeHeaderValue("application/json")));
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private static async Task<(JsonElement Data, string Text)> GetAsync(RunningCollector running, string page)
    {
        using var client = new HttpClient { BaseAddress = running.Query };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "query-secret");
        var text = await client.GetStringAsync(new Uri($"api/v1/admin/{page}", UriKind.Relative), Cancelled);
        using var document = JsonDocument.Parse(text);
        return (document.RootElement.GetProperty("data").Clone(), text);
    }
}
