using System.Buffers.Binary;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>Which open files there are, how much of each counts, and up to which position of the spool they and the sealed files hold every line: the one file
/// that is replaced whole at each checkpoint, after all the others are synced.</summary>
/// <remarks>Docs: docs/formats/log.md.</remarks>
internal sealed record LogManifest
{
    /// <summary>The file's name.</summary>
    public const string FileName = "manifest";

    private const int Version = 2;
    private const int HeaderSize = 56;
    private const int HeaderSizeOfVersion1 = 48; // without DoubtedUntil
    private const int EntrySize = 56;
    private const int SizeMax = 16 << 20;

    /// <summary>Which spool the position is of.</summary>
    public required Guid Incarnation { get; init; }

    /// <summary>All before it is in the files.</summary>
    public required CommitPosition Covered { get; init; }

    /// <summary>The number of the next open file.</summary>
    public required uint NextNumber { get; init; }

    /// <summary>The open files.</summary>
    public required IReadOnlyList<Entry> Open { get; init; }

    /// <summary>Windows that begin before it may lack lines of records before <see cref="Covered"/>: their sealed files claim nothing. Milliseconds since 1970; 0 for none.</summary>
    public long DoubtedUntil { get; init; }

    private static ReadOnlySpan<byte> Magic => "LMLOGM1\n"u8;

    /// <summary>The bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderSize + (Open.Count * EntrySize) + sizeof(uint)];
        var at = bytes.AsSpan();
        Magic.CopyTo(at);
        BinaryPrimitives.WriteInt32LittleEndian(at[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(at[12..], NextNumber);
        Incarnation.TryWriteBytes(at[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(at[32..], Covered.Segment);
        BinaryPrimitives.WriteInt32LittleEndian(at[36..], Open.Count);
        BinaryPrimitives.WriteInt64LittleEndian(at[40..], Covered.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(at[48..], DoubtedUntil);
        at = at[HeaderSize..];
        foreach (var entry in Open)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(at, entry.Number);
            BinaryPrimitives.WriteInt32LittleEndian(at[4..], (entry.Window.IsLate ? 1 : 0) | (entry.IsFrozen ? 2 : 0));
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], entry.Window.Start);
            BinaryPrimitives.WriteInt64LittleEndian(at[16..], entry.Length);
            BinaryPrimitives.WriteInt64LittleEndian(at[24..], entry.IndexLength);
            BinaryPrimitives.WriteInt64LittleEndian(at[32..], entry.FirstReceived);
            BinaryPrimitives.WriteInt64LittleEndian(at[40..], entry.Lines);
            BinaryPrimitives.WriteInt64LittleEndian(at[48..], entry.BodyBytes);
            at = at[EntrySize..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(at, Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        return bytes;
    }

    /// <summary>Reads the file.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">Where it lies.</param>
    /// <param name="damage">What is wrong with it; null when nothing, or when there is none.</param>
    /// <returns>Null when there is none that can be used.</returns>
    /// <exception cref="InvalidDataException">A newer program wrote it.</exception>
    public static LogManifest? Read(IFileSystem files, string path, out string? damage)
    {
        damage = null;
        if (AtomicFile.Read(files, path, SizeMax) is not { } bytes)
        {
            return null;
        }

        if (bytes.Length < HeaderSizeOfVersion1 + sizeof(uint) || !bytes.AsSpan().StartsWith(Magic))
        {
            damage = $"{path} does not begin as a manifest of logs does";
        }
        else if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - sizeof(uint))) != Crc32C.Compute(bytes.AsSpan(0, bytes.Length - sizeof(uint))))
        {
            damage = $"{path}: its checksum is wrong";
        }
        else if (VersionOf(bytes) is < 1 or > Version)
        {
            throw new InvalidDataException($"{path} has version {VersionOf(bytes)}; this program reads versions 1 to {Version}"); // a newer program's files are not damage: they stay
        }
        else if (HeaderSizeOf(VersionOf(bytes)) + (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(36)) * (long)EntrySize) + sizeof(uint) != bytes.Length)
        {
            damage = $"{path} has {bytes.Length} bytes, which do not fit its {BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(36))} open files";
        }
        else
        {
            return Parse(bytes);
        }

        return null;
    }

    private static int VersionOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);

    private static int HeaderSizeOf(int version) => version == 1 ? HeaderSizeOfVersion1 : HeaderSize;

    private static LogManifest Parse(ReadOnlySpan<byte> bytes)
    {
        var version = VersionOf(bytes);
        var open = new Entry[BinaryPrimitives.ReadInt32LittleEndian(bytes[36..])];
        var rest = bytes[HeaderSizeOf(version)..];
        for (var i = 0; i < open.Length; i++, rest = rest[EntrySize..])
        {
            var flags = BinaryPrimitives.ReadInt32LittleEndian(rest[4..]);
            open[i] = new Entry
            {
                Number = BinaryPrimitives.ReadUInt32LittleEndian(rest),
                Window = new LogWindow(BinaryPrimitives.ReadInt64LittleEndian(rest[8..]), (flags & 1) != 0),
                IsFrozen = (flags & 2) != 0,
                Length = BinaryPrimitives.ReadInt64LittleEndian(rest[16..]),
                IndexLength = BinaryPrimitives.ReadInt64LittleEndian(rest[24..]),
                FirstReceived = BinaryPrimitives.ReadInt64LittleEndian(rest[32..]),
                Lines = BinaryPrimitives.ReadInt64LittleEndian(rest[40..]),
                BodyBytes = BinaryPrimitives.ReadInt64LittleEndian(rest[48..]),
            };
        }

        return new LogManifest
        {
            NextNumber = BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            Incarnation = new Guid(bytes.Slice(16, 16), bigEndian: true),
            Covered = new CommitPosition(BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[40..])),
            Open = open,
            DoubtedUntil = version == 1 ? 0 : BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
        };
    }

    /// <summary>An open file.</summary>
    internal sealed record Entry
    {
        /// <summary>Its number; never given twice.</summary>
        public required uint Number { get; init; }

        /// <summary>Which lines it holds.</summary>
        public required LogWindow Window { get; init; }

        /// <summary>Whether it is complete and waits to be sealed.</summary>
        public required bool IsFrozen { get; init; }

        /// <summary>Bytes of it that count.</summary>
        public required long Length { get; init; }

        /// <summary>Bytes of its index that count.</summary>
        public required long IndexLength { get; init; }

        /// <summary>When its first line came.</summary>
        public required long FirstReceived { get; init; }

        /// <summary>Its lines.</summary>
        public required long Lines { get; init; }

        /// <summary>Bytes of their bodies.</summary>
        public required long BodyBytes { get; init; }
    }
}
