namespace Lm.EndToEnd.Tests;

/// <summary>The modes for when something is wrong.</summary>
public sealed class ToolsTests
{
    [Fact]
    public async Task The_doctor_says_that_all_is_well_and_leaves_everything_as_it_is()
    {
        await using var fleet = new Fleet();
        await fleet.StartCollectorAsync();

        var (code, output) = await fleet.RunAgentAsync("--doctor");

        Assert.True(code == 0, output);
        foreach (var line in (string[])["ok    config ", "ok    secrets ", "ok    queue ", "ok    disk ", "ok    name ", "ok    tls ", "ok    token ", "ok    clock ", "ok    limits "])
        {
            Assert.Contains(line, output, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(fleet.In("queue")));
        Assert.Equal(0, await fleet.HeartbeatsAsync());
    }

    [Fact]
    public async Task The_doctor_names_what_is_wrong_and_what_to_do()
    {
        await using var fleet = new Fleet();
        fleet.AgentSettings = $"max_logs_per_batch = 5000\n[[log_inputs]]\nname = \"none\"\npath = \"{fleet.In("none.log")}\"\n";
        fleet.WriteSettings();

        var (code, away) = await fleet.RunAgentAsync("--doctor");
        Assert.Equal(1, code);
        Assert.Contains("FAIL  tls ", away, StringComparison.Ordinal);
        Assert.Contains("skip  token ", away, StringComparison.Ordinal);
        Assert.Contains("warn  log input    none: no file is ", away, StringComparison.Ordinal);

        await fleet.StartCollectorAsync();
        (code, var limits) = await fleet.RunAgentAsync("--doctor");
        Assert.Equal(0, code);
        Assert.Contains("warn  limits       max_logs_per_batch of this agent is 5000, ingest.max_logs_per_batch of the collector is 4096", limits, StringComparison.Ordinal);

        fleet.WriteToken(Fleet.NewToken());
        (code, var token) = await fleet.RunAgentAsync("--doctor");
        Assert.Equal(1, code);
        Assert.Contains("FAIL  token        the collector does not know the token", token, StringComparison.Ordinal);
        Assert.DoesNotContain(fleet.Token, token, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_tells_every_fault_of_the_configuration()
    {
        await using var fleet = new Fleet();
        fleet.AgentSettings = "max_alerts_per_batch = 99\nno_such_key = 1\n";
        fleet.WriteSettings();

        var (code, output) = await fleet.RunAgentAsync("--doctor");

        Assert.Equal(1, code);
        Assert.Contains("FAIL  config ", output, StringComparison.Ordinal);
        Assert.Contains("max_alerts_per_batch is 99", output, StringComparison.Ordinal);
        Assert.Contains("no_such_key", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_queue_is_checked_while_no_daemon_runs_and_damage_is_set_aside_and_told()
    {
        await using var fleet = new Fleet();
        Assert.Equal(75, (await fleet.RunAgentAsync("--once")).ExitCode);
        Assert.Equal(75, (await fleet.RunAgentAsync("--once")).ExitCode);

        var (code, sound) = await fleet.RunAgentAsync("--queue-check");
        Assert.True(code == 0, sound);
        Assert.Contains("waiting: 2 batches, collected from ", sound, StringComparison.Ordinal);
        Assert.Contains("the queue is sound", sound, StringComparison.Ordinal);

        var segment = Directory.EnumerateFiles(fleet.In("queue"), "*.seg").Order(StringComparer.Ordinal).First();
        await using (var file = new FileStream(segment, FileMode.Open))
        {
            file.Position = 600;
            file.WriteByte(0xFF);
            file.WriteByte(0xFF);
        }

        (code, var damaged) = await fleet.RunAgentAsync("--queue-check");
        Assert.True(code == 65, damaged);
        Assert.Contains("damaged: segment ", damaged, StringComparison.Ordinal);

        var agent = fleet.StartDaemon();
        await Eventually.TrueAsync("the daemon has the queue", () => Task.FromResult(agent.Output.Contains(" is open", StringComparison.Ordinal)));
        (code, var taken) = await fleet.RunAgentAsync("--queue-check");
        Assert.Equal(1, code);
        Assert.Contains("is in use by another lm-agent", taken, StringComparison.Ordinal);
        Assert.Contains("is in use by a running lm-agent", (await fleet.RunAgentAsync("--doctor")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_refused_is_queued_again_and_arrives()
    {
        await using var fleet = new Fleet();
        Assert.Equal(75, (await fleet.RunAgentAsync("--once")).ExitCode);
        // A refused batch, made of the one in the queue: its frame begins with the format's magic.
        var journal = await File.ReadAllBytesAsync(Directory.EnumerateFiles(fleet.In("queue"), "*.seg").Single(), TestContext.Current.CancellationToken);
        Directory.CreateDirectory(fleet.In("queue/rejected"));
        await File.WriteAllBytesAsync(fleet.In("queue/rejected/0000000001-00000000000000000007-0-malformed_batch.frame"), FrameOf(journal), TestContext.Current.CancellationToken);

        var (code, output) = await fleet.RunAgentAsync("--requeue-rejected");

        Assert.True(code == 0, output);
        Assert.Contains("1 refused batches are queued again; 2 batches wait", output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(fleet.In("queue/rejected")));
        await fleet.StartCollectorAsync();
        Assert.Equal(0, (await fleet.RunAgentAsync("--flush")).ExitCode);
        Assert.Equal(1, await fleet.HeartbeatsAsync()); // the same samples at the same time: one
    }

    private static byte[] FrameOf(byte[] journal)
    {
        const int HeaderBytes = 24;
        const int StoredLengthAt = 12;
        var at = journal.AsSpan().IndexOf("LMFRAME\n"u8);
        Assert.True(at > 0, "the queue has no frame");
        return journal[at..(at + HeaderBytes + BitConverter.ToInt32(journal, at + StoredLengthAt))];
    }
}
