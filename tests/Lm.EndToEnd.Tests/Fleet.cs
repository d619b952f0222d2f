using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Lm.EndToEnd.Tests;

/// <summary>A folder with everything one collector and one agent need, and both programs in it.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    public const string AgentId = "e2e-agent";

    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly List<RunningProgram> programs = [];
    private readonly bool ownsCertificates;

    public Fleet()
        : this(beside: null)
    {
    }

    private Fleet(Fleet? beside)
    {
        ownsCertificates = beside is null;
        (Certificates, QueryToken) = (beside?.Certificates ?? new TestCertificates(), beside?.QueryToken ?? NewToken());
        Directory = System.IO.Directory.CreateTempSubdirectory("lm-e2e-").FullName;
        foreach (var folder in (string[])["spool", "cache", "queue", "dashboards.d", "tls"])
        {
            System.IO.Directory.CreateDirectory(In(folder));
        }

        (IngestPort, QueryPort) = FreePorts();
        UploadPort = IngestPort;
        Write("tls/ca.pem", Certificates.AuthorityPem);
        var (certificate, key) = Certificates.IssueServer();
        Write("tls/server.pem", certificate);
        Write("tls/server.key", key);
        Write("query-token", QueryToken);
        WriteToken(beside?.Token ?? NewToken());
        WriteTokenTable(Token);
        WriteSettings();
    }

    public string Directory { get; }

    public TestCertificates Certificates { get; }

    public int IngestPort { get; }

    public int QueryPort { get; }

    /// <summary>The port that the agent sends to: the collector's, or that of a proxy before it.</summary>
    public int UploadPort { get; set; }

    public string QueryToken { get; }

    public string Token { get; private set; } = "";

    /// <summary>Lines for <c>[ingest]</c>.</summary>
    public string IngestSettings { get; set; } = "";

    /// <summary>Lines for <c>[ingest.tls]</c>.</summary>
    public string TlsSettings { get; set; } = "";

    /// <summary>More lines at the end of server.toml.</summary>
    public string ServerSettings { get; set; } = "";

    /// <summary>More lines of agent.toml's top table.</summary>
    public string AgentSettings { get; set; } = "";

    public string ServerToml => In("server.toml");

    public string AgentToml => In("agent.toml");

    /// <summary>The collector that was started last.</summary>
    public RunningProgram Collector { get; private set; } = null!;

    /// <summary>Another collector that the first one's agent may talk to.</summary>
    public static Fleet Beside(Fleet first) => new(first);

    public string In(string name) => Path.Combine(Directory, name);

    public static string NewToken() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    /// <summary>Writes a file that only its owner reads.</summary>
    public void Write(string name, string content)
    {
        var path = In(name);
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Secret });
        file.Write(Encoding.UTF8.GetBytes(content));
    }

    public void WriteToken(string token)
    {
        Token = token;
        Write("token", token + "\n");
    }

    public void WriteTokenTable(params ReadOnlySpan<string> tokens)
    {
        var table = new StringBuilder();
        foreach (var token in tokens)
        {
            table.Append(CultureInfo.InvariantCulture, $"[[tokens]]\nagent_id = \"{AgentId}\"\ntoken = \"{token}\"\n\n");
        }

        Write("ingest-tokens.toml", table.ToString());
    }

    /// <summary>Writes both settings files anew, after one of the properties was changed.</summary>
    public void WriteSettings()
    {
        Write("server.toml", $"""
            [ingest]
            listen = "127.0.0.1:{IngestPort}"
            token_table_file = "{In("ingest-tokens.toml")}"
            {IngestSettings}

            [ingest.tls]
            cert_file = "{In("tls/server.pem")}"
            key_file = "{In("tls/server.key")}"
            {TlsSettings}

            [query]
            listen = "127.0.0.1:{QueryPort}"
            token_file = "{In("query-token")}"

            [dashboards]
            definition_dirs = ["{In("dashboards.d")}"]

            [storage]
            spool_dir = "{In("spool")}"
            cache_dir = "{In("cache")}"
            {ServerSettings}
            """);
        Write("agent.toml", $"""
            agent_id = "{AgentId}"
            ingest_url = "https://127.0.0.1:{UploadPort}"
            auth_token_file = "{In("token")}"
            tls_ca_cert_file = "{In("tls/ca.pem")}"
            queue_dir = "{In("queue")}"
            interval_ms = 200
            {AgentSettings}

            # Batches are counted: heartbeats alone bring some, and one each.
            [sources]
            profile = "heartbeat"

            [events]
            lifecycle = false
            processes = false
            """);
    }

    public RunningProgram Start(string program, params ReadOnlySpan<string> arguments)
    {
        var running = RunningProgram.Start(program, arguments);
        programs.Add(running);
        return running;
    }

    /// <summary>Starts the collector and waits until it is ready.</summary>
    public async Task<RunningProgram> StartCollectorAsync()
    {
        var collector = Start(Programs.Collector, ServerToml);
        Collector = collector;
        await Eventually.TrueAsync(
            "the collector is ready",
            async () => await StatusAsync("/readyz", token: null) == HttpStatusCode.OK,
            () => collector.HasEnded ? $"it ended: {collector.Output}" : null);
        return collector;
    }

    public RunningProgram StartDaemon() => Start(Programs.Agent, "--daemon", AgentToml);

    public Task<(int ExitCode, string Output)> RunAgentAsync(string mode) => RunningProgram.RunAsync(Programs.Agent, mode, AgentToml);

    public async Task<HttpStatusCode> StatusAsync(string path, string? token)
    {
        using var answer = await SendAsync(path, token);
        return answer.StatusCode;
    }

    /// <summary>Asks the ingest listener, with the query token.</summary>
    public async Task<HttpStatusCode> IngestStatusAsync(string path)
    {
        // The certificate's check is the agent's business, and has tests of its own.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{IngestPort}{path}")));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", QueryToken);
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    /// <summary>Asks the private listener with the token; the answer must be 200.</summary>
    public async Task<JsonElement> GetAsync(string path) => JsonElement.Parse(await GetTextAsync(path));

    /// <summary>The same for an answer of any kind.</summary>
    public async Task<string> GetTextAsync(string path)
    {
        using var answer = await SendAsync(path, QueryToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {body}");
        return body;
    }

    /// <summary>The values of a range selector that selects one series, oldest first; none when there is no such series.</summary>
    public async Task<double[]> SamplesAsync(string selector)
    {
        var answer = await GetAsync("/api/v1/query?query=" + Uri.EscapeDataString(selector));
        var series = answer.GetProperty("data").GetProperty("result").EnumerateArray().ToArray();
        return series.Length == 0
            ? []
            : [.. Assert.Single(series).GetProperty("values").EnumerateArray().Select(sample => double.Parse(sample[1].GetString()!, CultureInfo.InvariantCulture))];
    }

    /// <summary>Heartbeats held, each counted once: what a user sees of the batches that were taken.</summary>
    public async Task<int> HeartbeatsAsync() => (await SamplesAsync($"lmagent_up{{instance=\"{AgentId}\"}}[1h]")).Length;

    /// <summary>The agent's entry of the status page.</summary>
    public async Task<JsonElement> AgentAsync()
    {
        var answer = await GetAsync("/api/v1/agents");
        return answer.GetProperty("data").GetProperty("agents").EnumerateArray().Single(agent => agent.GetProperty("agent_id").GetString() == AgentId);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var program in programs)
        {
            await program.DisposeAsync();
        }

        http.Dispose();
        if (ownsCertificates)
        {
            Certificates.Dispose();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{QueryPort}{path}")));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    // Both are held until both are known: one after the other may be the same one.
    private static (int First, int Second) FreePorts()
    {
        using var first = new TcpListener(IPAddress.Loopback, 0);
        using var second = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        second.Start();
        return (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);
    }
}
