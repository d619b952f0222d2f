namespace Lm.Toml;

/// <summary>A table, read key by key by the settings readers. Every read notes the key as known; <see cref="RefuseUnknownKeys"/> then
/// faults the others. A read of a wrong type or out of range adds a fault and gives the default, so that all faults are found at once.</summary>
public sealed class TomlTable
{
    private TomlTable() => throw new NotImplementedException();

    /// <summary>Where the table's header stands; 1:1 for the document's top table or one that is missing.</summary>
    public TomlPosition Position => throw new NotImplementedException();

    /// <summary>Whether the file has this table (a missing one reads as empty).</summary>
    public bool IsPresent => throw new NotImplementedException();

    /// <summary>Whether the key is there. Does not count as reading it.</summary>
    public bool Has(string key) => throw new NotImplementedException();

    /// <summary>Where a key's value stands; where the table stands when the key is missing.</summary>
    public TomlPosition PositionOf(string key) => throw new NotImplementedException();

    /// <summary>A string, or <paramref name="missing"/> when the key is not there.</summary>
    public string ReadString(string key, string missing) => throw new NotImplementedException();

    /// <summary>A string that must be there and not be empty; a fault and the empty string when not.</summary>
    public string ReadRequiredString(string key) => throw new NotImplementedException();

    /// <summary>A string that must be one of <paramref name="allowed"/>.</summary>
    public string ReadChoice(string key, string missing, params ReadOnlySpan<string> allowed) => throw new NotImplementedException();

    /// <summary>An integer from <paramref name="min"/> to <paramref name="max"/>, both included.</summary>
    public long ReadInteger(string key, long missing, long min, long max) => throw new NotImplementedException();

    /// <summary>A boolean.</summary>
    public bool ReadBoolean(string key, bool missing) => throw new NotImplementedException();

    /// <summary>An array of strings; empty when the key is not there.</summary>
    public IReadOnlyList<string> ReadStrings(string key) => throw new NotImplementedException();

    /// <summary>Every key with its string value, for tables whose keys are the operator's own, such as <c>[labels]</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> ReadAllStrings() => throw new NotImplementedException();

    /// <summary>A table; empty when the key is not there.</summary>
    public TomlTable ReadTable(string key) => throw new NotImplementedException();

    /// <summary>An array of tables; empty when the key is not there.</summary>
    public IReadOnlyList<TomlTable> ReadTables(string key) => throw new NotImplementedException();

    /// <summary>Adds a fault at a key's value (at the table when the key is missing).</summary>
    public void Fault(string key, string message) => throw new NotImplementedException();

    /// <summary>Adds a fault for each key that nothing read, naming the nearest known key; here and in every table read from this one.</summary>
    public void RefuseUnknownKeys() => throw new NotImplementedException();
}
