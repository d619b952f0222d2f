using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Lm.Protocol.Wire;

/// <summary>Reads protobuf's wire format out of a span. Every method returns false, and moves no further, where the bytes are not that.</summary>
/// <remarks>Source: protobuf.dev, "Encoding". Positions are those in the whole payload, also while a message inside it is read, so that
/// a fault can name its byte. Groups (wire types 3 and 4) are not read: no message of ours, or of proto3, has them.</remarks>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> bytes;
    private int position;

    /// <summary>Reads the bytes of <paramref name="payload"/> from <paramref name="start"/>.</summary>
    public WireReader(ReadOnlySpan<byte> payload, int start, int length)
    {
        bytes = payload[..(start + length)];
        position = start;
    }

    /// <summary>The next byte's place in the payload.</summary>
    public readonly int Position => position;

    /// <summary>Whether everything was read.</summary>
    public readonly bool AtEnd => position >= bytes.Length;

    /// <summary>Goes on behind what the caller has read itself, which is at most all.</summary>
    public void MoveTo(int newPosition) => position = newPosition;

    /// <summary>Reads a field's number and type: <c>number &lt;&lt; 3 | type</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadTag(out uint tag) => TryReadUInt32(out tag) && tag >= 8;

    /// <summary>Reads a number of up to 64 bits in at most ten bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadVarint(out ulong value)
    {
        if ((uint)position < (uint)bytes.Length && bytes[position] < 0x80)
        {
            value = bytes[position++];
            return true;
        }

        return TryReadLongVarint(out value);
    }

    /// <summary>Reads a number of up to 32 bits; a greater one is refused rather than cut, as protobuf would.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadUInt32(out uint value)
    {
        var start = position;
        if (TryReadVarint(out var wide) && wide <= uint.MaxValue)
        {
            value = (uint)wide;
            return true;
        }

        position = start;
        value = 0;
        return false;
    }

    /// <summary>Reads a zig-zag number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadSigned(out long value)
    {
        var read = TryReadVarint(out var raw);
        value = (long)(raw >> 1) ^ -(long)(raw & 1);
        return read;
    }

    /// <summary>Reads eight bytes, little-endian; bit patterns are kept.</summary>
    public bool TryReadDouble(out double value)
    {
        if (bytes.Length - position < sizeof(double))
        {
            value = 0;
            return false;
        }

        value = BinaryPrimitives.ReadDoubleLittleEndian(bytes[position..]);
        position += sizeof(double);
        return true;
    }

    /// <summary>Reads a length and steps over as many bytes, which lie at <paramref name="start"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadLengthDelimited(out int start, out int length)
    {
        var before = position;
        if (!TryReadVarint(out var wide) || wide > (ulong)(bytes.Length - position))
        {
            position = before;
            start = length = 0;
            return false;
        }

        start = position;
        length = (int)wide;
        position += length;
        return true;
    }

    /// <summary>Steps over the value of a field.</summary>
    public bool TrySkip(uint tag) => (WireType)(tag & 7) switch
    {
        WireType.Varint => TryReadVarint(out _),
        WireType.Fixed64 => TryAdvance(8),
        WireType.LengthDelimited => TryReadLengthDelimited(out _, out _),
        WireType.Fixed32 => TryAdvance(4),
        _ => false,
    };

    private bool TryAdvance(int count)
    {
        if (bytes.Length - position < count)
        {
            return false;
        }

        position += count;
        return true;
    }

    private bool TryReadLongVarint(out ulong value)
    {
        value = 0;
        var at = position;
        for (var shift = 0; shift < 70 && at < bytes.Length; shift += 7)
        {
            var next = bytes[at++];
            if (shift == 63 && next > 1)
            {
                break;
            }

            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                position = at;
                return true;
            }
        }

        value = 0;
        return false;
    }
}

/// <summary>How a field's value is laid out.</summary>
internal enum WireType
{
    /// <summary>Seven bits a byte, lowest first.</summary>
    Varint = 0,

    /// <summary>Eight bytes, little-endian.</summary>
    Fixed64 = 1,

    /// <summary>A varint length and that many bytes.</summary>
    LengthDelimited = 2,

    /// <summary>Four bytes, little-endian.</summary>
    Fixed32 = 5,
}
