using System.Globalization;

namespace Lm.Toml;

/// <summary>A table, read key by key by the settings readers. Every read notes the key as known; <see cref="RefuseUnknownKeys"/> then
/// faults the others. A read of a wrong type or out of range adds a fault and gives the default, so that all faults are found at once.</summary>
/// <remarks>A key has at most one fault from reads, and none is added by <see cref="Fault"/> after it: what follows from a fault is no news.</remarks>
public sealed class TomlTable
{
    // Lists longer than this do not help to find the right key.
    private const int ListedKeysMax = 8;

    private readonly TomlValue.Table? node;
    private readonly SettingsFaults? faults;
    private readonly string path;
    private readonly bool isArrayElement;
    // In the order of reading, as messages list them.
    private readonly OrderedDictionary<string, string?> known = new(StringComparer.Ordinal); // with the value in effect, of what is no table
    private readonly HashSet<string> faulty = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TomlTable[]> tables = new(StringComparer.Ordinal);

    /// <param name="node">Null when the file does not have the table.</param>
    /// <param name="faults">Null for a stand-in of what is already at fault: it adds no more.</param>
    /// <param name="path">Its name from the top; empty for the top.</param>
    /// <param name="isArrayElement">Whether it is one of an array of tables.</param>
    private TomlTable(TomlValue.Table? node, SettingsFaults? faults, string path, bool isArrayElement)
    {
        this.node = node;
        this.faults = faults;
        this.path = path;
        this.isArrayElement = isArrayElement;
    }

    /// <summary>Where the table's header stands; 1:1 for the document's top table or one that is missing.</summary>
    public TomlPosition Position => node?.Position ?? new TomlPosition(1, 1);

    /// <summary>Whether the file has this table (a missing one reads as empty).</summary>
    public bool IsPresent => node is not null;

    /// <summary>Whether the key is there. Does not count as reading it.</summary>
    public bool Has(string key) => Find(key) is not null;

    /// <summary>Where a key's value stands; where the table stands when the key is missing.</summary>
    public TomlPosition PositionOf(string key) => Find(key)?.Position ?? Position;

    /// <summary>A string, or <paramref name="missing"/> when the key is not there.</summary>
    public string ReadString(string key, string missing) => Note(key, Read(key) switch
    {
        null => missing,
        TomlValue.Text text => text.Value,
        var other => Refuse(key, other.Position, WrongType(key, other, "a string"), missing),
    }, TomlKey.Quote);

    /// <summary>A string that must be there and not be empty; a fault and the empty string when not.</summary>
    public string ReadRequiredString(string key) => Note(key, Read(key) switch
    {
        null => Refuse(key, Position, $"{TomlKey.Show(key)} is missing{Place}; a string is expected", ""),
        TomlValue.Text { Value: "" } empty => Refuse(key, empty.Position, $"{TomlKey.Show(key)} is empty; a string with text is expected", ""),
        TomlValue.Text text => text.Value,
        var other => Refuse(key, other.Position, WrongType(key, other, "a string"), ""),
    }, TomlKey.Quote);

    /// <summary>A string that must be one of <paramref name="allowed"/>.</summary>
    public string ReadChoice(string key, string missing, params ReadOnlySpan<string> allowed) => Note(key, Choose(key, missing, allowed), TomlKey.Quote);

    private string Choose(string key, string missing, ReadOnlySpan<string> allowed)
    {
        switch (Read(key))
        {
            case null:
                return missing;
            case TomlValue.Text text when allowed.Contains(text.Value):
                return text.Value;
            case TomlValue.Text text:
                return Refuse(key, text.Position, $"{TomlKey.Show(key)} is {TomlKey.Quote(text.Value)}; allowed is {AnyOf(allowed)}", missing);
            case var other:
                return Refuse(key, other.Position, WrongType(key, other, AnyOf(allowed)), missing);
        }
    }

