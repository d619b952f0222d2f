using static Lm.Toml.TomlValue;

namespace Lm.Toml;

/// <summary>The document's tables while they are built, and the rules of what may be defined once, twice or never again.</summary>
/// <remarks>
/// Source: TOML 1.0.0, "Table", "Inline Table", "Array of Tables", "Keys". In short: a header defines its table once; a header of a table
/// below may come first; dotted keys define the tables they pass, which then take no header; what is in brackets or braces is complete.
/// </remarks>
internal sealed class TomlTree
{
    private static readonly TomlPosition Start = new(1, 1);

    public TomlTree() => Current = Root;

    /// <summary>The top table.</summary>
    public Table Root { get; } = new(TableOrigin.Header, Start);

    /// <summary>The table of the last header.</summary>
    public Table Current { get; private set; }

    /// <summary>Its keys from the top.</summary>
    public int CurrentDepth { get; private set; }

    /// <summary>After a faulty header: what follows is read, but belongs to no table of the document.</summary>
    public void EnterNowhere()
    {
        Current = new Table(TableOrigin.Header, Start);
        CurrentDepth = 1;
    }

    /// <summary><c>[a.b]</c>.</summary>
    public TomlRedefinition? TryEnterTable(List<TomlKey> key, TomlPosition header)
    {
        if (!TryWalkHeader(key, header, out var parent, out var refused))
        {
            return refused;
        }

        var last = key[^1];
        if (!parent.Entries.TryGetValue(last.Name, out var there))
        {
            return Enter(Add(parent, last, new Table(TableOrigin.Header, header)), key);
        }

        if (there.Value is not Table { Origin: TableOrigin.HeaderBelow } table)
        {
            return there.Value is Table { Origin: not TableOrigin.Inline }
                ? new TomlRedefinition(last.Position, $"[{Show(key)}] is already defined at line {there.KeyPosition.Line}")
                : Blocked(last, there);
        }

        // Defined here: the header below, which came first, only passed it.
        table.Origin = TableOrigin.Header;
        parent.Entries[last.Name] = there with { KeyPosition = last.Position };
        return Enter(table, key);
    }

    /// <summary><c>[[a.b]]</c>.</summary>
    public TomlRedefinition? TryEnterArrayElement(List<TomlKey> key, TomlPosition header)
    {
        if (!TryWalkHeader(key, header, out var parent, out var refused))
        {
            return refused;
        }

        var last = key[^1];
        if (!parent.Entries.TryGetValue(last.Name, out var there))
        {
            there = new Entry(last.Position, Add(parent, last, new TomlValue.Array(growsByHeaders: true, header)));
        }

        if (there.Value is not TomlValue.Array { GrowsByHeaders: true } array)
        {
            return there.Value is Table { Origin: not TableOrigin.Inline }
                ? new TomlRedefinition(last.Position, $"{Show(key)} is a table since line {there.KeyPosition.Line}, not an array of tables")
                : Blocked(last, there);
        }

        var element = new Table(TableOrigin.Header, header);
        array.Items.Add(element);
        return Enter(element, key);
    }

    /// <summary><c>a.b = value</c> in a table.</summary>
    public static TomlRedefinition? TryDefine(Table table, List<TomlKey> key, TomlValue value)
    {
        foreach (var part in key.Take(key.Count - 1))
        {
            if (!table.Entries.TryGetValue(part.Name, out var there))
            {
                table = Add(table, part, new Table(TableOrigin.DottedKey, part.Position));
                continue;
            }

            if (there.Value is not Table { Origin: TableOrigin.DottedKey or TableOrigin.HeaderBelow } next)
            {
                return there.Value is Table { Origin: TableOrigin.Header }
                    ? new TomlRedefinition(
                        part.Position,
                        $"{TomlKey.Show(part.Name)} has its own header at line {there.KeyPosition.Line}; a dotted key cannot add to it")
                    : Blocked(part, there);
            }

            if (next.Origin == TableOrigin.HeaderBelow)
            {
                next.Origin = TableOrigin.DottedKey;
                table.Entries[part.Name] = there with { KeyPosition = part.Position };
            }

            table = next;
        }

        var last = key[^1];
        return table.Entries.TryAdd(last.Name, new Entry(last.Position, value))
            ? null
            : new TomlRedefinition(
                last.Position,
                $"{TomlKey.Show(last.Name)} is already defined at line {table.Entries[last.Name].KeyPosition.Line}");
    }

    /// <summary>Goes to the table that holds the header's last part.</summary>
    private bool TryWalkHeader(List<TomlKey> key, TomlPosition header, out Table parent, out TomlRedefinition? refused)
    {
        parent = Root;
        refused = null;
        foreach (var part in key.Take(key.Count - 1))
        {
            if (!parent.Entries.TryGetValue(part.Name, out var there))
            {
                parent = Add(parent, part, new Table(TableOrigin.HeaderBelow, header));
                continue;
            }

            switch (there.Value)
            {
                case Table { Origin: not TableOrigin.Inline } table:
                    parent = table;
                    break;
                case TomlValue.Array { GrowsByHeaders: true } array:
                    parent = (Table)array.Items[^1];
                    break;
                default:
                    refused = Blocked(part, there);
                    return false;
            }
        }

        return true;
    }

    private TomlRedefinition? Enter(Table table, List<TomlKey> key)
    {
        Current = table;
        CurrentDepth = key.Count;
        return null;
    }

    private static T Add<T>(Table table, TomlKey key, T value)
        where T : TomlValue
    {
        table.Entries.Add(key.Name, new Entry(key.Position, value));
        return value;
    }

    private static TomlRedefinition Blocked(TomlKey part, Entry there)
    {
        var growth = there.Value is TomlValue.Array { GrowsByHeaders: true } ? "only its own [[header]] adds to it" : "nothing can be added to it";
        return new TomlRedefinition(
            part.Position,
            $"{TomlKey.Show(part.Name)} is {there.Value.Kind} since line {there.KeyPosition.Line}; {growth}");
    }

    private static string Show(List<TomlKey> key) => string.Join('.', key.Select(part => TomlKey.Show(part.Name)));
}

/// <summary>A key or header that may not stand where it does, because of what stands before it.</summary>
internal sealed record TomlRedefinition(TomlPosition Position, string Message);
