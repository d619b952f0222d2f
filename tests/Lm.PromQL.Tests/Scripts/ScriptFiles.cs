namespace Lm.PromQL.Tests.Scripts;

/// <summary>The Prometheus project's own test scripts, which lie beside the checkout and not in it.</summary>
internal static class ScriptFiles
{
    private static readonly string? Folder = Find();

    /// <summary>A script's text; skips the test where the scripts are missing.</summary>
    public static string Read(PromSemantics semantics, string name)
    {
        Assert.SkipWhen(Folder is null, "Prometheus' test scripts are missing: set LM_SHARED, or put the folder shared beside the checkout");
        return File.ReadAllText(Path.Combine(Folder!, semantics == PromSemantics.V2 ? "testdata-v2" : "testdata-v3", name));
    }

    private static string? Find()
    {
        var named = Environment.GetEnvironmentVariable("LM_SHARED");
        if (!string.IsNullOrEmpty(named))
        {
            return Existing(named);
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Lightmetrics.sln")))
            {
                return Existing(Path.Combine(folder.FullName, "..", "shared"));
            }
        }

        return null;
    }

    private static string? Existing(string shared)
    {
        var scripts = Path.Combine(shared, "promql");
        return Directory.Exists(scripts) ? scripts : null;
    }
}
