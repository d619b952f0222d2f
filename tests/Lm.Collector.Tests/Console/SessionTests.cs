using System.Net;
using System.Text;
using Lm.Collector.Settings;
using Lm.Collector.Tests.Query;
using Lm.TestKit;

namespace Lm.Collector.Tests.Console;

public sealed class SessionTests
{
    private static readonly (string, string) SameOrigin = ("Sec-Fetch-Site", "same-origin");

    [Fact]
    public async Task Signing_in_gives_a_cookie_that_scripts_other_sites_and_plain_text_cannot_have()
    {
        await using var listener = await PrivateListener.StartAsync();

        using var answer = await SignInAsync(listener);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.Matches("^lm-session-18080=[A-Za-z0-9_-]{43}; path=/; samesite=strict; httponly$", cookie);
        Assert.DoesNotContain(PrivateListener.Token, cookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "__Host-lm-session=")]
    [InlineData("/lm/", "__Secure-lm-session=")]
    public async Task With_TLS_the_cookie_is_secure_and_its_name_makes_browsers_insist(string basePath, string expected)
    {
        await using var listener = await PrivateListener.StartAsync(change: settings => settings with { Tls = new TlsFiles("c", "k"), BasePath = basePath });

        using var answer = await SignInAsync(listener, path: basePath + "api/v1/session");

        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.StartsWith(expected, cookie, StringComparison.Ordinal);
        Assert.Contains($"; path={basePath}; secure; samesite=strict; httponly", cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cookie_opens_what_the_token_opens_until_sign_out()
    {
        await using var listener = await PrivateListener.StartAsync();
        var cookie = await CookieAsync(listener);

        Assert.Equal(HttpStatusCode.OK, await AgentsAsync(listener, cookie));
        using var page = await listener.SendAsync(HttpMethod.Get, "/", null, null, ("Cookie", cookie));
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);

        using var signOut = await listener.SendAsync(HttpMethod.Delete, "/api/v1/session", null, Json(), ("Cookie", cookie), SameOrigin);
        Assert.Equal(HttpStatusCode.OK, signOut.StatusCode);
        Assert.Contains("expires=Thu, 01 Jan 1970", signOut.Headers.GetValues("Set-Cookie").Single(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, await AgentsAsync(listener, cookie));
    }

    [Fact]
    public async Task A_session_ends_after_twelve_idle_hours()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        var cookie = await CookieAsync(listener);

        time.Advance(TimeSpan.FromHours(11));
        Assert.Equal(HttpStatusCode.OK, await AgentsAsync(listener, cookie));
        time.Advance(TimeSpan.FromHours(11));
        Assert.Equal(HttpStatusCode.OK, await AgentsAsync(listener, cookie));
        time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(HttpStatusCode.Unauthorized, await AgentsAsync(listener, cookie));
    }

    [Fact]
    public async Task A_session_ends_after_seven_days_however_much_it_is_used()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        var cookie = await CookieAsync(listener);
        for (var i = 1; i < 7 * 24 / 8; i++)
        {
            time.Advance(TimeSpan.FromHours(8));
            Assert.Equal(HttpStatusCode.OK, await AgentsAsync(listener, cookie));
        }

        time.Advance(TimeSpan.FromHours(8));
        Assert.Equal(HttpStatusCode.Unauthorized, await AgentsAsync(listener, cookie));
    }

    [Fact]
    public async Task A_set_wall_clock_ends_no_session()
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        var cookie = await CookieAsync(listener);

        time.JumpWallClock(TimeSpan.FromDays(400));

