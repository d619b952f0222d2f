using System.Buffers.Binary;

namespace Lm.Platform;

/// <summary>A name: 48 bits of creation time, 80 random bits; 26 characters that sort as the value does.</summary>
/// <remarks>Source: https://github.com/ulid/spec.</remarks>
/// <param name="Value">The 128 bits.</param>
public readonly record struct Ulid(UInt128 Value) : IComparable<Ulid>
{
    private const int Length = 26;
    private const string Digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>When it was made, milliseconds since 1970.</summary>
    public long CreatedMs => (long)(ulong)(Value >> 80);

    /// <summary>Reads the 26 characters, capital or not.</summary>
    /// <param name="text">The text.</param>
    /// <param name="id">The value; zero when false.</param>
    public static bool TryParse(ReadOnlySpan<char> text, out Ulid id)
    {
        id = default;
        if (text.Length != Length || text[0] > '7') // the first digit has three bits
        {
            return false;
        }

        UInt128 value = 0;
        foreach (var c in text)
        {
            var digit = Digits.IndexOf(char.ToUpperInvariant(c), StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            value = (value << 5) | (uint)digit;
        }

        id = new Ulid(value);
        return true;
    }

    /// <summary>Whether the left one was made before the right one.</summary>
    public static bool operator <(Ulid left, Ulid right) => left.Value < right.Value;

    /// <summary>Whether the left one was made after the right one.</summary>
    public static bool operator >(Ulid left, Ulid right) => left.Value > right.Value;

    /// <summary>Whether the left one was not made after the right one.</summary>
    public static bool operator <=(Ulid left, Ulid right) => left.Value <= right.Value;

    /// <summary>Whether the left one was not made before the right one.</summary>
    public static bool operator >=(Ulid left, Ulid right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(Ulid other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => string.Create(Length, Value, static (text, value) =>
    {
        for (var i = text.Length - 1; i >= 0; i--, value >>= 5)
        {
            text[i] = Digits[(int)(value & 31)];
        }
    });

    internal static Ulid Create(long createdMs, ReadOnlySpan<byte> random)
    {
        var low = BinaryPrimitives.ReadUInt64BigEndian(random[2..]);
        var high = ((ulong)createdMs << 16) | BinaryPrimitives.ReadUInt16BigEndian(random);
        return new Ulid(new UInt128(high, low));
    }
}
