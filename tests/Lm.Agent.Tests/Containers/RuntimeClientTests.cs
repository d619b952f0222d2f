using Lm.Agent.Containers;

namespace Lm.Agent.Tests.Containers;

public sealed class RuntimeClientTests : IAsyncDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly FakeRuntime runtime = new();

    public ValueTask DisposeAsync() => runtime.DisposeAsync();

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "it answered 403 to GET /containers/json")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "its answer to GET /containers/json is no list of containers")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[{]", "its answer to GET /containers/json is no list of containers")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[] x", "its answer to GET /containers/json is no list of containers")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "the answer's body is longer than 8388608 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n", "the answer's body is longer than 8388608 bytes")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[]", "the connection ended within the answer's body")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n[]", "the answer is a 200 without Content-Length or chunks: nothing says that it is whole")]
    [InlineData("garbage\r\n\r\n", "the answer does not begin with an HTTP/1.1 status line")]
    [InlineData("", "the connection ended without an answer")]
    public async Task A_list_that_is_none_fails_the_round_and_says_why(string answer, string expected)
    {
        runtime.Answer = _ => answer;

        var found = await new RuntimeClient(runtime.Path, TimeProvider.System).AskAsync(Cancelled);

        Assert.Equal(expected, found.Fault);
        Assert.Empty(found.Containers);
    }

    [Theory]
    [InlineData("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "it answered 500 to GET /containers/")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"RestartCount\":\"1\"}", "describes no container")]
    public async Task A_container_whose_own_page_is_bad_has_its_name_and_fails_the_round(string page, string expected)
    {
        var container = new FakeContainer(new string('a', 64), "web", "nginx");
        runtime.Answer = path => path == "/containers/json" ? FakeRuntime.Ok($"[{container.Listed}]") : page;

        var found = await new RuntimeClient(runtime.Path, TimeProvider.System).AskAsync(Cancelled);

        Assert.Contains(expected, found.Fault, StringComparison.Ordinal);
        Assert.Equal(("web", "nginx", null), (found.Containers[container.Id].Name, found.Containers[container.Id].Image, found.Containers[container.Id].RestartCount));
    }

    [Theory]
    [InlineData(null, "no whole answer to GET /containers/")]
    [InlineData("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "it answered 500 to GET /containers/")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "the connection ended within the answer's body")]
    public async Task A_container_whose_own_page_fails_again_and_again_holds_up_no_other(string? page, string expected)
    {
        var containers = Enumerable.Range(0, 40).Select(i => new FakeContainer(i.ToString("x64", null), $"c{i}", "image") { Restarts = 1 }).ToArray();
        runtime.Serve(containers);
        var serve = runtime.Answer;
        runtime.Answer = path => path == $"/containers/{containers[0].Id}/json" ? page : serve(path);
        var client = new RuntimeClient(runtime.Path, TimeProvider.System);

        var first = await client.AskAsync(Cancelled);
        var second = await client.AskAsync(Cancelled);

        Assert.Contains(expected, first.Fault, StringComparison.Ordinal);
        Assert.Equal("", containers.Skip(1).FirstOrDefault(each => second.Containers[each.Id].RestartCount != 1)?.Name ?? "");
        Assert.Null(second.Containers[containers[0].Id].RestartCount);
    }

    [Fact]
    public async Task A_container_that_ended_since_the_list_was_made_is_no_failure()
    {
        var container = new FakeContainer(new string('a', 64), "web", "nginx");
        runtime.Answer = path => path == "/containers/json" ? FakeRuntime.Ok($"[{container.Listed}]") : FakeRuntime.NotFound;

        var found = await new RuntimeClient(runtime.Path, TimeProvider.System).AskAsync(Cancelled);

        Assert.Equal("", found.Fault);
        Assert.Null(found.Containers[container.Id].RestartCount);
    }

    [Fact]
    public async Task A_socket_that_is_not_there_fails_the_round()
    {
        var found = await new RuntimeClient(runtime.Path + "x", TimeProvider.System).AskAsync(Cancelled);

        Assert.NotEmpty(found.Fault);
        Assert.DoesNotContain("a fault of this program", found.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hundred_containers_are_asked_for_by_turns_and_those_that_started_again_first()
    {
        var containers = Enumerable.Range(0, 100).Select(i => new FakeContainer(i.ToString("x64", null), $"c{i}", "image") { Restarts = 1 }).ToArray();
        runtime.Serve(containers);
        var client = new RuntimeClient(runtime.Path, TimeProvider.System);
        var known = new List<int>();
        for (var round = 0; round < 4; round++)
        {
            known.Add((await client.AskAsync(Cancelled)).Containers.Values.Count(each => each.RestartCount is not null));
        }

        Assert.Equal([32, 64, 96, 100], known);

        containers[50] = containers[50] with { Status = "Up 3 seconds", Restarts = 2 };
        containers[51] = containers[51] with { Status = "Up 2 hours (unhealthy)", Health = "unhealthy" };
        var found = await client.AskAsync(Cancelled);
        Assert.Equal(2, found.Containers[containers[50].Id].RestartCount);
        Assert.Equal(Lm.Agent.HostMetrics.ContainerHealth.Unhealthy, found.Containers[containers[51].Id].Health);
    }

    [Fact]
    public async Task Containers_that_are_listed_no_more_are_forgotten()
    {
        var client = new RuntimeClient(runtime.Path, TimeProvider.System);
        runtime.Serve(new FakeContainer(new string('a', 64), "web", "nginx"));
        Assert.Single((await client.AskAsync(Cancelled)).Containers);

        runtime.Serve();

        Assert.Empty((await client.AskAsync(Cancelled)).Containers);
    }
}
