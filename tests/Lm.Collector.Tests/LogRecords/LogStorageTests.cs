using Lm.Collector.Listeners;
using Lm.Collector.LogRecords;
using Lm.Collector.Tests.Series;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.LogRecords;

public sealed class LogStorageTests
{
    [Fact]
    public async Task A_record_is_found_as_soon_as_its_batch_is_applied_and_after_a_kill_and_after_a_stop()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "hello \"world\"\n", [new Label("input", "syslog"), new Label("pid", "7")]));
        string[] expected = ["{input=syslog,instance=a1,severity=info} hello \"world\"\n pid=7"];
        Assert.Equal(expected, rig.Logs.Lines());

        await using var killed = await rig.AfterKillAsync();
        Assert.Equal(expected, killed.Logs.Lines());
        await using var stopped = await killed.AfterStopAsync();
        Assert.Equal(expected, stopped.Logs.Lines());
        await using var cut = await stopped.AfterPowerCutAsync(1);
        Assert.Equal(expected, cut.Logs.Lines());
    }

    [Fact]
    public async Task Severities_have_OpenTelemetrys_short_names_and_none_where_they_are_not_known()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: [.. new[] { 0, 1, 4, 9, 14, 24 }.Select(severity => new LogRecord(rig.Now, severity, $"{severity}", []))]);

        Assert.Equal(
            ["{instance=a1} 0", "{instance=a1,severity=trace} 1", "{instance=a1,severity=trace4} 4", "{instance=a1,severity=info} 9", "{instance=a1,severity=warn2} 14", "{instance=a1,severity=fatal4} 24"],
            rig.Logs.Lines());
    }

    [Fact]
    public async Task Labels_of_an_agent_that_have_a_stored_lines_own_names_are_renamed()
    {
        await using var rig = new StorageRig();
        await rig.SendLogsAsync(
            [new Label("instance", "x"), new Label("body", "b"), new Label("exported_body", "e"), new Label("site", "lab")],
            new LogRecord(rig.Now, 0, "hello", [new Label("instance", "an attribute")]));

        Assert.Equal(
            ["{exported_body=e,exported_exported_body=b,exported_instance=x,instance=a1,site=lab} hello instance=an attribute"], rig.Logs.Lines());
    }

    [Fact]
    public async Task Inputs_of_an_agent_that_are_too_many_share_the_stream_of_other_and_each_line_names_its_own()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: [.. Enumerable.Range(0, AgentStreams.InputsMax).Select(i => new LogRecord(rig.Now, 0, "body", [new Label("input", $"input {i}")]))]);
        await rig.SendLogsAsync(
            [new Label("site", "lab")],
            new LogRecord(rig.Now, 0, "too many", [new Label("input", "one more"), new Label("pid", "7")]),
            new LogRecord(rig.Now, 0, "has it", [new Label("input", "one more"), new Label("input_name", "mine")]),
            new LogRecord(rig.Now, 0, "known", [new Label("input", "input 0")]),
            new LogRecord(rig.Now, 0, "none", []));

        var lines = rig.Logs.Lines();
        Assert.Equal(AgentStreams.InputsMax, lines.Count(static line => line.StartsWith("{input=input ", StringComparison.Ordinal) && line.EndsWith("} body", StringComparison.Ordinal)));
        Assert.Equal(
            ["{input=input 0,instance=a1,site=lab} known", "{input=other,instance=a1,site=lab} has it input_name=mine", "{input=other,instance=a1,site=lab} too many pid=7 input_name=one more", "{instance=a1,site=lab} none"],
            lines.Where(static line => !line.EndsWith("} body", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Spool_segments_whose_records_are_in_log_files_go_and_nothing_is_lost_with_them()
    {
        await using var rig = new StorageRig();
        rig.Files.Fault = static operation => operation.Path.Contains("/logs/", StringComparison.Ordinal) ? FileFault.InputOutput : null;
        for (var i = 0; i < 60; i++)
        {
            await rig.SendAsync(logs: new LogRecord(rig.Now, 9, $"line {i}", []));
        }

        var oldest = rig.OldestSegment;
        rig.Series.Checkpoint();
        rig.Trim.Run(rig.Settings);
        Assert.Equal(oldest, rig.OldestSegment); // log records are in the spool alone
        rig.Files.Fault = null;
        rig.Logs.Checkpoint();
        rig.Trim.Run(rig.Settings);
        Assert.True(rig.OldestSegment > oldest);

        await using var later = await rig.AfterPowerCutAsync(5);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => $"{{instance=a1,severity=info}} line {i}"), later.Logs.Lines());
    }

    [Fact]
    public async Task An_hour_that_is_over_becomes_a_sealed_file_and_late_lines_one_of_their_date()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: [new LogRecord(rig.Now, 9, "now", []), new LogRecord(rig.Now.Add(TimeSpan.FromDays(-3)), 9, "late", []), new LogRecord(rig.Now.Add(TimeSpan.FromDays(-3) + TimeSpan.FromHours(5)), 9, "late, too", [])]);
        rig.Time.Advance(TimeSpan.FromHours(7));
        rig.Keep();

        Assert.Equal(
            ["date=2025-12-30/hour=late", "date=2026-01-02/hour=03"],
            rig.Files.AllFiles("/spool/logs").Where(static path => path.EndsWith(".ndjson.zst", StringComparison.Ordinal)).Select(static path => Path.GetDirectoryName(path)!["/spool/logs/".Length..]));
        Assert.Equal(["{instance=a1,severity=info} late", "{instance=a1,severity=info} late, too", "{instance=a1,severity=info} now"], rig.Logs.Lines());
        await using var later = await rig.AfterPowerCutAsync(7);
        Assert.Equal(3, later.Logs.Lines().Count);
    }

    [Fact]
    public async Task K14_a_quiet_window_is_durable_within_15_minutes()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "one", []));
        var before = rig.Logs.StoredBefore;
        rig.Time.Advance(TimeSpan.FromMinutes(15));
        rig.Keep();
        var written = rig.Files.AllFiles("/spool/logs/open");

        Assert.Equal(0U, before);
        Assert.Contains(written, static path => path.EndsWith(".ndjson.zst", StringComparison.Ordinal));
        Assert.Contains("{instance=a1,severity=info} one", rig.Logs.Lines());
    }

    [Fact]
    public async Task A_disk_that_takes_nothing_stops_no_search_and_loses_no_line()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "before", []));
        rig.Files.Fault = static operation => operation.Path.Contains("/logs/", StringComparison.Ordinal)
            && operation.Kind is FileOperationKind.Write or FileOperationKind.Create ? FileFault.NoSpace : null;
        rig.Logs.Checkpoint();
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "while", []));
        Assert.Equal(2, rig.Logs.Lines().Count);
        rig.Files.Fault = null;
        rig.Logs.Checkpoint();

        await using var later = await rig.AfterPowerCutAsync(2);
        Assert.Equal(["{instance=a1,severity=info} before", "{instance=a1,severity=info} while"], later.Logs.Lines().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Records_that_cannot_be_taken_are_told_and_wait_in_the_spool_until_they_can_be()
    {
        await using var rig = await HeldAsync();
        var readiness = new Readiness(rig.Spool, rig.Clock, static () => 0, static () => 0, static () => 0, () => rig.Logs.IsHeld, rig.Bound);
        readiness.ReplayDone();
        var oldest = rig.OldestSegment;
        rig.Series.Checkpoint();
        rig.Logs.Checkpoint();
        rig.Trim.Run(rig.Settings);
        Assert.Equal(oldest, rig.OldestSegment);
        Assert.Equal(["{instance=a1,severity=info} before"], rig.Logs.Lines());
        Assert.Equal(1, Held(rig));
        var report = readiness.Report();
        Assert.True(report.IsReady);
        Assert.StartsWith("logs_held: ", Assert.Single(report.Lines), StringComparison.Ordinal);

        Assert.False(rig.Logs.CatchUp(TestContext.Current.CancellationToken)); // the disk still takes nothing
        Assert.Equal(1, Held(rig));
        rig.Files.Fault = null;
        rig.Keep();
        Assert.True(rig.Logs.CatchUp(TestContext.Current.CancellationToken));
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "behind", []));

        Assert.Equal([.. HeldLines, "{instance=a1,severity=info} behind"], rig.Logs.Lines());
        Assert.Equal(0, Held(rig));
        Assert.Empty(readiness.Report().Lines);
        rig.Series.Checkpoint();
        rig.Logs.Checkpoint();
        rig.Trim.Run(rig.Settings);
        Assert.True(rig.OldestSegment > oldest);
        await using var later = await rig.AfterPowerCutAsync(9);
        Assert.Equal([.. HeldLines, "{instance=a1,severity=info} behind"], later.Logs.Lines());
    }

    [Fact]
    public async Task Records_that_wait_in_the_spool_are_taken_by_the_next_start_as_well()
    {
        await using var rig = await HeldAsync();
        rig.Files.Fault = null;

        await using var later = await rig.AfterKillAsync();

        Assert.Equal(HeldLines, later.Logs.Lines());
        Assert.Equal(0, Held(later));
    }

    [Fact]
    public async Task A_disk_that_fails_again_while_records_are_caught_up_with_loses_none_and_doubles_none()
    {
        for (var failing = 0; failing < 12; failing++)
        {
            await using var rig = await HeldAsync();
            var first = rig.Files.OperationCount + failing;
            rig.Files.Fault = operation => operation.Index >= first && IsOfLogs(operation) ? FileFault.NoSpace : null;
            rig.Keep();
            rig.Logs.CatchUp(TestContext.Current.CancellationToken);
            rig.Logs.Checkpoint();
            rig.Files.Fault = null;
            rig.Keep();
            Assert.True(rig.Logs.CatchUp(TestContext.Current.CancellationToken));
            Assert.Equal(HeldLines, rig.Logs.Lines());
            rig.Time.Advance(TimeSpan.FromHours(7));
            rig.Keep();

            await using var later = await rig.AfterPowerCutAsync(failing);
            Assert.Equal(HeldLines, later.Logs.Lines());
            Assert.Equal(HeldLines.Length, Metric(later, "lm_collector_logs_sealed_records"));
        }
    }

    [Fact]
    public async Task Streams_of_files_that_cannot_be_sealed_hold_up_further_records_and_let_them_in_when_they_can()
    {
        await using var rig = new StorageRig(logOptions: static options => options with { WaitingBytesMax = 1000 });
        rig.Files.Fault = static operation => operation.Path.Contains("/date=", StringComparison.Ordinal) ? FileFault.NoSpace : null;
        await rig.SendAsync(logs: [.. Enumerable.Range(0, 20).Select(i => new LogRecord(rig.Now, 9, "before", [new Label("input", $"input {i}")]))]);
        rig.Time.Advance(TimeSpan.FromHours(2));
        rig.Keep();
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "behind", []));
        Assert.Equal(20, rig.Logs.Lines().Count);
        Assert.Equal(1, Held(rig));

        rig.Files.Fault = null;
        rig.Keep();
        Assert.True(rig.Logs.CatchUp(TestContext.Current.CancellationToken));

        Assert.Equal(21, rig.Logs.Lines().Count);
        Assert.Equal(0, Held(rig));
    }

    [Fact]
    public async Task A_batch_is_taken_whole_or_not_at_all_where_memory_runs_full_in_its_middle()
    {
        await using var rig = new StorageRig(logOptions: static options => options with { MemoryBytesMax = 1 << 20 });
        rig.Files.Fault = static operation => IsOfLogs(operation) ? FileFault.NoSpace : null;
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "before", []));
        rig.Logs.Checkpoint();
        rig.Keep();
        var noise = new byte[30_000]; // what compresses would not fill it
        var random = new Random(7);
        await rig.SendAsync(logs: [.. Enumerable.Range(0, 60).Select(_ =>
        {
            random.NextBytes(noise);
            return new LogRecord(rig.Now, 9, Convert.ToBase64String(noise), []);
        })]);
        Assert.Equal(61, rig.Logs.Lines().Count);
        Assert.Equal(0, Held(rig));

        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "behind", []));

        Assert.Equal(61, rig.Logs.Lines().Count);
        Assert.Equal(1, Held(rig));
    }

    [Fact]
    public async Task A_file_that_cannot_be_sealed_holds_up_no_other()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: new LogRecord(rig.Now.Add(TimeSpan.FromHours(-3)), 9, "old", []));
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "new", []));
        rig.Files.Fault = static operation => operation.Path.Contains("/hour=late/", StringComparison.Ordinal) ? FileFault.NoSpace : null;
        rig.Time.Advance(TimeSpan.FromHours(12));
        rig.Keep();
        rig.Keep();
        Assert.Equal(1, Metric(rig, "lm_collector_logs_sealed_records"));

        rig.Files.Fault = null;
        rig.Keep();

        Assert.Equal(2, Metric(rig, "lm_collector_logs_sealed_records"));
        Assert.Equal(2, rig.Logs.Lines().Count);
    }

    [Fact]
    public async Task What_waits_is_tried_again_by_the_running_collector_without_anyones_help()
    {
        await using var rig = await HeldAsync();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = rig.Logs.RunAsync(stopping.Token);
        rig.Files.Fault = null;
        while (rig.Logs.IsHeld)
        {
            if (rig.Time.TimerCount >= 3)
            {
                rig.Time.Advance(LogStorage.Tick); // all three loops wait for their next round
            }

            await Task.Yield();
        }

        await stopping.CancelAsync();
        await running;
        Assert.Equal(HeldLines, rig.Logs.Lines());
    }

    [Fact]
    public async Task Log_files_go_by_age_and_the_oldest_of_blocks_and_log_files_go_by_size()
    {
        await using var rig = new StorageRig();
        await rig.SendAsync(logs: [new LogRecord(rig.Now.Add(TimeSpan.FromDays(-30)), 9, "old", []), new LogRecord(rig.Now, 9, "new", [])]);
        rig.Time.Advance(TimeSpan.FromHours(12));
        rig.Keep();
        rig.Keep();
        Assert.Equal(2, rig.Logs.Lines().Count);

        rig.Settings = rig.Settings with { LocalRetention = TimeSpan.FromDays(20) };
        await rig.SendAsync(); // a clock that nobody agrees with makes nothing old
        rig.Keep();
        Assert.Equal(["{instance=a1,severity=info} new"], rig.Logs.Lines());

        rig.Settings = rig.Settings with { LocalSizeMax = 1 };
        rig.Keep();
        Assert.Empty(rig.Logs.Lines());
        Assert.DoesNotContain(rig.Files.AllFiles("/spool/logs"), static path => path.Contains("date=", StringComparison.Ordinal));
    }

    private static readonly string[] HeldLines =
        ["{instance=a1,severity=info} before", .. Enumerable.Range(100, 60).Select(static i => $"{{instance=a1,severity=info}} line {i}")];

    // A disk that took nothing until memory was full: the records that came since wait in the spool.
    private static async Task<StorageRig> HeldAsync()
    {
        var rig = new StorageRig(logOptions: static options => options with { MemoryBytesMax = 1 });
        await rig.SendAsync(logs: new LogRecord(rig.Now, 9, "before", []));
        Assert.Equal(0, Held(rig));
        rig.Files.Fault = static operation => IsOfLogs(operation) ? FileFault.NoSpace : null;
        rig.Logs.Checkpoint();
        rig.Keep();
        for (var i = 100; i < 160; i++)
        {
            await rig.SendAsync(logs: new LogRecord(rig.Now, 9, $"line {i}", []));
        }

        Assert.Equal(1, Held(rig));
        return rig;
    }

    private static bool IsOfLogs(FileOperation operation) => operation.Path.Contains("/logs/", StringComparison.Ordinal);

    private static double Held(StorageRig rig) => Metric(rig, "lm_collector_logs_held");

    private static double Metric(StorageRig rig, string name) => rig.Logs.Collect().Single(metric => metric.Name == name).Value;
}
