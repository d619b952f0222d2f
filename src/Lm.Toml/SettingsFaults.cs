namespace Lm.Toml;

/// <summary>All faults of a file, in the order of their places.</summary>
/// <remarks>At most <see cref="CountMax"/> are kept; the others are counted, and a last line says how many.</remarks>
public sealed class SettingsFaults(string fileName)
{
    /// <summary>The most faults kept: more than a person mends at once, and a file of another kind does not fill the memory.</summary>
    public const int CountMax = 100;

    private readonly List<SettingsFault> kept = [];
    private int notKept;
    private bool isSyntaxFaulty;

    /// <summary>The file's name for messages.</summary>
    public string FileName { get; } = fileName;

    /// <summary>The faults, by line and column.</summary>
    public IReadOnlyList<SettingsFault> All
    {
        get
        {
            // Stable: two faults at one place stay in the order in which they were found.
            List<SettingsFault> all = [.. kept.OrderBy(fault => fault.Position.Line).ThenBy(fault => fault.Position.Column)];
            if (notKept > 0)
            {
                all.Add(new SettingsFault(FileName, all[^1].Position, $"and {notKept} more faults, not shown"));
            }

            return all;
        }
    }

    /// <summary>Whether there is any.</summary>
    public bool Any => kept.Count > 0;

    /// <summary>Whether a further fault is only counted, so that its message need not be made with care.</summary>
    internal bool IsFull => kept.Count == CountMax;

    /// <summary>Adds a fault. One that a reader adds to a file with faults of syntax is left out: it judges defaults, not what the operator wrote.</summary>
    public void Add(TomlPosition position, string message)
    {
        if (isSyntaxFaulty)
        {
            return;
        }

        if (IsFull)
        {
            notKept++;
            return;
        }

        kept.Add(new SettingsFault(FileName, position, message));
    }

    /// <summary>Ends the parser's part: when it found faults, readers add no more.</summary>
    internal void EndOfSyntax() => isSyntaxFaulty = Any;
}
