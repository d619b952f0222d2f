using System.Net;
using Lm.Collector.Listeners;

namespace Lm.Collector.Tests.Query;

public sealed class PrivateEndpointsTests
{
    public static TheoryData<string> GuardedPaths =>
        ["/metrics", "/api/v1/query?query=up", "/api/v1/agents", "/api/v1/status/buildinfo", "/api/v1/nothing", "/index.html", "/assets/index.html", "/assets/../metrics", "/anything"];

    [Theory]
    [MemberData(nameof(GuardedPaths))]
    public async Task Without_a_token_every_path_is_401_with_a_challenge(string path)
    {
        await using var listener = await PrivateListener.StartAsync();
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post, HttpMethod.Delete, HttpMethod.Put, HttpMethod.Head, HttpMethod.Options])
        {
            using var answer = await listener.SendAsync(method, path, token: null);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.ToString());
        }
    }

    [Theory]
    [InlineData("?token=")]
    [InlineData("?access_token=")]
    [InlineData("?authorization=Bearer%20")]
    public async Task A_token_in_the_URL_is_not_read(string parameter)
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync("/api/v1/agents" + parameter + PrivateListener.Token, token: null)).Status);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData(PrivateListener.Token + "x")]
    [InlineData("QUERY-TOKEN-OF-THE-TESTS")]
    [InlineData("query-token-of-the-test")]
    public async Task A_wrong_token_is_401(string token)
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync("/api/v1/agents", token)).Status);
    }

    [Theory]
    [InlineData("Basic cXVlcnk6dG9rZW4=")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData(PrivateListener.Token)]
    public async Task Another_kind_of_authorization_is_401(string header)
    {
        await using var listener = await PrivateListener.StartAsync();

        using var answer = await listener.SendAsync(HttpMethod.Get, "/api/v1/agents", token: null, content: null, ("Authorization", header));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("192.0.2.7")]
    [InlineData("localhost.evil.example:18080")]
    public async Task A_foreign_Host_is_421_even_with_the_token(string host)
    {
        await using var listener = await PrivateListener.StartAsync();
        foreach (var path in (string[])["/api/v1/agents", "/login", "/healthz"])
        {
            using var answer = await listener.SendAsync(HttpMethod.Get, path, PrivateListener.Token, null, ("Host", host));
            Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:9")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]:18080")]
    [InlineData("mon.example")]
    [InlineData("Mon.Example:443")]
    public async Task A_known_Host_is_served(string host)
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { AllowedHosts = ["mon.example"] });

        using var answer = await listener.SendAsync(HttpMethod.Get, "/api/v1/agents", PrivateListener.Token, null, ("Host", host));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Health_needs_no_token()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Ready = new ReadinessReport(false, ["replaying the spool", "clock suspect"]);

        Assert.Equal((HttpStatusCode.OK, "ok\n"), await listener.GetAsync("/healthz", token: null));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "replaying the spool\nclock suspect\n"), await listener.GetAsync("/readyz", token: null));

        listener.Ready = new ReadinessReport(true, []);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await listener.GetAsync("/readyz", token: null));
    }

    [Fact]
    public async Task With_the_token_an_unknown_path_is_404_and_an_unknown_method_405()
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await listener.GetAsync("/api/v1/nothing")).Status);
        using var answer = await listener.SendAsync(HttpMethod.Delete, "/api/v1/agents");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal("GET", answer.Content.Headers.Allow.Single());
    }

    [Fact]
    public async Task Every_answer_has_the_safety_headers_and_the_api_is_not_stored()
    {
        await using var listener = await PrivateListener.StartAsync();
        var style = PrivateListener.AssetPath(".css");
        foreach (var path in (string[])["/login", "/", "/api/v1/agents", style, "/nothing", "/healthz"])
        {
            using var answer = await listener.SendAsync(HttpMethod.Get, path);
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
            Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
            Assert.Equal("same-origin", answer.Headers.GetValues("Cross-Origin-Opener-Policy").Single());
            var expected = path is "/login" or "/" ? "no-cache" : path == style ? "public, max-age=31536000, immutable" : "no-store";
            Assert.Equal(expected, answer.Headers.NonValidated["Cache-Control"].ToString());
        }
    }

    [Fact]
    public async Task The_console_without_a_session_asks_for_the_token_in_place_and_with_parameters_leads_there_and_back()
    {
        await using var listener = await PrivateListener.StartAsync();

        var signIn = await listener.GetAsync("/login", token: null);
        var bare = await listener.GetAsync("/", token: null);
        using var answer = await listener.SendAsync(HttpMethod.Get, "/?from=now-6h", token: null);

        Assert.Equal(HttpStatusCode.OK, bare.Status);
        Assert.Equal(signIn, bare);
        Assert.NotEqual(signIn, await listener.GetAsync("/"));
        Assert.Equal((HttpStatusCode.SeeOther, "/login?next=%3Ffrom%3Dnow-6h"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
    }

    [Fact]
    public async Task A_page_deep_in_the_console_leads_to_sign_in_and_back_and_loads_its_files_from_the_base_path()
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { BasePath = "/lm/" });

        using var answer = await listener.SendAsync(HttpMethod.Get, "/lm/hosts/web%2F1?from=now-6h&to=now", token: null);
        var (status, page) = await listener.GetAsync("/lm/hosts/web%2F1");

        Assert.Equal((HttpStatusCode.SeeOther, "/lm/login?next=hosts%2Fweb%252F1%3Ffrom%3Dnow-6h%26to%3Dnow"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("src=\"/lm/assets/index-", page, StringComparison.Ordinal);
        Assert.DoesNotContain("\"./", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_a_base_path_all_but_health_moves_there()
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { BasePath = "/lm/" });

        Assert.Equal(HttpStatusCode.OK, (await listener.GetAsync("/lm/api/v1/agents")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await listener.GetAsync("/api/v1/agents")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync("/api/v1/agents", token: null)).Status);
        Assert.Equal(HttpStatusCode.OK, (await listener.GetAsync("/healthz", token: null)).Status);
        using var console = await listener.SendAsync(HttpMethod.Get, "/lm", token: null);
        Assert.Equal("/lm/", console.Headers.Location?.ToString());
        Assert.Contains("src=\"/lm/assets/login-", (await listener.GetAsync("/lm/", token: null)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_the_browser_has_is_not_sent_again()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var first = await listener.SendAsync(HttpMethod.Get, PrivateListener.AssetPath(".css"), token: null);

        using var second = await listener.SendAsync(HttpMethod.Get, PrivateListener.AssetPath(".css"), null, null, ("If-None-Match", first.Headers.ETag!.ToString()));

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task A_fault_of_the_program_is_503_and_says_nothing_of_the_inside()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Wait = _ => throw new InvalidOperationException("the secret inside");

        var (status, body) = await listener.GetAsync("/api/v1/query?query=x");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
    }
}
