namespace Lm.EndToEnd.Tests;

/// <summary>Where the programs under test are: the folder named by <c>LM_BIN</c> (release binaries), else this checkout's build.</summary>
internal static class Programs
{
    public static string Root { get; } = FindRoot();

    public static string Agent { get; } = Find("Lm.Agent", "lm-agent");

    public static string Collector { get; } = Find("Lm.Collector", "lm-collector");

    /// <summary>Debian's Prometheus, a sender that is not ours: on the PATH, where scripts/test.sh puts it.</summary>
    public static string Prometheus =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append(Path.Combine(Root, "artifacts/peers/usr/bin"))
            .Select(folder => Path.Combine(folder, "prometheus")).FirstOrDefault(File.Exists)
        ?? throw new FileNotFoundException("there is no prometheus on the PATH: install Debian's package, or run scripts/test.sh, which unpacks it");

    private static string Find(string project, string program)
    {
        var folder = Environment.GetEnvironmentVariable("LM_BIN");
        // This test's own build says which of the programs' builds belongs to it: …/bin/<configuration>/<framework>/
        var build = new DirectoryInfo(AppContext.BaseDirectory);
        var path = string.IsNullOrEmpty(folder)
            ? Path.Combine(Root, "src", project, "bin", build.Parent!.Name, build.Name, program)
            : Path.Combine(Path.GetFullPath(folder), program);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: build it, or name a folder with LM_BIN", path);
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
}
