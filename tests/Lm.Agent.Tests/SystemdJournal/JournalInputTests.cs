using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lm.Agent.LogTail;
using Lm.Agent.Settings;
using Lm.Agent.SystemdJournal;
using Lm.Agent.Tests.LogTail;

namespace Lm.Agent.Tests.SystemdJournal;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class JournalInputTests : IAsyncDisposable
{
    private readonly FakeJournal journal = new();
    private readonly TailBench bench = new();
    private readonly List<string> troubles = [];

    public JournalInputTests() => bench.NewSources = bench => journal.SourcesOf(bench, follows: false, troubles);

    public async ValueTask DisposeAsync()
    {
        await bench.DisposeAsync();
        journal.Dispose();
    }

    [Fact]
    public async Task An_entry_becomes_a_record_with_time_severity_unit_identifier_and_pid()
    {
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add("started", ("__REALTIME_TIMESTAMP", "1700000000123456"), ("PRIORITY", "3"), ("_SYSTEMD_UNIT", "nginx.service"),
            ("SYSLOG_IDENTIFIER", "nginx"), ("_COMM", "nginx-bin"), ("_PID", "812"), ("SYSLOG_PID", "99"), ("_HOSTNAME", "web1"));
        journal.Add("plain", ("_COMM", "cron"), ("SYSLOG_PID", "7"), ("_SYSTEMD_USER_UNIT", "u.service"), ("__REALTIME_TIMESTAMP", "1700000001000000"));
        journal.Add("nginx.service: done", ("_PID", "1"), ("UNIT", "nginx.service"), ("_SYSTEMD_UNIT", "init.scope"), ("__REALTIME_TIMESTAMP", "1700000002000000"));
        await bench.StartAsync();

        await bench.ReadAsync();

        var lines = bench.Arrived();
        Assert.Equal(["started", "plain", "nginx.service: done"], lines.Select(line => line.Body));
        Assert.Equal([1700000000123, 1700000001000, 1700000002000], lines.Select(line => line.TimeMs));
        Assert.Equal([17, 0, 0], lines.Select(line => line.Severity));
        Assert.Equal(new Dictionary<string, string> { ["input"] = "journal", ["unit"] = "nginx.service", ["identifier"] = "nginx", ["pid"] = "812" }, lines[0].Attributes);
        Assert.Equal(new Dictionary<string, string> { ["input"] = "journal", ["unit"] = "u.service", ["identifier"] = "cron", ["pid"] = "7" }, lines[1].Attributes);
        Assert.Equal("nginx.service", lines[2].Attributes["unit"]);
        Assert.Equal((3, "started".Length + "plain".Length + "nginx.service: done".Length), (bench.Tailer.Counters[0].Lines, bench.Tailer.Counters[0].Bytes));
    }

    [Fact]
    public async Task Hostile_messages_come_back_as_data()
    {
        bench.Inputs.Add(FakeJournal.Input());
        var hostile = "two\nlines\0 \u001b[31m<script>\r\n__CURSOR=n=99\n\nMESSAGE=x";
        journal.Add(hostile, ("_PID", "5"), ("__REALTIME_TIMESTAMP", "1700000000000000"));
        journal.Add([(byte)'a', 0xFF, (byte)'b'], ("_PID", "5"), ("__REALTIME_TIMESTAMP", "1700000000000000"));
        journal.Add("");
        journal.AddRaw(Encoding.UTF8.GetBytes("__CURSOR=n=4\n_PID=5\n__REALTIME_TIMESTAMP=1700000000000000\n\n"));
        await bench.StartAsync();

        await bench.ReadAsync();

        var lines = bench.Arrived();
        Assert.Equal([hostile, "a\uFFFDb", "", ""], lines.Select(line => line.Body));
        Assert.Equal(["", "invalid_utf8", "time_of_reading", ""], lines.Select(line => line.Marks));
        Assert.All(lines, line => Assert.InRange(line.Attributes.Count, 1, 4));
    }

