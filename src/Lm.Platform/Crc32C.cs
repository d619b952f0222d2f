using System.Buffers.Binary;
using System.Numerics;

namespace Lm.Platform;

/// <summary>CRC-32C (Castagnoli), the checksum of frames and journals.</summary>
/// <remarks>Source: RFC 3720, appendix B.4: reflected, initial value and final XOR 0xFFFFFFFF.</remarks>
public static class Crc32C
{
    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>The checksum of what <paramref name="checksum"/> covers followed by <paramref name="data"/>.</summary>
    /// <param name="checksum">The checksum so far; 0 for nothing yet.</param>
    /// <param name="data">The bytes that follow.</param>
    public static uint Append(uint checksum, ReadOnlySpan<byte> data)
    {
        var crc = ~checksum;
        while (data.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }

        foreach (var value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
