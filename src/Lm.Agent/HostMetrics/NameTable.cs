using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lm.Agent.HostMetrics;

/// <summary>What is kept from tick to tick for each thing that the kernel names: a device's labels, a field's metric.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Made once for each name, forgotten (and disposed of) after the first round in which nobody asked for it.</item>
/// <item>At most <paramref name="max"/> names; those beyond get nothing, and are counted.</item>
/// <item>Names that differ only in bytes that are no UTF-8 have the same text; only the first gets something, for two series may not have the same labels.</item>
/// <item>In the steady state nothing is allocated.</item>
/// </list>
/// </remarks>
/// <param name="max">The most names.</param>
/// <param name="make">Makes what is kept, of the name as a label's value; null for a name that is to be passed over.</param>
internal sealed class NameTable<T>(int max, Func<string, T?> make) : IDisposable
    where T : class
{
    private readonly Dictionary<byte[], Entry> entries = new(NameComparer.Instance);
    private readonly List<byte[]> gone = [];
    private int round;
    private int asked;

    /// <summary>Names of this round that got nothing, for want of room or because another has the same text.</summary>
    public int OmittedCount { get; private set; }

    /// <summary>Begins a round.</summary>
    public void Begin()
    {
        round++;
        asked = 0;
        OmittedCount = 0;
    }

    /// <summary>What is kept for a name; null when it is passed over, asked for a second time in this round, or has no room.</summary>
    /// <param name="name">The name, any bytes.</param>
    public T? Get(ReadOnlySpan<byte> name)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(entries.GetAlternateLookup<ReadOnlySpan<byte>>(), name);
        if (Unsafe.IsNullRef(ref entry))
        {
            return Add(name);
        }

        if (entry.Round == round)
        {
            return null;
        }

        entry.Round = round;
        asked++;
        OmittedCount += entry.IsRepeated ? 1 : 0;
        return entry.Kept;
    }

    /// <summary>Ends a round: what nobody asked for is forgotten.</summary>
    public void End()
    {
        if (asked == entries.Count)
        {
            return;
        }

        foreach (var (name, entry) in entries)
        {
            if (entry.Round != round)
            {
                gone.Add(name);
            }
        }

        foreach (var name in gone)
        {
            entries.Remove(name, out var entry);
            (entry.Kept as IDisposable)?.Dispose();
        }

        gone.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var entry in entries.Values)
        {
            (entry.Kept as IDisposable)?.Dispose();
        }

        entries.Clear();
    }

    private T? Add(ReadOnlySpan<byte> name)
    {
        if (entries.Count >= max)
        {
            OmittedCount++;
            return null;
        }

        var text = LabelText.From(name, LabelText.LongValueBytesMax);
        var isRepeated = IsAltered(name, text) && HasText(text);
        var kept = isRepeated ? null : make(text);
        entries.Add(name.ToArray(), new Entry { Kept = kept, Text = text, Round = round, IsRepeated = isRepeated });
        asked++;
        OmittedCount += isRepeated ? 1 : 0;
        return kept;
    }

    // Every name with a text of its own length is that text; only altered ones can meet.
    private static bool IsAltered(ReadOnlySpan<byte> name, string text) => text.Contains('\uFFFD', StringComparison.Ordinal) || text.Length < name.Length;

    private bool HasText(string text)
    {
        foreach (var entry in entries.Values)
        {
            if (entry.Text == text)
            {
                return true;
            }
        }

        return false;
    }

    private struct Entry
    {
        public T? Kept;
        public string Text;
        public int Round;
        public bool IsRepeated;
    }
}

/// <summary>Compares names by their bytes.</summary>
internal sealed class NameComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    /// <summary>The one comparer.</summary>
    public static readonly NameComparer Instance = new();

    /// <inheritdoc/>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    /// <inheritdoc/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <inheritdoc/>
    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        // FNV-1a: names are a dozen bytes, and no stranger chooses many of them.
        var hash = 2166136261u;
        foreach (var character in alternate)
        {
            hash = (hash ^ character) * 16777619;
        }

        return (int)hash;
    }

    /// <inheritdoc/>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
