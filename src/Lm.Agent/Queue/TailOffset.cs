using Lm.Platform.Files;

namespace Lm.Agent.Queue;

/// <summary>How far one log file, or another source of log records, is durably taken.</summary>
/// <remarks>It rides on the record of the batch that carries the lines, so that both are there or neither (A10).</remarks>
internal sealed record TailOffset
{
    /// <summary>UTF-8 bytes of a name, path or cursor at most.</summary>
    public const int TextBytesMax = 8192;

    /// <summary>What it is about.</summary>
    public required TailKind Kind { get; init; }

    /// <summary>The input's name.</summary>
    public required string Input { get; init; }

    /// <summary>The file's path when it was first met; the input's own pattern; the journal's cursor.</summary>
    public required string Text { get; init; }

    /// <summary>Whether it is to be forgotten.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>Which file.</summary>
    public FileIdentity Identity { get; init; }

    /// <summary>Bytes of the file that are taken: the next line begins there.</summary>
    public long Offset { get; init; }

    /// <summary>When the file was made, or first met, or last begun anew: what rotation puts in its place is younger.
    /// Nanoseconds since 1970: a tick of the kernel's clock may hold several rotations.</summary>
    public long MetAt { get; init; }

    /// <summary>What the taken bytes were.</summary>
    public Fingerprint Fingerprint { get; init; }

    /// <summary>What tells it from others.</summary>
    public TailKey Key => new(Kind, Input, Identity);
}

/// <summary>What a <see cref="TailOffset"/> is about.</summary>
internal enum TailKind : byte
{
    /// <summary>A file and how far it is taken.</summary>
    File = 1,

    /// <summary>An input that is known: files that appear from now on are read from their beginning.</summary>
    Input = 2,

    /// <summary>The systemd journal and the cursor of the last entry that is taken.</summary>
    Journal = 3,
}

/// <summary>What tells one tail offset from another.</summary>
internal readonly record struct TailKey(TailKind Kind, string Input, FileIdentity Identity);

/// <summary>Checksums of the first and the last of the bytes that were taken of a file: they tell it from another one under the same inode.</summary>
/// <param name="HeadLength">How many first bytes, at most <see cref="LengthMax"/>, and all where fewer are taken.</param>
/// <param name="Head">Their CRC-32C.</param>
/// <param name="TailLength">How many bytes before the offset.</param>
/// <param name="Tail">Their CRC-32C.</param>
internal readonly record struct Fingerprint(ushort HeadLength, uint Head, ushort TailLength, uint Tail)
{
    /// <summary>The most bytes at either end.</summary>
    public const int LengthMax = 1024;
}
