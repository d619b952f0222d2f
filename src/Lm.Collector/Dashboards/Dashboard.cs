namespace Lm.Collector.Dashboards;

/// <summary>A dashboard's definition that was checked whole. The collector shows none: what a list needs is read, the rest is handed on as it was written.</summary>
internal sealed record Dashboard
{
    /// <summary>The longest definition, bytes of TOML.</summary>
    public const int SizeMax = 256 * 1024;

    /// <summary>Its name in addresses: <c>[a-z0-9-]{1,64}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Title { get; init; }

    /// <summary>What it is for; may be empty.</summary>
    public required string Description { get; init; }

    /// <summary>Words to find it by.</summary>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>Whether it takes the place of the built-in one of the same id.</summary>
    public required bool OverridesBuiltin { get; init; }

    /// <summary>How many panels it has.</summary>
    public required int Panels { get; init; }

    /// <summary>The definition as it was written.</summary>
    public required string Toml { get; init; }

    /// <summary>The same as JSON.</summary>
    public required ReadOnlyMemory<byte> Json { get; init; }

    /// <summary>Differs for every other text: what If-Match is compared with, quotes included.</summary>
    public required string ETag { get; init; }

    /// <summary>Where it comes from.</summary>
    public required DashboardOrigin Origin { get; init; }

    /// <summary>The file, of those from files.</summary>
    public string? File { get; init; }
}

/// <summary>Where a definition comes from; the console changes only its own.</summary>
internal enum DashboardOrigin
{
    /// <summary>Built into the program.</summary>
    Builtin,

    /// <summary>A file that <c>[dashboards]</c> names.</summary>
    File,

    /// <summary>Saved by the console or the API.</summary>
    Console,
}