    [Fact]
    public async Task A_giant_entry_is_cut_at_a_character_and_marked_and_what_follows_is_whole()
    {
        bench.LogMessageBytesMax = 101;
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add(new string('é', 5_000_000), ("_PID", "5"), ("__REALTIME_TIMESTAMP", "1700000000000000"), ("_SYSTEMD_UNIT", new string('u', 100_000)));
        journal.Add(new string('é', 50) + "x", ("__REALTIME_TIMESTAMP", "1700000000000000"));
        await bench.StartAsync();

        await bench.ReadAsync();

        var lines = bench.Arrived();
        Assert.Equal([new string('é', 50), new string('é', 50) + "x"], lines.Select(line => line.Body));
        Assert.Equal(["truncated", ""], lines.Select(line => line.Marks));
        Assert.Equal(JournalExport.FieldBytesMax, lines[0].Attributes["unit"].Length);
        Assert.Equal(1, bench.Tailer.Counters[0].Truncated);
    }

    [Fact]
    public async Task A_time_ahead_of_the_clock_is_that_of_reading()
    {
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add("from the future", ("__REALTIME_TIMESTAMP", "9700000000000000"));
        await bench.StartAsync();

        await bench.ReadAsync();

        var line = Assert.Single(bench.Arrived());
        Assert.Equal(bench.Time.GetUtcNow().ToUnixTimeMilliseconds(), line.TimeMs);
        Assert.Equal("time_of_reading", line.Marks);
    }

    [Fact]
    public async Task Starting_at_the_end_leaves_out_what_is_there_and_nothing_that_comes_while_the_agent_is_down()
    {
        bench.Inputs.Add(FakeJournal.Input(startAtEnd: true));
        journal.Add("old 1");
        journal.Add("old 2");
        await bench.StartAsync();
        await bench.ReadAsync();
        Assert.Empty(bench.Arrived());
        journal.Add("new 1");
        await bench.RestartAsync();
        await bench.ReadAsync();
        journal.Add("new 2");
        await bench.RestartAsync();

        await bench.ReadAsync();

        Assert.Equal(["new 1", "new 2"], bench.Bodies());
        Assert.Equal(["--lines=1", "--after-cursor=n=2", "--after-cursor=n=2", "--after-cursor=n=3"], journal.Starts.Select(start => start[^1]));
    }

    [Fact]
    public async Task Starting_at_the_end_of_an_empty_journal_takes_all_that_comes()
    {
        bench.Inputs.Add(FakeJournal.Input(startAtEnd: true));
        await bench.StartAsync();
        await bench.ReadAsync();
        journal.Add("first");
        await bench.RestartAsync();

        await bench.ReadAsync();

        Assert.Equal(["first"], bench.Bodies());
    }

    [Fact]
    public async Task The_program_gets_a_list_of_arguments_and_matches_stay_matches()
    {
        bench.Inputs.Add(FakeJournal.Input() with { Matches = ["_SYSTEMD_UNIT=a b; reboot", "+", "PRIORITY=3"] });
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(
            ["--output=export", "--quiet", "--no-pager", $"--output-fields={JournalExport.FieldNames}", "_SYSTEMD_UNIT=a b; reboot", "+", "PRIORITY=3"],
            Assert.Single(journal.Starts));
    }

