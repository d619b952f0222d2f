using System.Net.Http.Headers;
using System.Text.Json;
using Lm.Collector.Tests.Ingest;

namespace Lm.Collector.Tests.Landing;

/// <summary>The whole collector with a folder as its object store.</summary>
public sealed class LandingEndpointTests
{
    private const string Store = """
        [object_store]
        kind = "directory"
        directory = "/objects"
        prefix = "fleet-a"
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_acknowledged_lands_by_itself_and_the_page_says_so()
    {
        await using var running = await RunningCollector.StartAsync(more: Store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        using (var client = running.Client())
        {
            using var answer = await client.SendAsync(running.Request(1), Cancelled);
            Assert.True(answer.IsSuccessStatusCode);
        }

        var run = running.Host.RunAsync(stopping.Token);
        JsonElement status;
        do
        {
            status = await StatusAsync(running);
        }
        while (status.GetProperty("objects").GetInt64() == 0);

        Assert.Equal("ok", status.GetProperty("state").GetString());
        Assert.Equal("directory /objects", status.GetProperty("store").GetString());
        Assert.Equal(0, status.GetProperty("pending_bytes").GetInt64());
        Assert.Single(running.Files.AllFiles("/objects"), path => path.StartsWith("/objects/fleet-a/raw/", StringComparison.Ordinal) && path.EndsWith(".lmf", StringComparison.Ordinal));
        var metrics = await GetAsync(running, "metrics");
        Assert.Contains("\nlm_collector_landing_objects_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nlm_collector_object_store_requests_total{request=\"put\"}", metrics, StringComparison.Ordinal);

        await stopping.CancelAsync();
        await run;
    }

    [Fact]
    public async Task Of_a_shared_log_it_says_how_far_that_is_and_what_is_on_its_way()
    {
        await using var running = await RunningCollector.StartAsync(ingest: "acceptance = \"s3_manifest\"", more: Store);

        var status = await StatusAsync(running);

        Assert.Equal(("ok", "directory /objects"), (status.GetProperty("state").GetString(), status.GetProperty("store").GetString()));
        Assert.Equal(
            ["last", "last_ms", "applied", "covered", "filed", "published", "published_until_ms", "publishing", "upkeep_reason", "parts", "builder", "missing"],
            status.GetProperty("shared_log").EnumerateObject().Select(static member => member.Name));
        Assert.Contains("\nlm_collector_shared_log_upkeep_failing 0\n", await GetAsync(running, "metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_object_store_the_page_says_that_it_is_off()
    {
        await using var running = await RunningCollector.StartAsync();

        Assert.Equal("off", (await StatusAsync(running)).GetProperty("state").GetString());
        Assert.DoesNotContain("lm_collector_landing_", await GetAsync(running, "metrics"), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> StatusAsync(RunningCollector running)
    {
        using var document = JsonDocument.Parse(await GetAsync(running, "api/v1/landing"));
        var root = document.RootElement;
        return (root.TryGetProperty("data", out var data) ? data : root).Clone();
    }

    private static async Task<string> GetAsync(RunningCollector running, string path)
    {
        using var client = new HttpClient { BaseAddress = running.Query };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "query-secret");
        return await client.GetStringAsync(path, Cancelled);
    }
}
