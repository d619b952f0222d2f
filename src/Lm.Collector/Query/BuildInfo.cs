namespace Lm.Collector.Query;

/// <summary><c>/api/v1/status/buildinfo</c>: Grafana asks it whom it talks to.</summary>
internal static class BuildInfo
{
    /// <summary>The program's version, as in 0.1.0.</summary>
    public static string Version { get; } = typeof(BuildInfo).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Answers one request.</summary>
    public static async Task WriteAsync(HttpContext context)
    {
        await using var writer = ApiJson.Begin(context.Response);
        writer.WriteStartObject();
        writer.WriteString("version"u8, Version);
        writer.WriteString("application"u8, "lightmetrics"u8);

        // Prometheus' fields: clients read them without asking whether they are there.
        foreach (var name in (ReadOnlySpan<string>)["revision", "branch", "buildUser", "buildDate", "goVersion"])
        {
            writer.WriteString(name, "");
        }

        writer.WriteEndObject();
        await ApiJson.EndAsync(writer, context.Response, context.RequestAborted);
    }
}
