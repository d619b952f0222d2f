using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Lm.Agent.Tests.Containers;

/// <summary>A container runtime that answers at a Unix socket with whatever a test says.</summary>
internal sealed class FakeRuntime : IAsyncDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("lm-runtime-");
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim asked = new(0);
    private readonly Task serving;

    public FakeRuntime()
    {
        Path = System.IO.Path.Combine(directory.FullName, "runtime.sock");
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen();
        serving = ServeAsync();
    }

    public string Path { get; }

    /// <summary>The whole answer to a path; null never answers.</summary>
    public Func<string, string?> Answer { get; set; } = _ => NotFound;

    /// <summary>The paths that were asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public int ConnectionCount { get; private set; }

    public static string NotFound => "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";

    public static string Ok(string body) => $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    /// <summary>Answers as Docker does.</summary>
    public void Serve(params IReadOnlyList<FakeContainer> containers) => Answer = path => path == "/containers/json"
        ? Ok($"[{string.Join(',', containers.Select(each => each.Listed))}]")
        : containers.FirstOrDefault(each => path == $"/containers/{each.Id}/json") is { } found ? Ok(found.Page) : NotFound;

    /// <summary>Returns once something more was asked for.</summary>
    public Task AwaitQuestionAsync(CancellationToken cancellationToken) => asked.WaitAsync(cancellationToken);

    /// <summary>Whether something more was asked for by now.</summary>
    public Task<bool> AwaitQuestionAsync(TimeSpan patience) => asked.WaitAsync(patience);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await serving;
        stop.Dispose();
        asked.Dispose();
        directory.Delete(recursive: true);
    }

    private async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync(stop.Token);
                ConnectionCount++;
                clients.Add(ServeAsync(client));
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        await using var stream = new NetworkStream(client, ownsSocket: true);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        try
        {
            while (await reader.ReadLineAsync(stop.Token) is { } request)
            {
                while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 })
                {
                    // Headers say nothing that matters here.
                }

                var path = request.Split(' ')[1];
                Asked.Enqueue(path);
                asked.Release();
                if (Answer(path) is not { } answer)
                {
                    await Task.Delay(Timeout.Infinite, stop.Token);
                    return;
                }

                await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), stop.Token);
                if (!answer.StartsWith("HTTP/1.1 200 OK\r\nContent-Type", StringComparison.Ordinal) && answer != NotFound)
                {
                    return; // a test's own words: whatever they promise, there is no more
                }
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException)
        {
            // The client had enough, or the test is over.
        }
    }
}

/// <summary>A container as Docker describes it.</summary>
internal sealed record FakeContainer(string Id, string Name, string Image)
{
    public string State { get; init; } = "running";

    public string Status { get; init; } = "Up 2 hours";

    public int Restarts { get; init; }

    /// <summary>What the health check says; empty for none.</summary>
    public string Health { get; init; } = "";

    public string Listed => $$$"""
        {"Id":"{{{Id}}}","Names":["/proxy/alias","/{{{Name}}}"],"Image":"{{{Image}}}","ImageID":"sha256:00","Command":"run \u0022it\u0022","Created":1700000000,
        "Ports":[{"PrivatePort":80,"Type":"tcp"}],"Labels":{"Id":"not this","a":"b"},"State":"{{{State}}}","Status":"{{{Status}}}","HostConfig":{"NetworkMode":"bridge"},
        "NetworkSettings":{"Networks":{"bridge":{"Names":["x"],"IPAMConfig":null} } },"Mounts":[]}
        """;

    public string Page => $$$"""
        {"Id":"{{{Id}}}","Created":"2026-01-01T00:00:00Z","Args":["RestartCount"],"State":{"Status":"{{{State}}}","Running":true,"Pid":42{{{HealthOf}}}},"Image":"sha256:00",
        "Name":"/{{{Name}}}","RestartCount":{{{Restarts}}},"Config":{"Env":["A=B"],"Healthcheck":{"Test":["CMD"]},"Image":"{{{Image}}}"}}
        """;

    private string HealthOf => Health.Length == 0 ? "" : $$$""","Health":{"Status":"{{{Health}}}","FailingStreak":0,"Log":[{"Status":"x","Output":"unhealthy"}]}""";
}
