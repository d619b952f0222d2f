namespace Lm.Toml.Tests;

/// <summary>The TOML project's own cases (toml-lang/toml-test), which lie beside the checkout and not in it.</summary>
internal static class TomlSuite
{
    /// <summary>The folder <c>tests</c> of the suite, or null where it is missing.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>The cases' files as the list for TOML 1.0.0 names them, with an extension and sorted.</summary>
    public static IReadOnlyList<string> Listed(string kind, string extension) =>
        [.. File.ReadLines(Path.Combine(Require(), "files-toml-1.0.0"))
            .Where(name => name.StartsWith(kind + "/", StringComparison.Ordinal) && name.EndsWith(extension, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

    /// <summary>A listed file's bytes.</summary>
    public static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Require(), name));

    /// <summary>The folder; skips the test where it is missing.</summary>
    public static string Require()
    {
        Assert.SkipWhen(Folder is null, "toml-test is missing: set LM_SHARED, or put the folder shared beside the checkout");
        return Folder!;
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
        var tests = Path.Combine(shared, "toml-test", "tests");
        return File.Exists(Path.Combine(tests, "files-toml-1.0.0")) ? tests : null;
    }
}
