using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>[[log_inputs]]</c>.</summary>
internal static class LogInputReader
{
    private const int InputsMax = 64;
    private const int PatternsMax = 64;

    /// <summary>The input that the agent's own events come under.</summary>
    public const string EventsName = "events";

    /// <summary>The input that output of commands comes under.</summary>
    public const string CommandsName = "commands";

    public static List<LogInput> ReadAll(TomlTable root)
    {
        var tables = root.ReadTables("log_inputs");
        if (tables.Count > InputsMax)
        {
            root.Fault("log_inputs", $"there are {tables.Count} [[log_inputs]]; allowed are {InputsMax}");
        }

        var inputs = new List<LogInput>();
        foreach (var table in tables)
        {
            inputs.Add(Read(table, inputs));
        }

        return inputs;
    }

    private static LogInput Read(TomlTable table, List<LogInput> earlier)
    {
        var isJournal = table.ReadChoice("kind", "file", "file", "journal") == "journal";
        return new LogInput(ReadName(table, earlier), ReadPath(table, isJournal), table.ReadChoice("start_at", "end", "end", "beginning") == "end")
        {
            IsJournal = isJournal,
            Matches = ReadMatches(table, isJournal),
            Exclude = ReadExclude(table),
            MultilineStart = ReadMultilineStart(table, isJournal),
            MultilineTimeout = TimeSpan.FromMilliseconds(table.ReadInteger("multiline_timeout_ms", 1000, 10, 60_000)),
            Recognises = table.ReadChoice("recognise", "auto", "auto", "none") == "auto",
            HasOffsets = table.ReadBoolean("offsets", false),
        };
    }

    private static string ReadName(TomlTable table, List<LogInput> earlier)
    {
        var name = table.ReadRequiredString("name");
        var show = AgentSettingsReader.Show(name);
        if (name.Length > AgentSettingsReader.AgentIdCharsMax || name.AsSpan().ContainsAnyExcept(AgentSettingsReader.AgentIdChars))
        {
            table.Fault("name", $"name is {show}; allowed are 1 to {AgentSettingsReader.AgentIdCharsMax} letters, digits and . _ -");
        }
        else if (name is EventsName or CommandsName)
        {
            table.Fault("name", $"name is {show}, which the agent's own {(name == EventsName ? "events have" : "records of commands have")}; give it another");
        }
        else if (name.Length > 0 && earlier.Exists(other => other.Name == name))
        {
            table.Fault("name", $"name {show} stands in an earlier [[log_inputs]] too; each needs its own");
        }

        return name;
    }

    private static string ReadPath(TomlTable table, bool isJournal)
    {
        if (isJournal)
        {
            if (table.Has("path"))
            {
                table.Fault("path", "path is of no use with kind = \"journal\"; leave it out, and choose entries by matches");
            }

            return table.ReadString("path", "");
        }

        var path = table.ReadRequiredString("path");
        var show = AgentSettingsReader.Show(path);
        if (path.Length > 0 && (!Path.IsPathFullyQualified(path) || path.Contains('\0')))
        {
            table.Fault("path", $"path is {show}; an absolute path or pattern is expected");
        }
        else if (path.EndsWith('/'))
        {
            table.Fault("path", $"path is {show}, a folder; files are expected, for example {path}*.log");
        }
        else if (System.Text.Encoding.UTF8.GetByteCount(path) > 4096)
        {
            table.Fault("path", "path has more than 4096 bytes, which no file can have");
        }

        return path;
    }

    private static List<string> ReadMatches(TomlTable table, bool isJournal)
    {
        var matches = table.ReadStrings("matches");
        if (matches.Count > 0 && !isJournal)
        {
            table.Fault("matches", "matches are for kind = \"journal\"; lines of a file are chosen by exclude");
        }

        foreach (var match in matches)
        {
            if (match != "+" && (match.IndexOf('=', StringComparison.Ordinal) < 1 || !char.IsAsciiLetterUpper(match.TrimStart('_').FirstOrDefault()) || match.Contains('\0')))
            {
                var show = AgentSettingsReader.Show(match);
                table.Fault("matches", $"{show} is no match; FIELD=value is expected, for example \"_SYSTEMD_UNIT=nginx.service\", or \"+\" between alternatives");
            }
        }

        return [.. matches];
    }

    private static List<LinePattern> ReadExclude(TomlTable table)
    {
        var texts = table.ReadStrings("exclude");
        if (texts.Count > PatternsMax)
        {
            table.Fault("exclude", $"exclude has {texts.Count} patterns; allowed are {PatternsMax}");
        }

        return [.. texts.Select(text => ReadPattern(table, "exclude", text)).OfType<LinePattern>()];
    }

    private static LinePattern? ReadMultilineStart(TomlTable table, bool isJournal)
    {
        if (!table.Has("multiline_start"))
        {
            return null;
        }

        if (isJournal)
        {
            table.Fault("multiline_start", "multiline_start is for files; the journal keeps a message's lines together");
        }

        return ReadPattern(table, "multiline_start", table.ReadString("multiline_start", ""));
    }

    private static LinePattern? ReadPattern(TomlTable table, string key, string text)
    {
        if (LinePattern.TryParse(text, out var fault) is { } pattern)
        {
            return pattern;
        }

        var show = AgentSettingsReader.Show(text);
        table.Fault(key, $"{show} is no pattern: {fault}; a regular expression without look-arounds and back references is expected");
        return null;
    }
}
