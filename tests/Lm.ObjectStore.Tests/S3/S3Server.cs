using System.Diagnostics;

namespace Lm.ObjectStore.Tests.S3;

/// <summary>A real S3 server on this machine, started by the scripts of the shared folder and stopped at the end.</summary>
internal sealed class S3Server : IDisposable
{
    /// <summary>The bucket that every server of tests has.</summary>
    public const string Bucket = "telemetry";

    private readonly string scripts;
    private readonly string kind;
    private readonly Dictionary<string, string> environment;

    private S3Server(string scripts, string kind, Dictionary<string, string> environment, Dictionary<string, string> exports)
    {
        (this.scripts, this.kind, this.environment) = (scripts, kind, environment);
        Endpoint = new Uri(exports["S3_ENDPOINT"]);
        TlsEndpoint = new Uri(exports["S3_TLS_ENDPOINT"]);
        TlsRoots = exports["S3_TLS_CA"];
    }

    public Uri Endpoint { get; }

    public Uri TlsEndpoint { get; }

    /// <summary>PEM of the CA that its certificate comes from.</summary>
    public string TlsRoots { get; }

    /// <summary>Starts one, or says why there is none.</summary>
    /// <param name="kind">"light" or "real".</param>
    /// <param name="firstPort">Its ports begin here.</param>
    /// <param name="needs">Programs without which it cannot be.</param>
    /// <param name="missing">Why there is none.</param>
    public static S3Server? TryStart(string kind, int firstPort, string[] needs, out string missing)
    {
        missing = "";
        if (Scripts() is not { } scripts)
        {
            missing = "the S3 servers are missing: set LM_SHARED, or put the folder shared beside the checkout";
            return null;
        }

        if (needs.FirstOrDefault(program => !IsInstalled(program)) is { } lacking)
        {
            missing = $"the {kind} S3 server needs {lacking}, which is not installed";
            return null;
        }

        var folder = Path.Combine(Path.GetTempPath(), $"lm-s3-{kind}-{firstPort}");
        var name = kind.ToUpperInvariant();
        var environment = new Dictionary<string, string>
        {
            [$"S3_{name}_DIR"] = folder,
            [$"S3_{name}_PORT"] = $"{firstPort}",
            [$"S3_{name}_TLS"] = $"{firstPort + 1}",
            [$"S3_{name}_BASE"] = $"{firstPort + 2}",
            ["S3_BUCKET"] = Bucket,
        };
        var (code, output, errors) = Run(Path.Combine(scripts, $"{kind}-up.sh"), environment);
        if (code != 0)
        {
            missing = $"the {kind} S3 server did not start: {errors.Trim()}";
            return null;
        }

        var exports = output.Split('\n').Where(line => line.StartsWith("export ", StringComparison.Ordinal)).Select(line => line["export ".Length..].Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);
        return new S3Server(scripts, kind, environment, exports);
    }

    public void Dispose() => Run(Path.Combine(scripts, "down.sh"), environment, kind);

    private static string? Scripts()
    {
        var shared = Environment.GetEnvironmentVariable("LM_SHARED");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); shared is null && folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Lightmetrics.sln")))
            {
                shared = Path.Combine(folder.Parent?.FullName ?? "/", "shared");
            }
        }

        return shared is not null && Directory.Exists(Path.Combine(shared, "s3")) ? Path.Combine(shared, "s3") : null;
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private static (int Code, string Output, string Errors) Run(string script, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(script);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
