using Lm.Agent.HostMetrics;

namespace Lm.Agent.Settings;

/// <summary><c>[sources]</c>: which host metrics are collected.</summary>
internal sealed record SourcesSettings
{
    /// <summary>The most series of one tick by default.</summary>
    public const int SeriesMaxDefault = 10_000;

    /// <summary>Which set of sources. Default <see cref="SourceProfile.Host"/>.</summary>
    public SourceProfile Profile { get; init; } = SourceProfile.Host;

    /// <summary>The most series of one tick from all sources of the profile <c>host</c>; those beyond are left out and counted.</summary>
    public int SeriesMax { get; init; } = SeriesMaxDefault;

    /// <summary>Every source of the profile <c>host</c>, in the order in which they are asked.</summary>
    public IReadOnlyList<SourceSettings> All { get; init; } = SourceCatalog.Defaults;

    /// <summary>The settings of a source of the profile <c>host</c>.</summary>
    /// <param name="name">Its name in the catalog.</param>
    public SourceSettings Of(string name) => All.First(source => source.Name == name);

    /// <inheritdoc/>
    public bool Equals(SourcesSettings? other) =>
        other is not null && Profile == other.Profile && SeriesMax == other.SeriesMax && All.SequenceEqual(other.All);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Profile, SeriesMax, All.Count);
}

/// <summary>A set of sources.</summary>
internal enum SourceProfile
{
    /// <summary>All of the host's metrics.</summary>
    Host = 0,

    /// <summary>The base heartbeat: at most 107 series, which every collector takes in one batch.</summary>
    Heartbeat = 1,
}

/// <summary><c>[sources.NAME]</c>: one source.</summary>
/// <param name="Name">Its name.</param>
internal sealed record SourceSettings(string Name)
{
    /// <summary>The most series of one source by default.</summary>
    public const int SeriesMaxDefault = 2000;

    /// <summary>Whether it is asked at all. Default true.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>Time between two rounds; 0, the default, is the agent's own <c>interval_ms</c>.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.Zero;

    /// <summary>The most series of one round; those beyond are left out and counted.</summary>
    public int SeriesMax { get; init; } = SeriesMaxDefault;

    /// <summary>What it has names for (devices, mount points, containers): those that have series. Null where it has none.</summary>
    public NamePatterns? Names { get; init; }

    /// <summary>Of <c>filesystem</c>: the types that have series.</summary>
    public NamePatterns? Types { get; init; }

    /// <summary>Of <c>filesystem</c>: the devices that have series.</summary>
    public NamePatterns? Devices { get; init; }

    /// <summary>Of <c>processes</c>: how many of those that use most CPU time, and of those that hold most memory, have series.</summary>
    public (int Cpu, int Memory) Top { get; init; }

    /// <summary>Of <c>containers</c>: the Docker or Podman socket that is asked for names, images, restarts and health; empty, the default, for none.</summary>
    public string Socket { get; init; } = "";
}