        Assert.Equal(HttpStatusCode.OK, await AgentsAsync(listener, cookie));
    }

    [Fact]
    public async Task A_changed_token_ends_every_session()
    {
        await using var listener = await PrivateListener.StartAsync();
        var cookie = await CookieAsync(listener);

        listener.Settings = listener.Settings with { Token = new Secret(PrivateListener.Token) }; // read again, unchanged
        Assert.Equal(HttpStatusCode.OK, await AgentsAsync(listener, cookie));
        listener.Settings = listener.Settings with { Token = new Secret("another") };
        Assert.Equal(HttpStatusCode.Unauthorized, await AgentsAsync(listener, cookie));
    }

    [Theory]
    [InlineData("lm-session-18080=")]
    [InlineData("lm-session-18080=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("lm-session-18080=" + PrivateListener.Token)]
    [InlineData("lm-session=x; token=" + PrivateListener.Token)]
    public async Task An_invented_cookie_opens_nothing(string cookie)
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, await AgentsAsync(listener, cookie));
    }

    [Theory]
    [InlineData("POST", "/api/v1/session")]
    [InlineData("GET", "/api/v1/session")]
    [InlineData("GET", "/api/v1/agents")]
    [InlineData("GET", "/nothing")]
    public async Task More_than_ten_wrong_tokens_a_minute_from_one_address_are_429_at_every_path_and_the_right_one_always_passes(string method, string path)
    {
        var time = new ManualTime();
        await using var listener = await PrivateListener.StartAsync(time);
        for (var i = 0; i < 10; i++)
        {
            using var wrong = await SendWrongAsync();
            Assert.NotEqual(HttpStatusCode.TooManyRequests, wrong.StatusCode);
        }

        time.Advance(TimeSpan.FromSeconds(20));
        foreach (var elsewhere in (string[])["/api/v1/query?query=x", "/api/v1/session", "/metrics", "/"])
        {
            using var limited = await listener.SendAsync(HttpMethod.Get, elsewhere, "wrong");
            Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(40)), (limited.StatusCode, limited.Headers.RetryAfter?.Delta));
        }

        using var signIn = await SignInAsync(listener);
        Assert.Equal(HttpStatusCode.OK, signIn.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await listener.GetAsync("/api/v1/agents")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await listener.GetAsync("/api/v1/agents", token: null)).Status); // no token is no guess

        time.Advance(TimeSpan.FromSeconds(40));
        using var again = await SendWrongAsync();
        Assert.NotEqual(HttpStatusCode.TooManyRequests, again.StatusCode);

        Task<HttpResponseMessage> SendWrongAsync() =>
            listener.SendAsync(new HttpMethod(method), path, "wrong", method == "POST" ? Json() : null, SameOrigin);
    }

    [Fact]
    public async Task Wrong_tokens_at_sign_in_are_counted_by_how_they_ended()
    {
        await using var listener = await PrivateListener.StartAsync();
        for (var i = 0; i < 12; i++)
        {
            using var wrong = await SignInAsync(listener, token: "wrong");
        }

        var metrics = (await listener.GetAsync("/metrics")).Body;
        Assert.Contains("lm_collector_sign_ins_total{result=\"wrong_token\"} 10\n", metrics, StringComparison.Ordinal);
        Assert.Contains("lm_collector_sign_ins_total{result=\"limited\"} 2\n", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-site", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "none", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("Origin", "null", HttpStatusCode.Forbidden)]
    [InlineData("Sec-Fetch-Site", "same-origin", HttpStatusCode.OK)]
    public async Task A_browser_may_sign_in_and_out_from_this_site_alone(string header, string value, HttpStatusCode expected)
    {
        await using var listener = await PrivateListener.StartAsync();
        var cookie = await CookieAsync(listener);

        using var signIn = await listener.SendAsync(HttpMethod.Post, "/api/v1/session", PrivateListener.Token, Json(), (header, value));
        Assert.Equal(expected, signIn.StatusCode);
        using var signOut = await listener.SendAsync(HttpMethod.Delete, "/api/v1/session", null, Json(), ("Cookie", cookie), (header, value));
        Assert.Equal(expected, signOut.StatusCode);
        using var query = await listener.SendAsync(HttpMethod.Post, "/api/v1/query?query=x", null, null, ("Cookie", await CookieAsync(listener)), (header, value));
        Assert.Equal(expected, query.StatusCode);
    }

    [Fact]
    public async Task An_unsafe_request_by_cookie_needs_an_origin()
    {
        await using var listener = await PrivateListener.StartAsync();
        var cookie = await CookieAsync(listener);

        using var none = await listener.SendAsync(HttpMethod.Delete, "/api/v1/session", null, Json(), ("Cookie", cookie));
        Assert.Equal(HttpStatusCode.Forbidden, none.StatusCode);
        using var own = await listener.SendAsync(HttpMethod.Delete, "/api/v1/session", null, Json(), ("Cookie", cookie), ("Origin", listener.Address.GetLeftPart(UriPartial.Authority)));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
    }

    [Fact]
    public async Task A_form_cannot_sign_in()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var form = new FormUrlEncodedContent([new("token", PrivateListener.Token)]);

        using var answer = await listener.SendAsync(HttpMethod.Post, "/api/v1/session", PrivateListener.Token, form, SameOrigin);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Anyone_may_ask_whether_they_are_signed_in()
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal("""{"status":"success","data":{"signed_in":false,"scopes":[]}}""", (await listener.GetAsync("/api/v1/session", token: null)).Body);
        Assert.Equal("""{"status":"success","data":{"signed_in":true,"scopes":["read","write","admin"]}}""", (await listener.GetAsync("/api/v1/session")).Body);
    }

    private static Task<HttpResponseMessage> SignInAsync(PrivateListener listener, string token = PrivateListener.Token, string path = "/api/v1/session") =>
        listener.SendAsync(HttpMethod.Post, path, token, Json(), SameOrigin);

    internal static async Task<string> CookieAsync(PrivateListener listener)
    {
        using var answer = await SignInAsync(listener);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private static async Task<HttpStatusCode> AgentsAsync(PrivateListener listener, string cookie)
    {
        using var answer = await listener.SendAsync(HttpMethod.Get, "/api/v1/agents", null, null, ("Cookie", cookie));
        return answer.StatusCode;
    }

    private static StringContent Json() => new("{}", Encoding.UTF8, "application/json");
}
