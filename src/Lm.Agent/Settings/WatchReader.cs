using System.Text;
using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>[[watch]]</c>.</summary>
internal static class WatchReader
{
    private const int WatchesMax = 64;
    private const int PatternsMax = 64;
    private const int PatternCharsMax = 256;
    private const int NameBytesMax = 128;

    // Each may have to be tried at every place of the path.
    private const int AnyDepthMax = 2;

    public static List<WatchSettings> ReadAll(TomlTable root, string queueDirectory)
    {
        var tables = root.ReadTables("watch");
        if (tables.Count > WatchesMax)
        {
            root.Fault("watch", $"there are {tables.Count} [[watch]]; allowed are {WatchesMax}");
        }

        var watches = new List<WatchSettings>();
        foreach (var table in tables)
        {
            watches.Add(Read(table, watches, queueDirectory));
        }

        return watches;
    }

    private static WatchSettings Read(TomlTable table, List<WatchSettings> earlier, string queueDirectory)
    {
        var path = ReadPath(table, queueDirectory);
        return new WatchSettings(ReadName(table, path, earlier), path)
        {
            IsRecursive = table.ReadBoolean("recursive", true),
            Kinds = ReadKinds(table),
            Include = ReadPatterns(table, "include", table.ReadStrings("include")),
            Exclude = ReadPatterns(table, "exclude", table.ReadStrings("exclude")),
            EventsPerMinuteMax = (int)table.ReadInteger("max_events_per_minute", 600, 1, 100_000),
        };
    }

    private static string ReadPath(TomlTable table, string queueDirectory)
    {
        var path = table.ReadRequiredString("path");
        var show = AgentSettingsReader.Show(path);
        if (path.Length == 0)
        {
            return path;
        }

        if (!Path.IsPathFullyQualified(path) || path.Contains('\0') || Encoding.UTF8.GetByteCount(path) > 4096)
        {
            table.Fault("path", $"path is {show}; an absolute path of a directory, 4096 bytes at most, is expected");
            return path;
        }

        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (queueDirectory.Length > 1 && (path == queueDirectory || path.StartsWith(queueDirectory + "/", StringComparison.Ordinal)))
        {
            table.Fault("path", $"path is {show}, in queue_dir: each event would make the next one");
        }

        return path;
    }

    private static string ReadName(TomlTable table, string path, List<WatchSettings> earlier)
    {
        var name = table.ReadString("name", path);
        var show = AgentSettingsReader.Show(name);
        if (table.Has("name") && Encoding.UTF8.GetByteCount(name) is 0 or > NameBytesMax)
        {
            table.Fault("name", $"name is {show}; 1 to {NameBytesMax} bytes are expected");
        }
        else if (name.Length > 0 && earlier.Exists(other => other.Name == name))
        {
            table.Fault(table.Has("name") ? "name" : "path", $"{show} stands in an earlier [[watch]] too; each needs its own name");
        }

        return name;
    }

    private static FileChangeKinds ReadKinds(TomlTable table)
    {
        if (!table.Has("events"))
        {
            return FileChangeKinds.All;
        }

        var kinds = FileChangeKinds.None;
        var texts = table.ReadStrings("events");
        foreach (var text in texts)
        {
            var kind = text switch
            {
                "create" => FileChangeKinds.Created,
                "modify" => FileChangeKinds.Modified,
                "delete" => FileChangeKinds.Deleted,
                "move" => FileChangeKinds.Moved,
                "attrib" => FileChangeKinds.Attributes,
                _ => FileChangeKinds.None,
            };
            if (kind == FileChangeKinds.None)
            {
                var show = AgentSettingsReader.Show(text);
                table.Fault("events", $"events has {show}; allowed are \"create\", \"modify\", \"delete\", \"move\" and \"attrib\"");
            }

            kinds |= kind;
        }

        if (texts.Count == 0)
        {
            table.Fault("events", "events is empty; leave it out for all, or take the [[watch]] out");
        }

        return kinds;
    }

    private static List<PathPattern> ReadPatterns(TomlTable table, string key, IReadOnlyList<string> texts)
    {
        if (texts.Count > PatternsMax)
        {
            table.Fault(key, $"{key} has {texts.Count} patterns; allowed are {PatternsMax}");
        }

        foreach (var text in texts)
        {
            var show = AgentSettingsReader.Show(text);
            if (text.Length is 0 or > PatternCharsMax || text.Trim('/').Length == 0)
            {
                table.Fault(key, $"{show} is no pattern; a name or path with *, ? and […] is expected, {PatternCharsMax} characters at most");
            }
            else if (text.Split('/').Count(part => part == "**") > AnyDepthMax)
            {
                table.Fault(key, $"{show} has more than {AnyDepthMax} parts \"**\"; one says as much");
            }
        }

        return [.. texts.Select(text => new PathPattern(text))];
    }
}
