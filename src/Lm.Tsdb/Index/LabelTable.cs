namespace Lm.Tsdb.Index;

/// <summary>Names and values as strings, each once, and <c>name=value</c> pairs as dense numbers, with the series that have them.</summary>
/// <remarks>Written by the head's writer under its gate. Readers may look at a label whose series they hold without the gate: arrays are replaced by longer
/// ones and entries in use never change.</remarks>
internal sealed class LabelTable
{
    private const int StringOverhead = 22 + 8 + 16; // header, length and end of a string; its place in the array; its share of the index

    private readonly HashIndex symbolIndex = new();
    private readonly HashIndex index = new();
    private readonly Dictionary<int, SeriesIds> byName = []; // a name's symbol → its labels, not series
    private readonly Stack<int> freeSymbols = new();
    private readonly Stack<int> free = new();
    private string[] symbols = new string[64];
    private int[] symbolUses = new int[64];
    private int[] names = new int[64];
    private int[] values = new int[64];
    private int[] uses = new int[64]; // series, those included that only readers still hold
    private SeriesIds[] series = new SeriesIds[64];
    private int symbolCount;
    private int count;
    private long textBytes;
    private long listBytes;

    /// <summary>Memory, bytes.</summary>
    public long SizeBytes => textBytes + listBytes + symbolIndex.SizeBytes + index.SizeBytes + (names.Length * 36L) + (symbols.Length * 4L);

    /// <summary>Labels that there may be: their numbers lie below.</summary>
    public int Count => count;

    /// <summary>A label's text.</summary>
    public Label this[int label] => new(symbols[names[label]], symbols[values[label]]);

    /// <summary>The number of a label's name.</summary>
    public int NameOf(int label) => names[label];

    /// <summary>The number of a label's value.</summary>
    public int ValueOf(int label) => values[label];

    /// <summary>A name or value.</summary>
    public string Symbol(int symbol) => symbols[symbol];

    /// <summary>The names that labels have.</summary>
    public string[] Names()
    {
        var found = new string[byName.Count];
        var at = 0;
        foreach (var name in byName.Keys)
        {
            found[at++] = symbols[name];
        }

        return found;
    }

    /// <summary>A label's number; below 0 when there is none.</summary>
    public int Find(string name, string value)
    {
        var (nameSymbol, valueSymbol) = (FindSymbol(name), FindSymbol(value));
        return nameSymbol < 0 || valueSymbol < 0 ? -1 : Find(nameSymbol, valueSymbol);
    }

    /// <summary>A label's number; it is added when there is none.</summary>
    public int FindOrAdd(string name, string value)
    {
        var (nameSymbol, valueSymbol) = (FindOrAddSymbol(name), FindOrAddSymbol(value));
        var found = Find(nameSymbol, valueSymbol);
        return found >= 0 ? found : Add(nameSymbol, valueSymbol);
    }

    /// <summary>Notes a series that has the label.</summary>
    public void AddSeries(int label, int added)
    {
        uses[label]++;
        listBytes += series[label].Add(added);
    }

    /// <summary>The series that have a label.</summary>
    public SeriesIds.Snapshot SeriesOf(int label) => series[label].Take();

    /// <summary>The labels of a name; empty when there are none.</summary>
    public SeriesIds.Snapshot LabelsOf(string name) =>
        FindSymbol(name) is >= 0 and var symbol && byName.TryGetValue(symbol, out var labels) ? labels.Take() : default(SeriesIds).Take();

    /// <summary>A label's list without the series that are marked; by the writer, no gate needed.</summary>
    public SeriesIds Without(int label, ulong[] marked) => series[label].Without(marked);

    /// <summary>Puts such a list in place.</summary>
    public void Replace(int label, SeriesIds list)
    {
        listBytes += list.SizeBytes - series[label].SizeBytes;
        series[label] = list;
    }

    /// <summary>Lets go of a label for one series that nobody reads any more. With its last series it goes, too, and its number is free again.</summary>
    /// <returns>Whether the label went; its name's list is mended by <see cref="RemoveFromName"/>.</returns>
    public bool Release(int label) => --uses[label] == 0;

    /// <summary>Takes labels that went out of the list of their name, and frees them.</summary>
    public void RemoveFromName(int name, List<int> gone)
    {
        var marked = new ulong[(count >> 6) + 1];
        foreach (var label in gone)
        {
            SeriesIds.Mark(marked, label);
        }

        var left = byName[name].Without(marked);
        if (left.Count == 0)
        {
            byName.Remove(name);
        }
        else
        {
            byName[name] = left;
        }

        foreach (var label in gone)
        {
            index.Remove(label);
            Replace(label, default);
            ReleaseSymbol(names[label]);
            ReleaseSymbol(values[label]);
            free.Push(label);
        }
    }

    private int Find(int name, int value)
    {
        var hash = Hash(name, value);
        for (var bucket = index.First(hash); index.At(bucket) is >= 0 and var label; bucket = index.Next(bucket))
        {
            if (names[label] == name && values[label] == value)
            {
                return label;
            }
        }

        return -1;
    }

    private int Add(int name, int value)
    {
        var label = free.Count > 0 ? free.Pop() : count++;
        if (label == names.Length)
        {
            Grow(ref names);
            Grow(ref values);
            Grow(ref uses);
            Grow(ref series);
        }

        (names[label], values[label], uses[label], series[label]) = (name, value, 0, default);
        symbolUses[name]++;
        symbolUses[value]++;
        index.Add(label, Hash(name, value));
        byName.TryGetValue(name, out var labels);
        listBytes += labels.Add(label);
        byName[name] = labels;
        return label;
    }

    private int FindSymbol(string text)
    {
        var hash = text.GetHashCode(StringComparison.Ordinal);
        for (var bucket = symbolIndex.First(hash); symbolIndex.At(bucket) is >= 0 and var symbol; bucket = symbolIndex.Next(bucket))
        {
            if (symbolIndex.HashOf(symbol) == hash && symbols[symbol] == text)
            {
                return symbol;
            }
        }

        return -1;
    }

    private int FindOrAddSymbol(string text)
    {
        var symbol = FindSymbol(text);
        if (symbol >= 0)
        {
            return symbol;
        }

        symbol = freeSymbols.Count > 0 ? freeSymbols.Pop() : symbolCount++;
        if (symbol == symbols.Length)
        {
            Grow(ref symbols);
            Grow(ref symbolUses);
        }

        (symbols[symbol], symbolUses[symbol]) = (text, 0);
        symbolIndex.Add(symbol, text.GetHashCode(StringComparison.Ordinal));
        textBytes += (sizeof(char) * text.Length) + StringOverhead;
        return symbol;
    }

    private void ReleaseSymbol(int symbol)
    {
        if (--symbolUses[symbol] == 0)
        {
            symbolIndex.Remove(symbol);
            textBytes -= (sizeof(char) * symbols[symbol].Length) + StringOverhead;
            symbols[symbol] = "";
            freeSymbols.Push(symbol);
        }
    }

    private static int Hash(int name, int value) => HashIndex.Mix(((ulong)(uint)name << 32) | (uint)value);

    private static void Grow<T>(ref T[] array) => Array.Resize(ref array, array.Length * 2);
}