    /// <summary>An integer from <paramref name="min"/> to <paramref name="max"/>, both included.</summary>
    public long ReadInteger(string key, long missing, long min, long max) => Note(key, Read(key) switch
    {
        null => missing,
        TomlValue.Integer integer when integer.Value >= min && integer.Value <= max => integer.Value,
        TomlValue.Integer integer =>
            Refuse(key, integer.Position, $"{TomlKey.Show(key)} is {integer.Value}; allowed is {min} to {max}", missing),
        var other => Refuse(key, other.Position, WrongType(key, other, $"an integer from {min} to {max}"), missing),
    }, static value => value.ToString(CultureInfo.InvariantCulture));

    /// <summary>A finite number, written as an integer or a float; null when the key is not there, or is at fault.</summary>
    public double? ReadNumber(string key)
    {
        switch (Read(key))
        {
            case null:
                return null;
            case TomlValue.Integer integer:
                return integer.Value;
            case TomlValue.Float number when double.IsFinite(number.Value):
                return number.Value;
            case TomlValue.Float number:
                return Refuse<double?>(key, number.Position, $"{TomlKey.Show(key)} is no finite number", null);
            case var other:
                return Refuse<double?>(key, other.Position, WrongType(key, other, "a number"), null);
        }
    }

    /// <summary>A boolean.</summary>
    public bool ReadBoolean(string key, bool missing) => Note(key, Read(key) switch
    {
        null => missing,
        TomlValue.Truth truth => truth.Value,
        var other => Refuse(key, other.Position, WrongType(key, other, "true or false"), missing),
    }, static value => value ? "true" : "false");

    /// <summary>An array of strings; empty when the key is not there. Items that are no strings are faults, and left out.</summary>
    public IReadOnlyList<string> ReadStrings(string key) => Note(key, Strings(key), static values => $"[{string.Join(", ", values.Select(TomlKey.Quote))}]");

    private IReadOnlyList<string> Strings(string key)
    {
        switch (Read(key))
        {
            case null:
                return [];
            case TomlValue.Array { GrowsByHeaders: false } array:
                return StringItems(key, array);
            case var other:
                return Refuse<string[]>(key, other.Position, WrongType(key, other, "an array of strings"), []);
        }
    }

    /// <summary>Every key with its string value, for tables whose keys are the operator's own, such as <c>[labels]</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ReadAllStrings()
    {
        var strings = new List<KeyValuePair<string, string>>();
        foreach (var (key, entry) in Entries)
        {
            Know(key);
            if (entry.Value is TomlValue.Text text)
            {
                strings.Add(KeyValuePair.Create(key, text.Value));
                continue;
            }

            Refuse(key, entry.Value.Position, WrongType(key, entry.Value, "a string"), "");
        }

        return strings;
    }

    /// <summary>A table; empty when the key is not there.</summary>
    public TomlTable ReadTable(string key)
    {
        var value = Read(key);
        if (tables.TryGetValue(key, out var readBefore) && readBefore is [var only])
        {
            return only;
        }

        var table = value is null or TomlValue.Table
            ? new TomlTable(value as TomlValue.Table, faults, PathOf(key), isArrayElement: false)
            : Refuse(key, value.Position, WrongType(key, value, $"a table, [{PathOf(key)}],"), StandIn(key));
        tables[key] = [table];
        return table;
    }

    /// <summary>An array of tables; empty when the key is not there.</summary>
    public IReadOnlyList<TomlTable> ReadTables(string key)
    {
        var value = Read(key);
        if (tables.TryGetValue(key, out var readBefore))
        {
            return readBefore;
        }

        var expected = $"an array of tables, [[{PathOf(key)}]],";
        tables[key] = value switch
        {
            null => [],
            TomlValue.Array array => [.. array.Items.Select((item, at) => item is TomlValue.Table table
                ? new TomlTable(table, faults, PathOf(key), isArrayElement: true)
                : Refuse(key, item.Position, $"item {at + 1} of {WrongType(key, item, "a table")}", StandIn(key)))],
            _ => Refuse<TomlTable[]>(key, value.Position, WrongType(key, value, expected), []),
        };
        return tables[key];
    }

    /// <summary>Adds a fault at a key's value (at the table when the key is missing).</summary>
    public void Fault(string key, string message)
    {
        if (!faulty.Contains(key))
        {
            faults?.Add(PositionOf(key), message);
        }
    }

