namespace Lm.Collector.Console;

/// <summary>The addresses at which the console's one page is served; which of its views it shows is the script's decision.</summary>
internal static class ConsolePages
{
    // Longer than any host's name, escaped.
    private const int PathMax = 1024;

    private static readonly HashSet<string> Paths = new(StringComparer.Ordinal) { "/", "/dashboards", "/explore", "/logs", "/events", "/admin/agents", "/admin/landing", "/admin/retention", "/admin/config", "/admin/sessions", "/admin/about" };

    /// <summary>Whether a path, without the base path, is one of a page.</summary>
    public static bool Has(string path) => Paths.Contains(path) || (path.Length is > 7 and < PathMax && path.StartsWith("/hosts/", StringComparison.Ordinal))
        || (path.Length is > 3 and < PathMax && path.StartsWith("/d/", StringComparison.Ordinal));

    /// <summary>Where one signs in to come to a page.</summary>
    /// <param name="basePath">Where the console is served.</param>
    /// <param name="path">The page, without the base path, unescaped.</param>
    /// <param name="query">Its parameters, with the question mark.</param>
    public static string SignInFor(string basePath, string path, string query) =>
        $"{basePath}login?next={Uri.EscapeDataString(new PathString(path).ToUriComponent()[1..] + query)}";
}
