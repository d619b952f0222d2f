using System.Globalization;
using System.Text;
using Lm.Platform.Processes;

namespace Lm.Platform.Tests.Processes;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ProgramRunTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_program_that_ends_well_gives_its_output()
    {
        var run = Run("printf one; printf two");

        Assert.True(run.IsGood, run.Describe());
        Assert.Equal("onetwo", TextOf(run));
        Assert.Equal(0, run.End.Code);
    }

    [Fact]
    public void An_exit_code_and_what_it_complains_of_are_told()
    {
        var run = Run("echo no disk >&2; exit 7");

        Assert.False(run.IsGood);
        Assert.Equal("it ended with exit code 7: no disk", run.Describe());
    }

    [Fact]
    public void One_that_hangs_is_killed_when_its_time_is_over()
    {
        var run = Run("echo begun; sleep 600", timeout: TimeSpan.FromMilliseconds(200));

        Assert.True(run.HasTimedOut);
        Assert.Equal("begun\n", TextOf(run));
        Assert.StartsWith("it did not end within 200 ms and was killed", run.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_closed_its_output_and_hangs_is_killed_all_the_same()
    {
        var run = Run("exec >&- 2>&-; sleep 600", timeout: TimeSpan.FromMilliseconds(200));

        Assert.True(run.HasTimedOut);
    }

    [Fact]
    public void One_that_floods_is_killed_and_no_more_is_held_than_allowed()
    {
        var run = Run("yes", bytesMax: 1000);

        Assert.True(run.IsFlooding);
        Assert.Equal(1000, run.Output.Length);
        Assert.StartsWith("it wrote more than 1000 bytes", run.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void Complaints_without_end_hold_nothing_up_and_are_cut()
    {
        var run = Run("i=0; while [ $i -lt 20000 ]; do echo complaint >&2; i=$((i+1)); done; echo done");

        Assert.Equal("done\n", TextOf(run));
        Assert.True(run.IsGood);
        Assert.True(run.Describe().Length < 700);
    }

    [Fact]
    public async Task What_it_leaves_behind_in_its_group_is_ended_and_not_waited_for()
    {
        var run = Run("sleep 600 & echo $!", timeout: Long);

        Assert.True(run.IsGood, run.Describe());
        await UntilEndedAsync(int.Parse(TextOf(run), CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Children_of_one_that_hangs_end_with_it()
    {
        var run = Run("(sleep 600 & sleep 600 & wait) & (sleep 600 & echo $!; wait) & wait", timeout: TimeSpan.FromMilliseconds(500));

        Assert.True(run.HasTimedOut);
        await UntilEndedAsync(int.Parse(TextOf(run), CultureInfo.InvariantCulture));
    }

    [Fact]
    public void It_runs_where_it_is_told_to()
    {
        var run = ProgramRun.Start(new ProgramStart("/bin/pwd", ["-P"]) { WorkingDirectory = "/usr", Timeout = Long }, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal("/usr\n", TextOf(run));
    }

    [Fact]
    public void A_directory_or_program_that_is_not_there_is_told()
    {
        var nowhere = ProgramRun.Start(new ProgramStart("/bin/pwd", []) { WorkingDirectory = "/no/such" }, TimeProvider.System, TestContext.Current.CancellationToken);
        var nothing = ProgramRun.Start(new ProgramStart("/no/such", []), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.StartsWith("it cannot be started: ", nowhere.Describe(), StringComparison.Ordinal);
        Assert.StartsWith("it cannot be started: ", nothing.Describe(), StringComparison.Ordinal);
        Assert.False(nothing.IsGood);
    }

    [Fact]
    public void A_script_starts_from_bytes_in_memory_with_its_own_name_and_arguments()
    {
        using var image = ProgramImage.TryMake("#!/bin/sh\necho \"$1\"; cat /proc/$$/comm >&2\n"u8, out var fault);
        Assert.Equal("", fault);

        var run = ProgramRun.Start(new ProgramStart("/no/such/plugin", ["argument"]) { Image = image, Timeout = Long }, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.True(run.IsGood, run.Describe());
        Assert.Equal("argument\n", TextOf(run));
    }

    [Fact]
    public void A_binary_starts_from_bytes_in_memory()
    {
        using var image = ProgramImage.TryMake(File.ReadAllBytes("/bin/echo"), out _);

        var run = ProgramRun.Start(new ProgramStart("/bin/echo", ["hello"]) { Image = image, Timeout = Long }, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal("hello\n", TextOf(run));
    }

    [Fact]
    public void A_program_cannot_change_the_bytes_that_it_was_started_from()
    {
        using var image = ProgramImage.TryMake("#!/bin/sh\n(echo evil > \"$0\") 2>/dev/null || echo refused\n"u8, out _);

        var run = ProgramRun.Start(new ProgramStart("/no/such", []) { Image = image, Timeout = Long }, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal("refused\n", TextOf(run));
    }

    [Fact]
    public void A_stop_ends_it_at_once()
    {
        using var stopping = new CancellationTokenSource();
        stopping.Cancel();

        var run = ProgramRun.Start(new ProgramStart("/bin/sleep", ["600"]) { Timeout = Long }, TimeProvider.System, stopping.Token);

        Assert.False(run.IsGood);
        Assert.False(run.HasTimedOut);
    }

    private static ProgramRun Run(string script, TimeSpan? timeout = null, int bytesMax = 64 << 10) => ProgramRun.Start(
        new ProgramStart("/bin/sh", ["-c", script]) { Environment = ["PATH=/usr/bin:/bin"], Timeout = timeout ?? Long, OutputBytesMax = bytesMax }, TimeProvider.System, TestContext.Current.CancellationToken);

    private static string TextOf(ProgramRun run) => Encoding.UTF8.GetString(run.Output.Span);

    // A signal takes its time: fails by the test's own time-out.
    private static async Task UntilEndedAsync(int process)
    {
        using var patience = new CancellationTokenSource(Long);
        while (!HasEnded(process))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), patience.Token);
        }
    }

    // A zombie that init has not waited for yet has ended, too.
    private static bool HasEnded(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][0] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }
}
