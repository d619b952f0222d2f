using System.Buffers.Binary;
using System.Security.Cryptography;

using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>The file <c>journal.id</c>: the journal's id once more, for the day that segment headers are damaged.</summary>
/// <remarks>It is made durable before the first segment, so that a crash never leaves a segment whose journal is unknown.</remarks>
internal static class JournalIdentity
{
    public const string FileName = "journal.id";

    private const int FileSize = 28;

    private static ReadOnlySpan<byte> Magic => "LMJRID1\n"u8;

    public static Guid New() => new(RandomNumberGenerator.GetBytes(16), bigEndian: true);

    /// <summary>The id, or null when the file is missing or damaged.</summary>
    public static Guid? Read(IFileSystem files, string directory)
    {
        var content = AtomicFile.Read(files, Path.Combine(directory, FileName), sizeMax: 4096);
        return content is { Length: FileSize }
            && content.AsSpan().StartsWith(Magic)
            && BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(24)) == Crc32C.Compute(content.AsSpan(0, 24))
            ? new Guid(content.AsSpan(8, 16), bigEndian: true)
            : null;
    }

    public static void Write(IFileSystem files, string directory, Guid id)
    {
        Span<byte> content = stackalloc byte[FileSize];
        Magic.CopyTo(content);
        id.TryWriteBytes(content[8..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(content[24..], Crc32C.Compute(content[..24]));
        AtomicFile.Write(files, Path.Combine(directory, FileName), content);
    }
}
