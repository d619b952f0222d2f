using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[dashboards]</c>. In this version every definition must be a TOML file without faults of syntax; what stands in it is
/// read with the dashboards.</summary>
internal static class DashboardSettingsReader
{
    private const int FilesMax = 1000;

    /// <summary>Reads the table and parses the files that it names.</summary>
    public static void Read(TomlTable table, SettingsReading reading)
    {
        foreach (var name in table.ReadStrings("definition_files"))
        {
            Parse(table, "definition_files", reading.Resolve(name), reading);
        }

        foreach (var name in table.ReadStrings("definition_dirs"))
        {
            ParseFolder(table, reading.Resolve(name), reading);
        }
    }

    private static void ParseFolder(TomlTable table, string folder, SettingsReading reading)
    {
        reading.Watch(folder);
        string[] files;
        try
        {
            files = [.. Directory.EnumerateFiles(folder, "*.toml").Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            table.Fault("definition_dirs", Directory.Exists(folder) ? $"definition_dirs: {folder} cannot be read: {e.Message}" : $"definition_dirs: there is no folder {folder}");
            return;
        }

        if (files.Length > FilesMax)
        {
            table.Fault("definition_dirs", $"definition_dirs: {folder} has {files.Length} definitions; at most {FilesMax} are read");
            return;
        }

        foreach (var file in files)
        {
            Parse(table, "definition_dirs", file, reading);
        }
    }

    private static void Parse(TomlTable table, string key, string file, SettingsReading reading)
    {
        if (reading.TryReadFile(file, out var bytes, out var reason))
        {
            reading.Parse(bytes, file);
            return;
        }

        table.Fault(key, $"{key}: {reason}");
    }
}
