using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Tsdb.Head;

/// <summary>Which files the head consists of, and up to which position they hold everything: the one file that is replaced whole at each checkpoint,
/// after all the others are synced.</summary>
/// <remarks>Docs: docs/formats/head.md.</remarks>
internal sealed class HeadManifest
{
    /// <summary>The file's name.</summary>
    public const string FileName = "head";

    private const int Version = 1;
    private const int HeaderSize = 64;
    private const int WindowSize = 56;
    private const int RangeSize = 16;
    private const int SizeMax = 64 << 20;

    /// <summary>Which log the position is of.</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>All before it is in the files, or in blocks.</summary>
    public required CommitPosition Covered { get; init; }

    /// <summary>The number of the next file or window.</summary>
    public required uint NextNumber { get; init; }

    /// <summary>The file of series; 0 when there is none.</summary>
    public required uint SeriesNumber { get; init; }

    /// <summary>Its bytes.</summary>
    public required long SeriesLength { get; init; }

    /// <summary>The windows, the oldest by number first.</summary>
    public required IReadOnlyList<Window> Windows { get; init; }

    /// <summary>When late samples of a range became a block last.</summary>
    public required IReadOnlyList<LateBlock> LateBlocks { get; init; }

    /// <summary>Replaces the file.</summary>
    public void Write(IFileSystem files, string directory)
    {
        var bytes = new byte[HeaderSize + (Windows.Count * WindowSize) + (LateBlocks.Count * RangeSize) + sizeof(uint)];
        var at = bytes.AsSpan();
        "LMHEAD1\n"u8.CopyTo(at);
        BinaryPrimitives.WriteInt32LittleEndian(at[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(at[12..], NextNumber);
        Incarnation.TryWriteBytes(at[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(at[32..], Covered.Segment);
        BinaryPrimitives.WriteUInt32LittleEndian(at[36..], SeriesNumber);
        BinaryPrimitives.WriteInt64LittleEndian(at[40..], Covered.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(at[48..], SeriesLength);
        BinaryPrimitives.WriteInt32LittleEndian(at[56..], Windows.Count);
        BinaryPrimitives.WriteInt32LittleEndian(at[60..], LateBlocks.Count);
        at = at[HeaderSize..];
        foreach (var window in Windows)
        {
            window.Write(at);
            at = at[WindowSize..];
        }

        foreach (var (range, at1970) in LateBlocks)
        {
            BinaryPrimitives.WriteInt64LittleEndian(at, range);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], at1970);
            at = at[RangeSize..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(at, Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        AtomicFile.Write(files, Path.Combine(directory, FileName), bytes);
    }

    /// <summary>Reads the file.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="directory">The head's folder.</param>
    /// <param name="damage">What is wrong with it; empty when nothing, or when there is no file.</param>
    /// <returns>Null when there is none that can be used.</returns>
    public static HeadManifest? Read(IFileSystem files, string directory, out string damage)
    {
        damage = "";
        var path = Path.Combine(directory, FileName);
        var bytes = AtomicFile.Read(files, path, SizeMax);
        if (bytes is null)
        {
            return null;
        }

        if (bytes.Length < HeaderSize + sizeof(uint) || !bytes.AsSpan(0, 8).SequenceEqual("LMHEAD1\n"u8))
        {
            damage = $"{path} does not begin as a head's manifest does";
        }
        else if (Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))) != BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - sizeof(uint))))
        {
            damage = $"{path}: its checksum is wrong";
        }
        else if (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) is var version && version != Version)
        {
            // A newer program's files are not damage: they stay.
            throw new InvalidDataException($"{path} has version {version}; this program reads version {Version}");
        }
        else
        {
            return Parse(bytes, path, out damage);
        }

        return null;
    }

    private static HeadManifest? Parse(ReadOnlySpan<byte> bytes, string path, out string damage)
    {
        var windowCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[56..]);
        var rangeCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[60..]);
        damage = windowCount < 0 || rangeCount < 0 || HeaderSize + ((long)windowCount * WindowSize) + ((long)rangeCount * RangeSize) + sizeof(uint) != bytes.Length
            ? $"{path} has {bytes.Length} bytes, which do not fit {windowCount} windows and {rangeCount} ranges" : "";
        if (damage.Length > 0)
        {
            return null;
        }

        var windows = new Window[windowCount];
        var rest = bytes[HeaderSize..];
        for (var i = 0; i < windowCount; i++, rest = rest[WindowSize..])
        {
            windows[i] = Window.Read(rest);
        }

        var ranges = new LateBlock[rangeCount];
        for (var i = 0; i < rangeCount; i++, rest = rest[RangeSize..])
        {
            ranges[i] = new LateBlock(BinaryPrimitives.ReadInt64LittleEndian(rest), BinaryPrimitives.ReadInt64LittleEndian(rest[8..]));
        }

        return new HeadManifest
        {
            NextNumber = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            Incarnation = new Guid(bytes.Slice(16, 16), bigEndian: true),
            Covered = new CommitPosition(BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[40..])),
            SeriesNumber = BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]),
            SeriesLength = BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
            Windows = windows,
            LateBlocks = ranges,
        };
    }

    /// <summary>A window's files.</summary>
    internal readonly record struct Window
    {
        /// <summary>Which window.</summary>
        public required WindowIdentity Identity { get; init; }

        /// <summary>Whether it is late.</summary>
        public required bool IsLate { get; init; }

        /// <summary>When its first batch was received.</summary>
        public required long FirstReceived { get; init; }

        /// <summary>Samples in it.</summary>
        public required long Samples { get; init; }

        /// <summary>Bytes of its log.</summary>
        public required long LogLength { get; init; }

        /// <summary>The file of its slots.</summary>
        public required (uint Number, long Length) State { get; init; }

        /// <summary>Writes it.</summary>
        public void Write(Span<byte> target)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target, Identity.Number);
            BinaryPrimitives.WriteUInt32LittleEndian(target[4..], State.Number);
            BinaryPrimitives.WriteInt64LittleEndian(target[8..], Identity.Start);
            BinaryPrimitives.WriteInt32LittleEndian(target[16..], Identity.Width);
            BinaryPrimitives.WriteInt32LittleEndian(target[20..], IsLate ? 1 : 0);
            BinaryPrimitives.WriteInt64LittleEndian(target[24..], FirstReceived);
            BinaryPrimitives.WriteInt64LittleEndian(target[32..], LogLength);
            BinaryPrimitives.WriteInt64LittleEndian(target[40..], State.Length);
            BinaryPrimitives.WriteInt64LittleEndian(target[48..], Samples);
        }

        /// <summary>Reads it.</summary>
        public static Window Read(ReadOnlySpan<byte> source) => new()
        {
            Identity = new WindowIdentity(
                BinaryPrimitives.ReadUInt32LittleEndian(source), BinaryPrimitives.ReadInt64LittleEndian(source[8..]), BinaryPrimitives.ReadInt32LittleEndian(source[16..])),
            IsLate = BinaryPrimitives.ReadInt32LittleEndian(source[20..]) != 0,
            FirstReceived = BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            LogLength = BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            State = (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]), BinaryPrimitives.ReadInt64LittleEndian(source[40..])),
            Samples = BinaryPrimitives.ReadInt64LittleEndian(source[48..]),
        };
    }

    /// <summary>A block of late samples.</summary>
    /// <param name="Range">The range's first millisecond.</param>
    /// <param name="WrittenAt">When, milliseconds since 1970.</param>
    internal readonly record struct LateBlock(long Range, long WrittenAt);
}
