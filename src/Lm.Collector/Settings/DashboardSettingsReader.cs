using Lm.Collector.Dashboards;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[dashboards]</c> and the definitions that it names.</summary>
internal sealed class DashboardSettingsReader
{
    private const int FilesMax = 1000;
    private const long SizeMax = 32L << 20; // of all definitions: they stay in memory

    private const string DefaultFolder = "/etc/lightmetrics/dashboards.d";

    private readonly TomlTable table;
    private readonly SettingsReading reading;
    private readonly PromSemantics semantics;
    private readonly Dictionary<string, Dashboard> found = new(StringComparer.Ordinal);
    private long size;

    private DashboardSettingsReader(TomlTable table, PromSemantics semantics, SettingsReading reading) => (this.table, this.semantics, this.reading) = (table, semantics, reading);

    /// <summary>Reads the table and all definitions.</summary>
    public static IReadOnlyList<Dashboard> Read(TomlTable table, PromSemantics semantics, SettingsReading reading)
    {
        var reader = new DashboardSettingsReader(table, semantics, reading);
        foreach (var name in table.ReadStrings("definition_files"))
        {
            reader.ReadFile("definition_files", reading.Resolve(name));
        }

        var folders = table.ReadStrings("definition_dirs");
        foreach (var name in table.Has("definition_dirs") ? folders : Directory.Exists(DefaultFolder) ? [DefaultFolder] : [])
        {
            reader.ReadFolder(reading.Resolve(name));
        }

        return [.. reader.found.Values];
    }

    private void ReadFolder(string folder)
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
            ReadFile("definition_dirs", file);
        }
    }

    private void ReadFile(string key, string file)
    {
        if (!reading.TryReadFile(file, out var bytes, out var reason))
        {
            table.Fault(key, $"{key}: {reason}");
            return;
        }

        size += bytes.Length;
        if (size > SizeMax)
        {
            table.Fault(key, $"{key}: with {file} the definitions have more than {SizeMax} bytes together");
            return;
        }

        var document = reading.Parse(bytes, file);
        if (DashboardReader.Read(document, bytes, DashboardOrigin.File, semantics) is not { } dashboard)
        {
            return; // said already
        }

        if (found.TryGetValue(dashboard.Id, out var other))
        {
            document.Root.Fault("id", $"id is {dashboard.Id}, which {other.File} has");
            return;
        }

        var isBuiltin = BuiltinDashboards.Has(dashboard.Id);
        if (isBuiltin && !dashboard.OverridesBuiltin)
        {
            document.Root.Fault("id", $"id is {dashboard.Id}, which a built-in dashboard has; choose another, or set overrides_builtin = true to take its place");
            return;
        }

        if (dashboard.OverridesBuiltin && !isBuiltin)
        {
            reading.Warn($"{file}: overrides_builtin is true, and no built-in dashboard has the id {dashboard.Id}");
        }

        found.Add(dashboard.Id, dashboard);
    }
}
