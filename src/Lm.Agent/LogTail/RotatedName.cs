using System.Buffers;

namespace Lm.Agent.LogTail;

/// <summary>The names that rotation gives: which file was another one before, and which is compressed.</summary>
internal static class RotatedName
{
    private static readonly SearchValues<char> CounterChars = SearchValues.Create("0123456789.-_:TZ+");

    private static readonly string[] CompressedEndings = [".gz", ".xz", ".bz2", ".zst", ".lz4", ".lzma", ".Z", ".zip"];

    /// <summary>Whether a name says that the file is compressed.</summary>
    public static bool IsCompressed(ReadOnlySpan<char> path)
    {
        foreach (var ending in CompressedEndings)
        {
            if (path.EndsWith(ending, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a file's first bytes say that it is compressed.</summary>
    /// <remarks>Source: RFC 1952, RFC 8878, and the formats of xz, bzip2 and lz4. No text begins with the first four; text may begin with BZh, but
    /// not with a digit and the block's magic behind it.</remarks>
    public static bool HasCompressedContent(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])
        || start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD])
        || start.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0])
        || start.StartsWith((ReadOnlySpan<byte>)[0x04, 0x22, 0x4D, 0x18])
        || (start.Length >= 10 && start.StartsWith("BZh"u8) && start[4..].StartsWith((ReadOnlySpan<byte>)[0x31, 0x41, 0x59, 0x26, 0x53, 0x59]));

    /// <summary>Whether a file of this name may have had another name before: that with a number or date behind it (<c>syslog.1</c>,
    /// <c>syslog-20260102</c>), or before its extension (<c>app-20260102.log</c>, <c>app.1.log</c>), or <c>.old</c> or <c>.bak</c>.</summary>
    /// <param name="name">The name in question.</param>
    /// <param name="original">The name that a log is written under.</param>
    public static bool IsRotationOf(ReadOnlySpan<char> name, ReadOnlySpan<char> original)
    {
        if (name.Length <= original.Length)
        {
            return false;
        }

        if (name.StartsWith(original, StringComparison.Ordinal) && IsCounter(name[original.Length..]))
        {
            return true;
        }

        var dot = original.LastIndexOf('.');
        return dot > 0 && name.StartsWith(original[..dot], StringComparison.Ordinal) && name.EndsWith(original[dot..], StringComparison.Ordinal)
            && IsCounter(name[dot..^(original.Length - dot)]);
    }

    // A separator, then a number or a date with its own separators.
    private static bool IsCounter(ReadOnlySpan<char> text)
    {
        if (text is ".old" or ".bak")
        {
            return true;
        }

        if (text.Length < 2 || text[0] is not ('.' or '-' or '_') || !char.IsAsciiDigit(text[1]))
        {
            return false;
        }

        return !text.ContainsAnyExcept(CounterChars);
    }
}