    /// <summary>Every setting that was read from here and from the tables below, in the order of reading, with the value in effect: what the file says, or the default.
    /// Numbers with fractions and the operator's own keys are left out.</summary>
    public IEnumerable<TomlSetting> Settings()
    {
        foreach (var (key, value) in known)
        {
            if (value is not null)
            {
                yield return new TomlSetting(PathOf(key), value, Find(key)?.Position);
            }
        }

        foreach (var setting in tables.Values.SelectMany(read => read).SelectMany(table => table.Settings()))
        {
            yield return setting;
        }
    }

    /// <summary>Adds a fault for each key that nothing read, naming the nearest known key; here and in every table read from this one.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (var (key, entry) in Entries)
        {
            if (!known.ContainsKey(key))
            {
                Refuse(key, entry.KeyPosition, faults is { IsFull: false } ? UnknownKey(key) : "", "");
            }
        }

        foreach (var table in tables.Values.SelectMany(read => read))
        {
            table.RefuseUnknownKeys();
        }
    }

    /// <summary>The document's top table; silent when there is none because of syntax faults.</summary>
    internal static TomlTable OfDocument(TomlValue.Table? top, SettingsFaults faults) =>
        new(top, top is null ? null : faults, path: "", isArrayElement: false);

    private IEnumerable<KeyValuePair<string, TomlValue.Entry>> Entries => node?.Entries ?? [];

    /// <summary>Where a key is missing or unknown, for messages: nothing for the top table.</summary>
    private string Place => path.Length == 0 ? "" : isArrayElement ? $" in [[{path}]]" : $" in [{path}]";

    private string PathOf(string key) => path.Length == 0 ? TomlKey.Show(key) : $"{path}.{TomlKey.Show(key)}";

    private TomlValue? Find(string key) => node is not null && node.Entries.TryGetValue(key, out var entry) ? entry.Value : null;

    private TomlValue? Read(string key)
    {
        Know(key);
        return Find(key);
    }

    private void Know(string key) => known.TryAdd(key, null);

    private T Note<T>(string key, T value, Func<T, string> show)
    {
        known[key] = show(value);
        return value;
    }

    private TomlTable StandIn(string key) => new(null, faults: null, PathOf(key), isArrayElement: false);

    private T Refuse<T>(string key, TomlPosition position, string message, T instead)
    {
        if (faulty.Add(key))
        {
            faults?.Add(position, message);
        }

        return instead;
    }

    private List<string> StringItems(string key, TomlValue.Array array)
    {
        var strings = new List<string>(array.Items.Count);
        for (var at = 0; at < array.Items.Count; at++)
        {
            var item = array.Items[at];
            if (item is TomlValue.Text text)
            {
                strings.Add(text.Value);
                continue;
            }

            Refuse(key, item.Position, $"item {at + 1} of {WrongType(key, item, "a string")}", "");
        }

        return strings;
    }

    private string UnknownKey(string key)
    {
        var unknown = $"unknown key {TomlKey.Quote(key)}{Place}";
        return NearestKey.Find(key, known.Keys) switch
        {
            { } nearest => $"{unknown}; did you mean {TomlKey.Quote(nearest)}?",
            null when known.Count is > 0 and <= ListedKeysMax => $"{unknown}; known are {string.Join(", ", known.Keys.Select(TomlKey.Show))}",
            null => unknown,
        };
    }

    private static string WrongType(string key, TomlValue found, string expected) =>
        $"{TomlKey.Show(key)} is {found.Kind}; {expected} is expected";

    private static string AnyOf(ReadOnlySpan<string> allowed)
    {
        var quoted = new string[allowed.Length];
        for (var i = 0; i < allowed.Length; i++)
        {
            quoted[i] = TomlKey.Quote(allowed[i]);
        }

        return string.Join(", ", quoted[..^1]) + (quoted.Length > 1 ? " or " : "") + quoted[^1];
    }
}

/// <summary>A setting as it is in effect.</summary>
/// <param name="Path">Its name from the top, as <c>query.listen</c>.</param>
/// <param name="Value">The value as TOML writes it.</param>
/// <param name="Position">Where the file has it; null when it is the default.</param>
public sealed record TomlSetting(string Path, string Value, TomlPosition? Position);
