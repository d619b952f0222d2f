using System.Diagnostics;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>Debian's promtool and prometheus, run on a folder of their own.</summary>
internal static class PrometheusTools
{
    /// <summary>Skips the test where the tools are not installed; scripts/test.sh installs them.</summary>
    public static void Need() =>
        Assert.SkipUnless(IsOnPath("promtool") && IsOnPath("prometheus"), "Debian's package prometheus is not on the PATH");

    public static async Task<string> PromtoolAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("promtool", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"promtool {string.Join(' ', arguments)}: exit code {process.ExitCode}: {await errors}");
        return await output;
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    public static string NewFolder()
    {
        var folder = Path.Combine(Path.GetTempPath(), "lm-tsdb-" + Guid.NewGuid().ToString("n"));
        Directory.CreateDirectory(folder);
        return folder;
    }

    public static void Copy(string source, string target)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
