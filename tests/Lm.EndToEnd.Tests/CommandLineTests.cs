using System.Text.RegularExpressions;

namespace Lm.EndToEnd.Tests;

public sealed partial class CommandLineTests
{
    [Fact]
    public async Task Both_programs_tell_their_version_and_how_they_are_used()
    {
        foreach (var program in (string[])[Programs.Agent, Programs.Collector])
        {
            var (versionCode, version) = await RunningProgram.RunAsync(program, "--version");
            var (helpCode, help) = await RunningProgram.RunAsync(program, "--help");

            Assert.Equal(0, versionCode);
            Assert.Matches(Version(), version);
            Assert.Equal(0, helpCode);
            Assert.Contains("--version", help, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_wrong_command_line_ends_with_2_and_says_what_is_allowed()
    {
        foreach (var program in (string[])[Programs.Agent, Programs.Collector])
        {
            var (code, output) = await RunningProgram.RunAsync(program, "--no-such-option");

            Assert.Equal(2, code);
            Assert.Contains("--no-such-option", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_agent_without_a_mode_shows_what_it_would_send_and_touches_no_queue()
    {
        await using var fleet = new Fleet();

        var (code, output) = await RunningProgram.RunAsync(Programs.Agent, fleet.AgentToml);

        Assert.True(code == 0, output);
        Assert.Contains("series", output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(fleet.In("queue")));
    }

    [Fact]
    public async Task Good_settings_pass_the_check_without_a_listener()
    {
        await using var fleet = new Fleet();

        var (code, output) = await RunningProgram.RunAsync(Programs.Collector, "--check-config", fleet.ServerToml);

        Assert.True(code == 0, output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(fleet.In("spool")));
    }

    [Fact]
    public async Task Every_fault_of_the_settings_is_told_at_once_with_its_place()
    {
        await using var fleet = new Fleet();
        fleet.ServerSettings = "max_spol_bytes = 1\nbackfill_days = 4000\n";
        fleet.TlsSettings = "client_auth = \"maybe\"";
        fleet.WriteSettings();

        var (code, output) = await RunningProgram.RunAsync(Programs.Collector, "--check-config", fleet.ServerToml);

        Assert.Equal(1, code);
        foreach (var key in (string[])["max_spol_bytes", "backfill_days", "maybe"])
        {
            Assert.Matches($@"{Regex.Escape(fleet.ServerToml)}:\d+:\d+: .*{key}", output);
        }
    }

    [Fact]
    public async Task Secret_files_that_others_can_read_are_a_fault()
    {
        await using var fleet = new Fleet();
        File.SetUnixFileMode(fleet.In("query-token"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        File.SetUnixFileMode(fleet.In("token"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var (collector, collectorOutput) = await RunningProgram.RunAsync(Programs.Collector, "--check-config", fleet.ServerToml);
        var (agent, agentOutput) = await RunningProgram.RunAsync(Programs.Agent, fleet.AgentToml);

        Assert.Equal(1, collector);
        Assert.Contains("query-token", collectorOutput, StringComparison.Ordinal);
        Assert.Equal(1, agent);
        Assert.Contains("token", agentOutput, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sample_settings_are_good_once_their_paths_are_this_machines()
    {
        await using var fleet = new Fleet();
        var server = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "config/server.toml"), TestContext.Current.CancellationToken);
        var agent = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "config/agent.toml"), TestContext.Current.CancellationToken);
        fleet.Write("server.toml", server
            .Replace("/etc/lightmetrics/tls/fullchain.pem", fleet.In("tls/server.pem"), StringComparison.Ordinal)
            .Replace("/etc/lightmetrics/tls/key.pem", fleet.In("tls/server.key"), StringComparison.Ordinal)
            .Replace("/etc/lightmetrics/", fleet.Directory + "/", StringComparison.Ordinal)
            .Replace("/var/lib/lightmetrics/", fleet.Directory + "/", StringComparison.Ordinal));
        fleet.Write("agent.toml", agent
            .Replace("/etc/lightmetrics/ca.pem", fleet.In("tls/ca.pem"), StringComparison.Ordinal)
            .Replace("/etc/lightmetrics/", fleet.Directory + "/", StringComparison.Ordinal)
            .Replace("/var/lib/lightmetrics/", fleet.Directory + "/", StringComparison.Ordinal));
        fleet.Write("ingest-tokens.toml", (await File.ReadAllTextAsync(Path.Combine(Programs.Root, "config/ingest-tokens.toml"), TestContext.Current.CancellationToken))
            .Replace("<agent bearer token>", fleet.Token, StringComparison.Ordinal));

        var (serverCode, serverOutput) = await RunningProgram.RunAsync(Programs.Collector, "--check-config", fleet.ServerToml);
        var (agentCode, agentOutput) = await RunningProgram.RunAsync(Programs.Agent, fleet.AgentToml);

        Assert.True(serverCode == 0, serverOutput);
        Assert.True(agentCode == 0, agentOutput);
    }

    [GeneratedRegex(@"\d+\.\d+\.\d+")]
    private static partial Regex Version();
}
