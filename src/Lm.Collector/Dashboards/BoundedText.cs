using System.Buffers;
using Lm.PromQL;
using Lm.Toml;

namespace Lm.Collector.Dashboards;

/// <summary>Texts and lists of definitions, none of them longer than it may be.</summary>
internal static class BoundedText
{
    /// <summary>Characters of titles, names and the like.</summary>
    public const int NameMax = 200;

    /// <summary>Characters of descriptions.</summary>
    public const int DescriptionMax = 2000;

    /// <summary>Characters of queries and bodies.</summary>
    public const int BodyMax = 16 * 1024;

    private const int IdMax = 64;
    private static readonly SearchValues<char> IdChars = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>What of <c>[a-z0-9-]{1,64}</c> a text is not; null when it is one.</summary>
    public static bool IsId(string text) => text.Length is > 0 and <= IdMax && !text.AsSpan().ContainsAnyExcept(IdChars);

    /// <summary>A text that may be missing.</summary>
    public static string Read(TomlTable table, string key, int lengthMax, string missing = "") => Checked(table, key, lengthMax, table.ReadString(key, missing));

    /// <summary>A text that must be there.</summary>
    public static string ReadRequired(TomlTable table, string key, int lengthMax) => Checked(table, key, lengthMax, table.ReadRequiredString(key));

    /// <summary>An id that must be there.</summary>
    public static string ReadId(TomlTable table, string key)
    {
        var id = table.ReadRequiredString(key);
        if (!IsId(id))
        {
            table.Fault(key, $"{key} is not an id: 1 to {IdMax} of the letters a to z, digits and - are allowed");
        }

        return id;
    }

    /// <summary>One of some words that must be there; empty when it is not.</summary>
    public static string ReadKind(TomlTable table, string key, params ReadOnlySpan<string> allowed)
    {
        if (!table.Has(key))
        {
            table.ReadChoice(key, "", allowed); // known, for messages about other keys
            table.Fault(key, $"{key} is missing; one of {string.Join(", ", allowed)} is expected");
            return "";
        }

        return table.ReadChoice(key, "", allowed);
    }

    /// <summary>A list of texts.</summary>
    public static IReadOnlyList<string> ReadList(TomlTable table, string key, int countMax, int lengthMax)
    {
        var texts = table.ReadStrings(key);
        if (texts.Count > countMax)
        {
            table.Fault(key, $"{key} has {texts.Count} items; at most {countMax} are allowed");
        }
        else if (texts.FirstOrDefault(text => text.Length == 0 || text.Length > lengthMax) is { } wrong)
        {
            table.Fault(key, $"an item of {key} has {wrong.Length} characters; 1 to {lengthMax} are allowed");
        }

        return texts;
    }

    /// <summary>An array of tables.</summary>
    public static IReadOnlyList<TomlTable> ReadTables(TomlTable table, string key, int countMax)
    {
        var tables = table.ReadTables(key);
        if (tables.Count <= countMax)
        {
            return tables;
        }

        table.Fault(key, $"{key} has {tables.Count} items; at most {countMax} are allowed");
        return [.. tables.Take(countMax)];
    }

    /// <summary>A duration as <c>1h30m</c>; also the word that means none, where there is one.</summary>
    public static void ReadDuration(TomlTable table, string key, string missing, string? none = null)
    {
        var text = table.ReadString(key, missing);
        if (text != none && text.Length > 0 && FaultOfDuration(text) is { } fault)
        {
            table.Fault(key, $"{key} is {GoText.Quote(Cut(text))}: {fault}{(none is null ? "" : $", or \"{none}\"")}");
        }
    }

    /// <summary>What is wrong with a duration; null when nothing is.</summary>
    public static string? FaultOfDuration(string text) =>
        PromDuration.TryParse(text, out var milliseconds, out _) && milliseconds > 0 ? null : "a duration as 30s or 1h30m is expected";

    /// <summary>The beginning of a text, for messages.</summary>
    public static string Cut(string text) => text.Length <= 64 ? text : text[..64] + "…";

    private static string Checked(TomlTable table, string key, int lengthMax, string text)
    {
        if (text.Length > lengthMax)
        {
            table.Fault(key, $"{key} has {text.Length} characters; at most {lengthMax} are allowed");
        }

        return text;
    }
}