    [Fact]
    public async Task Excluded_entries_are_counted_and_left_out()
    {
        bench.Inputs.Add(FakeJournal.Input() with { Exclude = [LinePattern.TryParse("health", out _)!] });
        journal.Add("a health check");
        journal.Add("kept");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["kept"], bench.Bodies());
        Assert.Equal(1, bench.Tailer.Counters[0].Excluded);
    }

    [Fact]
    public async Task Other_matches_go_on_behind_what_was_taken()
    {
        bench.NewSources = bench => journal.SourcesOf(bench, follows: true);
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add("1");
        await bench.StartAsync();
        await ReadUntilAsync(1);
        bench.Inputs[0] = bench.Inputs[0] with { Matches = ["PRIORITY=3"] };
        bench.Tailer.Replace(bench.Settings());
        journal.Add("2");

        await ReadUntilAsync(2);

        Assert.Equal(["1", "2"], bench.Bodies());
        Assert.Equal(["--after-cursor=n=1", "PRIORITY=3"], journal.Starts[^1][^2..]);
    }

    [Fact]
    public async Task An_input_that_is_taken_out_is_forgotten()
    {
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add("1");
        await bench.StartAsync();
        await bench.ReadAsync();
        Assert.Equal("n=1", Assert.Single(bench.Queue.Queue.TailOffsets).Text);
        bench.Inputs.Clear();
        await bench.RestartAsync();
        bench.Inputs.Add(FakeJournal.Input("other"));
        journal.Add("2");
        await bench.RestartAsync();

        await bench.ReadAsync();

        Assert.Equal(["1", "1", "2"], bench.Bodies());
    }

    [Fact]
    public async Task A_program_that_dies_is_started_again_behind_the_last_entry()
    {
        bench.NewSources = bench => journal.SourcesOf(bench, follows: true, troubles);
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add("1");
        await bench.StartAsync();
        await ReadUntilAsync(1);
        for (var i = 2; i <= 4; i++)
        {
            KillTheProgram();
            journal.Add(i.ToString(CultureInfo.InvariantCulture));
            await ReadUntilAsync(i, seconds: 1); // it is tried again after a second, since entries came
        }

        Assert.Equal(["1", "2", "3", "4"], bench.Bodies());
        Assert.Equal(["journal"], troubles.Select(trouble => trouble.Split(':')[0]).Distinct());
        Assert.Contains("signal 9 ended it", troubles[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_read_is_told_once_counted_and_keeps_no_other_input_waiting()
    {
        JournalInputs? inputs = null;
        bench.NewSources = bench => [inputs = journal.SourcesOf(bench, follows: true, troubles)[0]];
        bench.Inputs.Add(FakeJournal.Input(startAtEnd: true));
        bench.AddInput("a.log");
        bench.Write("a.log", "line\n");
        journal.Fail("No journal files were opened\ndue to insufficient permissions.");
        await bench.StartAsync();
        for (var i = 1; i <= 5; i++)
        {
            await bench.ReadAsync(seconds: 120);
            await ReadWhileAsync(() => inputs!.All[0].RestartCount < i);
        }

        Assert.Equal(["line"], bench.Bodies());
        Assert.Equal(1, bench.Queue.Logger.CountOf(1551));
        Assert.Equal(
            $"Log input journal: the systemd journal cannot be read: {journal.Program}: it ended with exit code 1: No journal files were opened due to insufficient permissions. "
            + "It is tried again, up to a minute apart; entries wait in the journal.",
            bench.Queue.Logger.MessageOf(1551));
        Assert.Single(troubles);
        Assert.Equal(5, journal.Starts.Count);

        journal.Fail(null);
        await bench.ReadAsync(seconds: 120);
        await ReadWhileAsync(() => !journal.Starts[^1].Contains("--follow"));
        journal.Add("back");
        await ReadUntilAsync(2);

        Assert.Equal(["line", "back"], bench.Bodies());
        Assert.Equal(1, bench.Queue.Logger.CountOf(1552));
    }

    [Fact]
    public async Task A_host_without_journalctl_says_what_is_missing()
    {
        bench.NewSources = bench => [new JournalInputs(new JournalOptions(null, [], true, (_, reason) => troubles.Add(reason)), bench.Time, bench.Queue.Logger)];
        bench.Inputs.Add(FakeJournal.Input());
        bench.AddInput("a.log");
        bench.Write("a.log", "line\n");
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["line"], bench.Bodies());
        Assert.StartsWith("there is no journalctl in the folders of PATH", Assert.Single(troubles), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hello there\n")]
    [InlineData("MESSAGE=no cursor\n\n")]
    [InlineData("MESSAGE\n\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u007Fx")]
    public async Task What_is_not_the_export_format_is_not_taken(string output)
    {
        bench.Inputs.Add(FakeJournal.Input());
        journal.Add("good");
        journal.AddRaw(Encoding.Latin1.GetBytes(output));
        await bench.StartAsync();

        await bench.ReadAsync();

        Assert.Equal(["good"], bench.Bodies());
        Assert.Single(troubles);
    }

    [Fact]
    public async Task Entries_wait_in_the_journal_while_the_queue_is_full()
    {
        await using var small = new TailBench(queueBytesMax: 256 << 10) { NewSources = bench => journal.SourcesOf(bench, follows: false) };
        small.Inputs.Add(FakeJournal.Input());
        var random = new Random(1);
        for (var i = 0; i < 60; i++)
        {
            var text = new byte[6000];
            random.NextBytes(text);
            journal.Add($"{i} {Convert.ToBase64String(text)}");
        }

        await small.StartAsync();

        Assert.Equal(RoundOutcome.Full, await small.ReadAsync());
        var taken = small.Take();
        while (taken.Count < 60)
        {
            var before = taken.Count;
            await small.ReadAsync();
            taken.AddRange(small.Take());
            Assert.NotEqual(before, taken.Count);
        }

        Assert.Equal(Enumerable.Range(0, 60), taken.Select(line => int.Parse(line.Body.Split(' ')[0], CultureInfo.InvariantCulture)));
        Assert.Equal(0UL, small.Queue.Queue.Counters.Dropped);
    }

    [Fact]
    public async Task Every_entry_is_in_the_queue_once_and_in_order_whatever_operation_the_agent_was_killed_at()
    {
        for (var at = 0; at < 30; at++)
        {
            await RunAsync(at, powerCut: null);
        }
    }

    [Fact]
    public async Task A_power_cut_leaves_each_entry_in_the_queue_once()
    {
        for (var at = 0; at < 30; at++)
        {
            await RunAsync(at, new Random(at));
        }
    }

    [Fact]
    public async Task A_failing_disk_loses_no_entry_and_doubles_none()
    {
        for (var at = 0; at < 20; at++)
        {
            await using var failing = new TailBench { LogsPerBatchMax = 3, NewSources = bench => journal.SourcesOf(bench, follows: false) };
            failing.Inputs.Add(FakeJournal.Input());
            await failing.StartAsync();
            var first = failing.Files.OperationCount + at;
            failing.Files.Fault = operation => operation.Index == first ? new Lm.TestKit.FileFault(5, operation.Index % 2 == 0) : null;
            var from = journal.Count;
            for (var i = 0; i < 8; i++)
            {
                journal.Add($"{from + i}");
            }

            await failing.ReadAsync(seconds: 2);
            failing.Files.Fault = null;
            await failing.ReadAsync(seconds: 2);
            await failing.RestartAsync();
            await failing.ReadAsync(seconds: 2);

            Assert.Equal(Enumerable.Range(0, journal.Count).Select(i => $"{i}"), failing.Bodies());
        }
    }

    private static async Task RunAsync(int haltAt, Random? powerCut)
    {
        using var own = new FakeJournal();
        await using var crashing = new TailBench(seed: haltAt + 1) { LogsPerBatchMax = 2, NewSources = bench => own.SourcesOf(bench, follows: false) };
        crashing.Inputs.Add(FakeJournal.Input(startAtEnd: haltAt % 2 == 0));
        own.Add("before");
        await crashing.StartAsync();
        await crashing.ReadAsync();
        var expected = crashing.Bodies();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 5; i++)
            {
                own.Add($"{round} {i}");
                expected.Add($"{round} {i}");
            }

            await crashing.RestartAsync();
            crashing.Files.HaltAt = crashing.Files.OperationCount + haltAt;
            await crashing.ReadAsync();
            await crashing.CrashAsync(powerCut);
            await crashing.StartAsync();
        }

        await crashing.ReadAsync();

        Assert.Equal(expected, crashing.Bodies());
    }

    private Task ReadUntilAsync(int count, int seconds = 0) => ReadWhileAsync(() => bench.Arrived().Count < count, seconds);

    private async Task ReadWhileAsync(Func<bool> goesOn, int seconds = 0)
    {
        var since = Stopwatch.GetTimestamp();
        while (goesOn())
        {
            await bench.ReadAsync(seconds);
            Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(60), "entries do not arrive");
        }
    }

    private void KillTheProgram()
    {
        var message = bench.Queue.Logger.Events.Last(logged => logged.Id == 1550).Message;
        using var program = Process.GetProcessById(int.Parse(Regex.Match(message, "process ([0-9]+)").Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        program.Kill();
    }
}
