using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Lm.Protocol.Wire;

/// <summary>Writes protobuf's wire format into a buffer that grows and is used again.</summary>
internal sealed class WireWriter
{
    // Above this a buffer is given back when it is cleared: one large batch must not raise the agent's memory for good.
    private const int RetainedMax = 1 << 20;

    private byte[] bytes = [];

    /// <summary>How much was written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    /// <summary>What was written; valid until the next write.</summary>
    public Memory<byte> Memory => bytes.AsMemory(0, Length);

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Length = 0;
        if (bytes.Length > RetainedMax)
        {
            bytes = [];
        }
    }

    /// <summary>Room for at least <paramref name="count"/> bytes, which <see cref="Advance"/> then takes.</summary>
    public Span<byte> Reserve(int count)
    {
        if (bytes.Length - Length < count)
        {
            Array.Resize(ref bytes, checked(Math.Max(Length + count, Math.Max(256, (int)Math.Min(2L * bytes.Length, Array.MaxLength)))));
        }

        return bytes.AsSpan(Length);
    }

    /// <summary>Takes bytes that were put into <see cref="Reserve"/>'s room.</summary>
    public void Advance(int count) => Length += count;

    /// <summary>Bytes as they are.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Reserve(value.Length));
        Length += value.Length;
    }

    /// <summary>A number.</summary>
    public void WriteVarint(ulong value)
    {
        var room = Reserve(10);
        var count = 0;
        while (value >= 0x80)
        {
            room[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        room[count++] = (byte)value;
        Length += count;
    }

    /// <summary>A zig-zag number.</summary>
    public void WriteSigned(long value) => WriteVarint((ulong)(value << 1) ^ (ulong)(value >> 63));

    /// <summary>Eight bytes; bit patterns are kept.</summary>
    public void WriteDouble(double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(Reserve(sizeof(double)), value);
        Length += sizeof(double);
    }

    /// <summary>A number field; 0 is the default and is left out.</summary>
    public void WriteNumberField(uint tag, ulong value)
    {
        if (value != 0)
        {
            WriteVarint(tag);
            WriteVarint(value);
        }
    }

    /// <summary>A zig-zag field; 0 is the default and is left out.</summary>
    public void WriteSignedField(uint tag, long value)
    {
        if (value != 0)
        {
            WriteVarint(tag);
            WriteSigned(value);
        }
    }

    /// <summary>A field of bytes, or of a message, present also when empty.</summary>
    public void WriteBytesField(uint tag, ReadOnlySpan<byte> value)
    {
        WriteVarint(tag);
        WriteVarint((ulong)value.Length);
        WriteRaw(value);
    }

    /// <summary>The bytes that <see cref="WriteBytesField"/> takes for a value.</summary>
    public static int BytesFieldLength(uint tag, int valueLength) => VarintLength(tag) + VarintLength((uint)valueLength) + valueLength;

    /// <summary>A field of text, present also when empty. Lone surrogates become U+FFFD.</summary>
    public void WriteStringField(uint tag, ReadOnlySpan<char> value)
    {
        WriteVarint(tag);
        var length = Encoding.UTF8.GetByteCount(value);
        WriteVarint((ulong)length);
        Utf8.FromUtf16(value, Reserve(length), out _, out var written);
        Length += written;
    }

    private static int VarintLength(uint value) => ((31 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7) + 1;
}
