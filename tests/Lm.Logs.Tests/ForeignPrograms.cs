using System.Diagnostics;

namespace Lm.Logs.Tests;

/// <summary>Programs that are not ours, run on stored files: a test that needs one that is not there skips itself.</summary>
internal static class ForeignPrograms
{
    // Shared by all runs: the engines have some hundred megabytes.
    private static readonly string Modules = Path.Combine(Path.GetTempPath(), "lm-foreign-" + Environment.UserName);

    /// <summary>Skips the test where a program is not on the PATH.</summary>
    public static void Need(params ReadOnlySpan<string> programs)
    {
        foreach (var program in programs)
        {
            Assert.SkipUnless(
                (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program))), $"{program} is not on the PATH");
        }
    }

    /// <summary>Runs a script with Node.js and an npm package, and skips the test where npm cannot install it.</summary>
    /// <param name="package">Name and version.</param>
    /// <param name="script">CommonJS; what it prints comes back.</param>
    public static async Task<string> NodeAsync(string package, string script)
    {
        Need("node", "npm");
        var folder = Path.Combine(Modules, package.Replace('/', '_').Replace('@', '_')); // a path with an @ is a package's name to npm;
        if (!File.Exists(Path.Combine(folder, "installed")))
        {
            Directory.CreateDirectory(folder);
            var (code, output, errors) = await RunAsync("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--no-package-lock", package], Modules);
            Assert.SkipUnless(code == 0, $"npm cannot install {package}: {output}{errors}");
            await File.WriteAllTextAsync(Path.Combine(folder, "installed"), "", TestContext.Current.CancellationToken);
        }

        var (exit, printed, said) = await RunAsync("node", ["-e", script], folder);
        Assert.True(exit == 0, $"node: exit code {exit}: {said}");
        return printed;
    }

    /// <summary>What a shell command prints.</summary>
    public static async Task<string> ShellAsync(string command, string folder)
    {
        var (code, output, errors) = await RunAsync("bash", ["-o", "pipefail", "-c", command], folder);
        Assert.True(code == 0, $"{command}: exit code {code}: {errors}");
        return output;
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string program, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
