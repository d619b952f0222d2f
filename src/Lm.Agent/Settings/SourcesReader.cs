using System.Text;
using Lm.Agent.HostMetrics;
using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>[sources]</c>.</summary>
internal static class SourcesReader
{
    private const int PatternsMax = 256;
    private const int PatternBytesMax = 256;
    private const int SeriesMaxMax = 1_000_000;
    private const int SocketPathBytesMax = 107; // what the kernel's address of a socket has room for

    public static SourcesSettings Read(TomlTable root)
    {
        var sources = root.ReadTable("sources");
        var all = new List<SourceSettings>();
        foreach (var source in SourceCatalog.Defaults)
        {
            all.Add(Read(sources.ReadTable(source.Name), source));
        }

        return new SourcesSettings
        {
            Profile = sources.ReadChoice("profile", "host", "host", "heartbeat") == "heartbeat" ? SourceProfile.Heartbeat : SourceProfile.Host,
            SeriesMax = (int)sources.ReadInteger("max_series", SourcesSettings.SeriesMaxDefault, 1, SeriesMaxMax),
            All = all,
        };
    }

    private static SourceSettings Read(TomlTable table, SourceSettings defaults) => defaults with
    {
        IsEnabled = table.ReadBoolean("enabled", true),
        Interval = TimeSpan.FromMilliseconds(table.ReadInteger("interval_ms", 0, 0, 86_400_000)),
        SeriesMax = (int)table.ReadInteger("max_series", defaults.SeriesMax, 1, SeriesMaxMax),
        Names = defaults.Names is { } names ? new NamePatterns(ReadPatterns(table, "include", names.Include), ReadPatterns(table, "exclude", names.Exclude)) : null,
        Types = defaults.Types is { } types ? new NamePatterns([], ReadPatterns(table, "exclude_types", types.Exclude)) : null,
        Devices = defaults.Devices is { } devices ? new NamePatterns([], ReadPatterns(table, "exclude_devices", devices.Exclude)) : null,
        Top = defaults.Name == SourceCatalog.Processes ? (ReadTop(table, "top_cpu", defaults.Top.Cpu), ReadTop(table, "top_memory", defaults.Top.Memory)) : default,
        Socket = defaults.Name == SourceCatalog.Containers ? ReadSocket(table) : "",
    };

    private static int ReadTop(TomlTable table, string key, int missing) => (int)table.ReadInteger(key, missing, 0, 256);

    private static string ReadSocket(TomlTable table)
    {
        var path = table.ReadString("socket", "");
        if (path.Length > 0 && (path[0] != '/' || path.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(path) > SocketPathBytesMax))
        {
            table.Fault("socket", $"socket is {AgentSettingsReader.Show(path)}; an absolute path of at most {SocketPathBytesMax} bytes is expected, for example /run/docker.sock");
        }

        return path;
    }

    private static IReadOnlyList<string> ReadPatterns(TomlTable table, string key, IReadOnlyList<string> missing)
    {
        if (!table.Has(key))
        {
            _ = table.ReadStrings(key);
            return missing;
        }

        var patterns = table.ReadStrings(key);
        if (patterns.Count > PatternsMax)
        {
            table.Fault(key, $"{key} has {patterns.Count} patterns; allowed are {PatternsMax}");
        }

        foreach (var pattern in patterns)
        {
            if (Encoding.UTF8.GetByteCount(pattern) is 0 or > PatternBytesMax)
            {
                table.Fault(key, $"{AgentSettingsReader.Show(pattern)} is no pattern; a name with *, ? and […] is expected, 1 to {PatternBytesMax} bytes");
            }
        }

        return patterns;
    }
}
