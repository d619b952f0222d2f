using System.Buffers.Binary;
using Lm.Platform;

namespace Lm.Tsdb.Head;

/// <summary>Which window a file belongs to: its first 32 bytes.</summary>
/// <param name="Number">The window's number, never used twice; later ones were made later.</param>
/// <param name="Start">Its first millisecond since 1970.</param>
/// <param name="Width">How many milliseconds it has.</param>
internal readonly record struct WindowIdentity(uint Number, long Start, int Width)
{
    /// <summary>Bytes of a header.</summary>
    public const int HeaderSize = 32;

    private const int Version = 1;

    /// <summary>Begins a log of sealed chunks.</summary>
    public static ReadOnlySpan<byte> LogMagic => "LMHCHNK\n"u8;

    /// <summary>Begins a file of open chunks.</summary>
    public static ReadOnlySpan<byte> StateMagic => "LMHOPEN\n"u8;

    /// <summary>The first millisecond behind it.</summary>
    public long End => Start + Width;

    /// <summary>Writes a header.</summary>
    public void Write(Span<byte> target, ReadOnlySpan<byte> magic)
    {
        magic.CopyTo(target);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Number);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], Start);
        BinaryPrimitives.WriteInt32LittleEndian(target[24..], Width);
        BinaryPrimitives.WriteUInt32LittleEndian(target[28..], Crc32C.Compute(target[..28]));
    }

    /// <summary>Whether a header is this window's.</summary>
    public bool Matches(ReadOnlySpan<byte> header, ReadOnlySpan<byte> magic)
    {
        Span<byte> expected = stackalloc byte[HeaderSize];
        Write(expected, magic);
        return header.SequenceEqual(expected);
    }
}
