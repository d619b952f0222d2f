using Lm.Agent.Containers;
using Lm.Agent.HostMetrics;
using Lm.Agent.HostMetrics.Node;
using Lm.Agent.Settings;
using Lm.Agent.Tests.HostMetrics;
using Lm.Agent.Tests.HostMetrics.Node;
using Lm.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lm.Agent.Tests.Containers;

/// <summary>Containers of a host of files, beside a runtime that is a test's own.</summary>
public sealed class ContainerSocketTests : IAsyncDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly HostTree tree = new();
    private readonly FakeRuntime runtime = new();
    private readonly RecordingLogger logger = new();
    private readonly ContainerSocket socket;
    private readonly ContainersSource source;

    public ContainerSocketTests()
    {
        tree.Write("sys/fs/cgroup/cgroup.controllers", "memory\n");
        socket = new ContainerSocket(runtime.Path, tree.Time, logger);
        source = new ContainersSource(tree.Roots, new NamePatterns([], ["hidden*"]), tree.Time, socket);
    }

    public async ValueTask DisposeAsync()
    {
        source.Dispose();
        await runtime.DisposeAsync();
        tree.Dispose();
    }

    [Fact]
    public async Task Series_have_name_and_image_as_cAdvisor_has_them_and_restarts_and_health_beside()
    {
        AddContainer(1);
        AddContainer(2);
        AddContainer(3);
        runtime.Serve(
            new FakeContainer(Id(1), "web", "nginx:1.27") { Restarts = 7, Health = "healthy" },
            new FakeContainer(Id(2), "db", "postgres:16") { Health = "starting" },
            new FakeContainer(Id(3), "hidden-one", "tool") { Restarts = 1 });

        var sink = await TickAsync();

        Assert.Equal(1_000_000, sink[$"container_memory_usage_bytes{{id=\"/docker/{Id(1)}\",image=\"nginx:1.27\",name=\"web\"}}"]);
        Assert.Equal(7, sink[$"container_restarts_total{{id=\"/docker/{Id(1)}\",image=\"nginx:1.27\",name=\"web\"}}"]);
        Assert.Equal(1, sink[$"container_health_state{{id=\"/docker/{Id(1)}\",image=\"nginx:1.27\",name=\"web\"}}"]);
        Assert.Equal(0, sink[$"container_health_state{{id=\"/docker/{Id(2)}\",image=\"postgres:16\",name=\"db\"}}"]);
        Assert.DoesNotContain(sink.Order, series => series.Contains("hidden", StringComparison.Ordinal));
        Assert.Equal(1, sink["lmagent_container_runtime_up"]);
        Assert.Equal(0, sink["lmagent_container_runtime_failures_total"]);
        Assert.Equal(1, runtime.ConnectionCount);
    }

    [Fact]
    public async Task A_container_without_a_health_check_says_so()
    {
        AddContainer(1);
        runtime.Serve(new FakeContainer(Id(1), "web", "nginx"));

        Assert.Equal(-1, (await TickAsync())[$"container_health_state{{id=\"/docker/{Id(1)}\",image=\"nginx\",name=\"web\"}}"]);
    }

    [Fact]
    public async Task A_container_that_waits_for_its_next_start_still_counts_its_restarts()
    {
        runtime.Serve(new FakeContainer(Id(1), "looping", "app") { State = "restarting", Status = "Restarting (1) 5 seconds ago", Restarts = 3 });
        Assert.Equal(3, (await TickAsync())["container_restarts_total{image=\"app\",name=\"looping\"}"]);

        runtime.Serve(new FakeContainer(Id(1), "looping", "app") { State = "restarting", Status = "Restarting (1) 6 seconds ago", Restarts = 4 });
        Assert.Equal(4, (await TickAsync())["container_restarts_total{image=\"app\",name=\"looping\"}"]);
    }

    [Fact]
    public async Task Whatever_name_the_runtime_gives_a_container_later_its_series_stay_the_same()
    {
        AddContainer(1);
        runtime.Serve(new FakeContainer(Id(1), "first", "image"));
        var before = (await TickAsync()).Order;
        for (var i = 0; i < 3; i++)
        {
            runtime.Serve(new FakeContainer(Id(1), $"other{i}", $"image{i}"));

            Assert.Equal(before, (await TickAsync()).Order);
        }
    }

    [Fact]
    public async Task A_container_has_no_series_before_the_runtime_was_asked_for_it_and_its_name_from_the_first_on()
    {
        runtime.Serve();
        await TickAsync();
        AddContainer(1);
        runtime.Serve(new FakeContainer(Id(1), "web", "nginx"));
        tree.Time.Advance(ContainerSocket.AskEvery);

        Assert.DoesNotContain(tree.Collect(source).Order, series => series.StartsWith("container_", StringComparison.Ordinal)); // the round has only begun
        await socket.Round;

        Assert.All(tree.Collect(source).Of("container_memory_usage_bytes"), series => Assert.EndsWith("image=\"nginx\",name=\"web\"}", series, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_that_the_runtime_does_not_know_has_its_short_id_once_that_is_certain()
    {
        AddContainer(1);
        runtime.Serve();
        Assert.DoesNotContain(Usage(1, name: Id(1)[..12]), (await TickAsync()).Order);

        Assert.Contains(Usage(1, name: Id(1)[..12]), (await TickAsync()).Order);
    }

    [Fact]
    public async Task A_runtime_that_hangs_holds_no_tick_up_is_counted_and_named_containers_keep_their_names()
    {
        AddContainer(1);
        runtime.Serve(new FakeContainer(Id(1), "web", "nginx"));
        await TickAsync();
        while (await runtime.AwaitQuestionAsync(TimeSpan.Zero))
        {
            // Of the round that is over.
        }

        runtime.Answer = _ => null;
        AddContainer(2);
        tree.Time.Advance(ContainerSocket.AskEvery);
        tree.Collect(source); // returns though nobody answers
        await runtime.AwaitQuestionAsync(Cancelled);
        tree.Time.Advance(RuntimeClient.RoundMax);
        await socket.Round;
        var sink = tree.Collect(source);

        Assert.Equal(0, sink["lmagent_container_runtime_up"]);
        Assert.Equal(1, sink["lmagent_container_runtime_failures_total"]);
        Assert.Contains(Usage(1, "nginx", "web"), sink.Order);
        Assert.Empty(sink.Of("container_restarts_total")); // what was true once is not said again
        Assert.Contains("no whole answer within 5 s", logger.MessageOf(1650), StringComparison.Ordinal);

        runtime.Serve(new FakeContainer(Id(1), "web", "nginx"), new FakeContainer(Id(2), "late", "nginx"));
        sink = await TickAsync();
        Assert.Contains(Usage(2, "nginx", "late"), sink.Order);
        Assert.Equal(1, sink["lmagent_container_runtime_up"]);
        Assert.Equal(1, logger.CountOf(1651));
    }

    [Fact]
    public async Task A_runtime_that_never_answers_leaves_containers_their_short_ids()
    {
        AddContainer(1);
        runtime.Answer = _ => "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
        await TickAsync();

        var sink = await TickAsync();

        Assert.Contains(Usage(1, name: Id(1)[..12]), sink.Order);
        Assert.Equal(2, sink["lmagent_container_runtime_failures_total"]);
        Assert.Equal(1, logger.CountOf(1650)); // once, not at each round
    }

    [Fact]
    public async Task Nobody_is_asked_more_often_than_every_15_seconds()
    {
        runtime.Serve();
        await TickAsync();
        for (var i = 0; i < 10; i++)
        {
            tree.Time.Advance(TimeSpan.FromSeconds(1));
            tree.Collect(source);
        }

        Assert.Single(runtime.Asked);
    }

    [Fact]
    public async Task Ids_that_stand_twice_and_those_that_are_none_are_left_out_and_never_asked_for()
    {
        runtime.Serve(
            new FakeContainer(Id(1), "web", "nginx"), new FakeContainer(Id(1), "again", "nginx"), new FakeContainer("../../x", "evil", "nginx"),
            new FakeContainer(Id(2).ToUpperInvariant().Replace('0', 'A'), "loud", "nginx"));

        await TickAsync();

        Assert.Equal(3, tree.LastOmitted);
        Assert.Equal(["/containers/json", $"/containers/{Id(1)}/json"], runtime.Asked);
    }

    [Fact]
    public async Task Two_containers_of_one_name_that_nothing_tells_apart_are_one_series()
    {
        runtime.Serve(new FakeContainer(Id(1), "web", "nginx"), new FakeContainer(Id(2), "web", "nginx"));

        Assert.Single((await TickAsync()).Of("container_restarts_total")); // a second one would fail the sink
        Assert.Equal(1, tree.LastOmitted);
    }

    [Fact]
    public void Where_no_socket_is_named_there_is_nothing()
    {
        Assert.Null(ContainerSocket.Create(new SourcesSettings(), tree.Time, logger));
        Assert.Null(ContainerSocket.Create(With(source => source with { Socket = "/s", IsEnabled = false }), tree.Time, logger));
        Assert.Null(ContainerSocket.Create(With(source => source with { Socket = "/s" }) with { Profile = SourceProfile.Heartbeat }, tree.Time, logger));
        using var made = ContainerSocket.Create(With(source => source with { Socket = "/s" }), tree.Time, logger);
        Assert.NotNull(made);
    }

    [Fact]
    public async Task A_round_that_is_under_way_when_the_settings_change_ends_at_once()
    {
        runtime.Answer = _ => null;
        var other = new ContainerSocket(runtime.Path, new ManualTime(), NullLogger.Instance);
        other.Look(TimeSpan.Zero);
        var round = other.Round;
        await runtime.AwaitQuestionAsync(Cancelled);

        other.Dispose();

        await round.WaitAsync(Cancelled);
    }

    private static SourcesSettings With(Func<SourceSettings, SourceSettings> change) =>
        new() { All = [.. SourceCatalog.Defaults.Select(source => source.Name == SourceCatalog.Containers ? change(source) : source)] };

    private static string Id(int number) => number.ToString("x64", null);

    private static string Usage(int number, string image = "", string name = "") =>
        $"container_memory_usage_bytes{{id=\"/docker/{Id(number)}\",{(image.Length > 0 ? $"image=\"{image}\"," : "")}name=\"{name}\"}}";

    private void AddContainer(int number) => tree.Write($"sys/fs/cgroup/docker/{Id(number)}/memory.current", "1000000\n");

    /// <summary>A tick a round later than the one before, with all that the round has told.</summary>
    private async Task<RecordingSink> TickAsync()
    {
        tree.Time.Advance(ContainerSocket.AskEvery);
        tree.Collect(source);
        await socket.Round;
        return tree.Collect(source);
    }
}
