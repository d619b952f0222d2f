namespace Lm.EndToEnd.Tests;

public sealed class SecurityTests
{
    [Fact]
    public async Task A_wrong_token_is_refused_and_the_batch_stays_until_the_token_is_right()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        var right = fleet.Token;
        fleet.WriteToken(Fleet.NewToken());

        var (code, output) = await fleet.RunAgentAsync("--once");

        Assert.True(code == 75, output);
        Assert.Contains("401", output, StringComparison.Ordinal);
        fleet.WriteToken(right);
        var (again, againOutput) = await fleet.RunAgentAsync("--flush");
        Assert.True(again == 0, againOutput);
        Assert.Equal(1, await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task A_collector_that_requires_client_certificates_takes_batches_only_with_one_that_names_the_agent()
    {
        await using var fleet = new Fleet();
        using var strangers = new TestCertificates("another CA");
        fleet.TlsSettings = $"client_auth = \"required\"\nclient_ca_file = \"{fleet.In("tls/ca.pem")}\"";
        fleet.WriteSettings();
        await fleet.StartCollectorAsync();

        Assert.Equal(75, (await fleet.RunAgentAsync("--once")).ExitCode);
        Assert.Equal(75, await FlushWithAsync(fleet, strangers.IssueClient(Fleet.AgentId)));
        Assert.Equal(75, await FlushWithAsync(fleet, fleet.Certificates.IssueClient("some-other-agent")));
        Assert.Equal(0, await FlushWithAsync(fleet, fleet.Certificates.IssueClient(Fleet.AgentId)));

        Assert.Equal(1, await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task An_agent_sends_nothing_to_a_collector_whose_certificate_another_CA_signed()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();
        using var strangers = new TestCertificates("another CA");
        fleet.Write("tls/ca.pem", strangers.AuthorityPem);

        var (code, output) = await fleet.RunAgentAsync("--once");

        Assert.True(code == 75, output);
        Assert.Contains("no CA of tls_ca_cert_file signed it", output, StringComparison.Ordinal);
        Assert.Equal(0, await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task Tokens_are_rotated_by_SIGHUP_without_losing_a_batch()
    {
        await using var fleet = new Fleet();
        var collector = await fleet.StartCollectorAsync();
        var agent = fleet.StartDaemon();
        await ComeOnAsync(fleet, agent);
        var old = fleet.Token;
        var next = Fleet.NewToken();

        fleet.WriteTokenTable(old, next);
        collector.Signal(Signal.Hangup);
        fleet.WriteToken(next);
        agent.Signal(Signal.Hangup);
        await ComeOnAsync(fleet, agent);
        fleet.WriteTokenTable(next);
        collector.Signal(Signal.Hangup);
        await ComeOnAsync(fleet, agent);

        Assert.Equal(0, await agent.StopAsync(Signal.Terminate));
        Assert.Equal(await fleet.HeartbeatsAsync(), (await fleet.AgentAsync()).GetProperty("accepted").GetInt64());
        fleet.WriteToken(old);
        Assert.Equal(75, (await fleet.RunAgentAsync("--once")).ExitCode);
    }

    private static async Task ComeOnAsync(Fleet fleet, RunningProgram agent)
    {
        var before = await fleet.HeartbeatsAsync();
        await Eventually.BecomesAsync("new heartbeats come", fleet.HeartbeatsAsync, count => count >= before + 2, () => agent.HasEnded ? agent.Output : null);
    }

    private static async Task<int> FlushWithAsync(Fleet fleet, (string Certificate, string Key) client)
    {
        fleet.Write("tls/agent.pem", client.Certificate);
        fleet.Write("tls/agent.key", client.Key);
        fleet.AgentSettings = $"tls_client_cert_file = \"{fleet.In("tls/agent.pem")}\"\ntls_client_key_file = \"{fleet.In("tls/agent.key")}\"";
        fleet.WriteSettings();
        var (code, output) = await fleet.RunAgentAsync("--flush");
        Assert.True(code is 0 or 75, output);
        return code;
    }
}
