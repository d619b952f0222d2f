using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lm.Collector.Dashboards;
using Lm.Collector.Tests.Query;
using Lm.PromQL;
using Lm.TestKit;
using Lm.Toml;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Collector.Tests.Dashboards;

public sealed class DashboardsEndpointTests
{
    private const string Path = "/api/v1/dashboards/mine";
    private const string Mine = "# mine\nid = \"mine\"\ntitle = \"Mine\"\n";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_built_in_ones_are_listed_and_read_as_json_and_as_toml()
    {
        await using var listener = await PrivateListener.StartAsync();

        var list = await listener.GetJsonAsync("/api/v1/dashboards");
        Assert.Equal(["collector", "fleet", "host", "logs"], list.EnumerateArray().Select(each => each.GetProperty("id").GetString()));
        Assert.All(list.EnumerateArray(), each => Assert.Equal("builtin", each.GetProperty("origin").GetString()));
        var host = await listener.GetJsonAsync("/api/v1/dashboards/host");
        Assert.Equal("Host", host.GetProperty("definition").GetProperty("title").GetString());
        using var toml = await listener.SendAsync(HttpMethod.Get, "/api/v1/dashboards/host", headers: ("Accept", "application/toml"));
        Assert.Equal(host.GetProperty("toml").GetString(), await toml.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal(host.GetProperty("etag").GetString(), toml.Headers.ETag!.Tag);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.Unauthorized), ((await listener.GetAsync("/api/v1/dashboards/none")).Status, (await listener.GetAsync("/api/v1/dashboards", null)).Status));
    }

    [Fact]
    public async Task One_is_saved_changed_by_who_has_seen_it_and_deleted_and_all_of_it_is_there_after_a_restart()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var created = await PutAsync(listener, Mine);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var first = created.Headers.ETag!.Tag;

        using (var unseen = await PutAsync(listener, Mine + "tags = [\"a\"]\n"))
        {
            Assert.Equal(HttpStatusCode.PreconditionRequired, unseen.StatusCode);
        }

        using var changed = await PutAsync(listener, Mine + "tags = [\"a\"]\n", ("If-Match", first));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        using (var late = await PutAsync(listener, Mine + "tags = [\"b\"]\n", ("If-Match", first)))
        {
            Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
            Assert.Contains("changed by somebody else", await late.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }

        using (var isNew = await PutAsync(listener, Mine, ("If-None-Match", "*")))
        {
            Assert.Equal(HttpStatusCode.PreconditionFailed, isNew.StatusCode);
        }

        var saved = await listener.GetJsonAsync(Path);
        Assert.Equal((Mine + "tags = [\"a\"]\n", "console"), (saved.GetProperty("toml").GetString(), saved.GetProperty("origin").GetString()));

        using var deleted = await listener.SendAsync(HttpMethod.Delete, Path, headers: ("If-Match", changed.Headers.ETag!.Tag));
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        using (var gone = await PutAsync(listener, Mine, ("If-Match", changed.Headers.ETag.Tag)))
        {
            Assert.Equal(HttpStatusCode.PreconditionFailed, gone.StatusCode);
        }

        using (var none = await listener.SendAsync(HttpMethod.Delete, Path, headers: ("If-Match", "\"x\"")))
        {
            Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        }

        using var again = await PutAsync(listener, Mine + "tags = [\"c\"]\n");
        Assert.Equal(Mine + "tags = [\"c\"]\n", Assert.Single((await ReopenedAsync(listener.Files.PowerCut(new Random(3)))).Values).Toml);
    }

    [Fact]
    public async Task What_is_wrong_with_a_definition_is_said_with_its_places_and_nothing_is_saved()
    {
        await using var listener = await PrivateListener.StartAsync();

        Assert.Equal((400, "mine:1:6: id is other; the address says mine"), await RefusalAsync(PutAsync(listener, "id = \"other\"\ntitle = \"X\"\n")));
        Assert.Equal((400, "mine:3:21: overrides_builtin is for files: what is saved here cannot take a built-in dashboard's place"), await RefusalAsync(PutAsync(listener, "id = \"mine\"\ntitle = \"X\"\noverrides_builtin = true\n")));
        Assert.Equal((400, "mine:1:1: title is missing; a string is expected\nmine:2:1: unknown key \"colour\"; did you mean \"x\"?".Split('\n')[0]), await RefusalAsync(PutAsync(listener, "id = \"mine\"\nnothing = 1\n"), firstLine: true));
        using (var good = await listener.SendAsync(HttpMethod.Post, "/api/v1/dashboards", content: Content(Mine)))
        {
            Assert.Contains("\"definition\":{\"id\":\"mine\",\"title\":\"Mine\"}", await good.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        }

        Assert.Equal((400, "dashboard:1:6: id is not an id: 1 to 64 of the letters a to z, digits and - are allowed"), await RefusalAsync(listener.SendAsync(HttpMethod.Post, "/api/v1/dashboards", content: Content("id = \"A\"\ntitle = \"X\"\n"))));
        Assert.Equal((413, $"a definition has at most {Dashboard.SizeMax} bytes"), await RefusalAsync(PutAsync(listener, new string('#', Dashboard.SizeMax + 1))));
        Assert.Equal((415, "Content-Type must be application/toml, and the body the definition"), await RefusalAsync(listener.SendAsync(HttpMethod.Put, Path, content: new StringContent(Mine))));
        Assert.Equal((409, "host is built in: save a copy under another id"), await RefusalAsync(listener.SendAsync(HttpMethod.Put, "/api/v1/dashboards/host", content: Content("id = \"host\"\ntitle = \"X\"\n"))));
        Assert.Equal((409, "host is built in: save a copy under another id"), await RefusalAsync(listener.SendAsync(HttpMethod.Delete, "/api/v1/dashboards/host")));
        Assert.Equal(HttpStatusCode.NotFound, (await listener.GetAsync(Path)).Status);
    }

    [Fact]
    public async Task A_change_that_the_disk_did_not_take_is_refused_and_the_next_one_works()
    {
        await using var listener = await PrivateListener.StartAsync();
        listener.Files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;

        var (status, message) = await RefusalAsync(PutAsync(listener, Mine));
        Assert.Equal(503, status);
        Assert.StartsWith("nothing was changed: ", message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await listener.GetAsync(Path)).Status);

        listener.Files.Fault = null;
        using var saved = await PutAsync(listener, Mine);
        Assert.Equal(HttpStatusCode.Created, saved.StatusCode);
        Assert.Equal("Mine", Assert.Single((await ReopenedAsync(listener.Files.PowerCut(new Random(7)))).Values).Title);
    }

    [Fact]
    public async Task A_browser_of_another_site_changes_nothing()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var signedIn = await listener.SendAsync(HttpMethod.Post, "/api/v1/session", content: new StringContent("", new MediaTypeHeaderValue("application/json")));
        var cookie = signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        using var foreign = await listener.SendAsync(HttpMethod.Put, Path, token: null, Content(Mine), ("Cookie", cookie), ("Sec-Fetch-Site", "cross-site"));
        using var own = await listener.SendAsync(HttpMethod.Put, Path, token: null, Content(Mine), ("Cookie", cookie), ("Sec-Fetch-Site", "same-origin"));

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Created), (foreign.StatusCode, own.StatusCode));
    }

    [Fact]
    public async Task A_files_definition_goes_before_a_saved_one_of_its_id_and_cannot_be_changed()
    {
        await using var listener = await PrivateListener.StartAsync();
        using var saved = await PutAsync(listener, Mine);
        var bytes = Encoding.UTF8.GetBytes(Mine.Replace("Mine", "Of the file", StringComparison.Ordinal));
        listener.FileDashboards.Add(DashboardReader.Read(TomlDocument.Parse(bytes, "/d/mine.toml"), bytes, DashboardOrigin.File, PromSemantics.V3)!);

        Assert.Equal("Of the file", (await listener.GetJsonAsync("/api/v1/dashboards")).EnumerateArray().Single(each => each.GetProperty("id").GetString() == "mine").GetProperty("title").GetString());
        Assert.Equal((409, "mine comes from the file /d/mine.toml: change it there, or save a copy under another id"), await RefusalAsync(PutAsync(listener, Mine)));
        listener.FileDashboards.Clear();
        Assert.Equal("console", (await listener.GetJsonAsync(Path)).GetProperty("origin").GetString());
    }

    private static StringContent Content(string toml) => new(toml, new MediaTypeHeaderValue("application/toml"));

    private static Task<HttpResponseMessage> PutAsync(PrivateListener listener, string toml, params (string Name, string Value)[] headers) =>
        listener.SendAsync(HttpMethod.Put, Path, PrivateListener.Token, Content(toml), headers);

    private static async Task<(int Status, string Message)> RefusalAsync(Task<HttpResponseMessage> request, bool firstLine = false)
    {
        using var answer = await request;
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancelled));
        var message = body.RootElement.GetProperty("error").GetString()!;
        return ((int)answer.StatusCode, firstLine ? message.Split('\n')[0] : message);
    }

    private static async Task<IReadOnlyDictionary<string, Dashboard>> ReopenedAsync(MemoryFileSystem files)
    {
        await using var saved = SavedDashboards.Open(files, "/changes", PromSemantics.V3, new ManualTime(), NullLogger.Instance);
        return saved.All;
    }
}
