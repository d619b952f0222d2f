namespace Lm.Toml;

/// <summary>All faults of a file, in the order of their places.</summary>
public sealed class SettingsFaults(string fileName)
{
    private readonly List<SettingsFault> all = [];

    /// <summary>The file's name for messages.</summary>
    public string FileName { get; } = fileName;

    /// <summary>The faults, by line and column.</summary>
    public IReadOnlyList<SettingsFault> All => [.. all.OrderBy(fault => fault.Position.Line).ThenBy(fault => fault.Position.Column)];

    /// <summary>Whether there is any.</summary>
    public bool Any => all.Count > 0;

    /// <summary>Adds a fault.</summary>
    public void Add(TomlPosition position, string message) => all.Add(new SettingsFault(FileName, position, message));
}
