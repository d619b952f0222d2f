using System.Numerics;

namespace Lm.Tsdb.Blocks;

/// <summary>Numbers of varying length as Go's encoding/binary has them: seven bits a byte, the lowest first.</summary>
internal static class GoVarint
{
    private const int LengthMax = 10;

    /// <summary>Writes a number to a span with room for ten bytes.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> target, ulong value)
    {
        var count = 0;
        for (; value >= 0x80; value >>= 7)
        {
            target[count++] = (byte)(value | 0x80);
        }

        target[count++] = (byte)value;
        return count;
    }

    /// <summary>A signed number as an unsigned one, small when it is near zero.</summary>
    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    public static int LengthOf(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>Reads a number.</summary>
    /// <param name="source">The bytes; moved behind the number.</param>
    /// <param name="value">The number; zero when false.</param>
    /// <returns>False when the bytes end within it, or it has more than 64 bits.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> source, out ulong value)
    {
        if (source.Length > 0 && source[0] < 0x80)
        {
            value = source[0];
            source = source[1..];
            return true;
        }

        value = 0;
        for (var i = 0; i < source.Length && i < LengthMax; i++)
        {
            value |= (ulong)(source[i] & 0x7f) << (7 * i);
            if (source[i] < 0x80)
            {
                var fits = i < LengthMax - 1 || source[i] <= 1;
                source = source[(i + 1)..];
                return fits;
            }
        }

        value = 0;
        return false;
    }
}
