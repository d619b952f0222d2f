using System.Text;

namespace Lm.Logs.Query.Pipeline;

/// <summary>Keys found in lines → label names; the same few come again and again. For one thread at a time.</summary>
internal sealed class NameCache
{
    private const int NamesMax = 4096;
    private const int KeyBytesMax = 1024;

    private readonly Dictionary<byte[], string> names = new(Utf8Comparer.Instance);
    private readonly Dictionary<byte[], string>.AlternateLookup<ReadOnlySpan<byte>> lookup;

    /// <summary>Knows nothing yet.</summary>
    public NameCache() => lookup = names.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>A key as a label's name: whatever else than letters, digits and <c>_</c> becomes <c>_</c>; empty for an empty or giant key.</summary>
    public string NameOf(ReadOnlySpan<byte> key)
    {
        if (lookup.TryGetValue(key, out var name))
        {
            return name;
        }

        if (key.Length > KeyBytesMax)
        {
            return "";
        }

        if (names.Count == NamesMax)
        {
            names.Clear();
        }

        name = Sanitize(Encoding.UTF8.GetString(key).Trim());
        names[key.ToArray()] = name;
        return name;
    }

    private static string Sanitize(string key)
    {
        var name = new StringBuilder(key.Length + 1);
        if (key.Length > 0 && char.IsAsciiDigit(key[0]))
        {
            name.Append('_');
        }

        foreach (var rune in key.EnumerateRunes())
        {
            name.Append(rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || rune.Value == '_') ? (char)rune.Value : '_');
        }

        return name.ToString();
    }
}

/// <summary>Compares bytes.</summary>
internal sealed class Utf8Comparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly Utf8Comparer Instance = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var code = new HashCode();
        code.AddBytes(alternate);
        return code.ToHashCode();
    }

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
}
