using System.Diagnostics;

namespace Lm.Repository.Tests;

/// <summary>The checkout that these tests judge.</summary>
internal static class Checkout
{
    private static readonly string[] TextFiles =
        [".cs", ".csproj", ".props", ".targets", ".sln", ".json", ".toml", ".md", ".sh", ".proto", ".service", ".html", ".css", ".js", ".ts", ".txt", ""];

    public static string Root { get; } = FindRoot();

    /// <summary>Every tracked file, as git names it, with its mode.</summary>
    public static IReadOnlyList<(string Path, string Mode)> Tracked { get; } = ListTracked();

    public static IEnumerable<string> TrackedText =>
        Tracked.Select(file => file.Path).Where(path => TextFiles.Contains(Path.GetExtension(path)) && !path.StartsWith("tests/fixtures/", StringComparison.Ordinal));

    public static IEnumerable<string> Under(string folder, string extension) =>
        Tracked.Select(file => file.Path).Where(path => path.StartsWith(folder, StringComparison.Ordinal) && path.EndsWith(extension, StringComparison.Ordinal));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Fails with all findings at once.</summary>
    public static void AssertNone(IEnumerable<string> findings, string rule)
    {
        var all = findings.ToArray();
        Assert.True(all.Length == 0, $"{rule}\n{string.Join('\n', all)}");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Lightmetrics.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"no Lightmetrics.sln above {AppContext.BaseDirectory}");
    }

    private static List<(string Path, string Mode)> ListTracked()
    {
        var start = new ProcessStartInfo("git", "ls-files --cached -s -z") { WorkingDirectory = Root, RedirectStandardOutput = true };
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git did not start");
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.True(git.ExitCode == 0, $"git ls-files ended with {git.ExitCode}");
        return
        [
            .. output.Split('\0', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => (Path: line[(line.IndexOf('\t', StringComparison.Ordinal) + 1)..], Mode: line[..6]))
                .Where(file => File.Exists(Path.Combine(Root, file.Path))),
        ];
    }
}
