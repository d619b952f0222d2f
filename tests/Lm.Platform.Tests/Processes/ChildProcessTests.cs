using System.Text;
using Lm.Platform.Processes;

namespace Lm.Platform.Tests.Processes;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ChildProcessTests
{
    [Fact]
    public void Output_errors_and_exit_code_are_told()
    {
        using var child = Start("/bin/sh", ["-c", "printf out; printf err >&2; exit 3"]);

        var (output, errors) = ReadAll(child);

        Assert.Equal("out", output);
        Assert.Equal("err", errors);
        Assert.Equal(new ChildEnd(3, 0), child.WaitForEnd(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Arguments_arrive_as_they_are_and_the_environment_is_the_given_one_alone()
    {
        using var child = Start("/bin/sh", ["-c", "printf '%s|' \"$@\"; /usr/bin/env", "name", "a b", "$(id)", "", "ä'\""], ["LC_ALL=C"]);

        var (output, _) = ReadAll(child);

        Assert.StartsWith("a b|$(id)||ä'\"|", output, StringComparison.Ordinal);
        var environment = output[output.LastIndexOf('|')..][1..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["LC_ALL=C"], environment.Where(line => !line.StartsWith("PWD=", StringComparison.Ordinal) && !line.StartsWith('_')));
    }

    [Fact]
    public void Nothing_comes_in_and_no_other_file_is_open()
    {
        using var file = new FileStream("/dev/null", FileMode.Open, FileAccess.Read);
        using var child = Start("/bin/sh", ["-c", "wc -c; for at in 0 1 2 3 4 5 6 7 8 9 20 50 100; do [ -e /proc/$$/fd/$at ] && echo $at; done"]);

        var (output, _) = ReadAll(child);

        Assert.Equal(["0", "0", "1", "2"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void A_program_that_is_not_there_gives_the_error_number()
    {
        Assert.Null(ChildProcess.TryStart("/nowhere/journalctl", [], [], out var error));
        Assert.Equal(2, error);
    }

    [Fact]
    public void One_that_is_killed_ends_its_output_and_says_which_signal_it_was()
    {
        using var child = Start("/bin/sh", ["-c", "echo ready; exec sleep 600"]);
        Assert.Equal("ready\n", ReadOnce(child));

        child.Kill();

        Assert.Equal(("", ""), ReadAll(child));
        Assert.Equal(new ChildEnd(-1, 9), child.WaitForEnd(TimeSpan.FromSeconds(10)));
        child.Kill(); // harmless: it is over
    }

    [Fact]
    public void What_it_started_ends_with_it()
    {
        using var child = Start("/bin/sh", ["-c", "sleep 600 & echo ready; wait"]); // the second one has the output open, too
        Assert.Equal("ready\n", ReadOnce(child));

        child.Kill();

        Assert.Equal(("", ""), ReadAll(child));
    }

    [Fact]
    public void One_that_does_not_end_in_time_is_killed()
    {
        using var child = Start("/bin/sh", ["-c", "exec sleep 600 >/dev/null 2>&1"]);
        ReadAll(child);

        Assert.Equal(9, child.WaitForEnd(TimeSpan.FromMilliseconds(20)).Signal);
    }

    [Fact]
    public void Programs_are_found_in_absolute_folders_alone()
    {
        var folder = Directory.CreateTempSubdirectory("lm-find-");
        var path = Path.Combine(folder.FullName, "tool");
        using (new FileStream(path, FileMode.Create))
        {
        }

        Assert.Null(ChildProcess.Find("tool", folder.FullName)); // not executable
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal(path, ChildProcess.Find("tool", $"/nowhere::{folder.FullName}"));
        Assert.Null(ChildProcess.Find("tool", Path.GetRelativePath("/", folder.FullName)));
        Assert.NotNull(ChildProcess.Find("sh", null));
        folder.Delete(recursive: true);
    }

    private static ChildProcess Start(string path, string[] arguments, string[]? environment = null)
    {
        var child = ChildProcess.TryStart(path, arguments, environment ?? ["PATH=/usr/bin:/bin"], out var error);
        Assert.Equal(0, error);
        return child!;
    }

    private static string ReadOnce(ChildProcess child)
    {
        var buffer = new byte[100];
        return Encoding.UTF8.GetString(buffer, 0, Math.Max(0, child.Read(buffer, new byte[100], out _)));
    }

    private static (string Output, string Errors) ReadAll(ChildProcess child)
    {
        var (output, errors) = (new MemoryStream(), new MemoryStream());
        var (buffer, errorBuffer) = (new byte[4096], new byte[4096]);
        for (var count = 0; count >= 0;)
        {
            count = child.Read(buffer, errorBuffer, out var errorCount);
            output.Write(buffer, 0, Math.Max(0, count));
            errors.Write(errorBuffer, 0, errorCount);
        }

        return (Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(errors.ToArray()));
    }
}
