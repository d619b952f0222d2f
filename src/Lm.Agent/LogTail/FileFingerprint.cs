using Lm.Agent.Queue;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Agent.LogTail;

/// <summary>Makes and compares fingerprints.</summary>
internal static class FileFingerprint
{
    /// <summary>The fingerprint after more bytes were taken.</summary>
    /// <param name="before">That of the bytes before.</param>
    /// <param name="taken">The bytes that follow them.</param>
    public static Fingerprint After(this Fingerprint before, ReadOnlySpan<byte> taken)
    {
        if (taken.IsEmpty)
        {
            return before;
        }

        var head = taken[..Math.Min(taken.Length, Fingerprint.LengthMax - before.HeadLength)];
        var tail = taken[^Math.Min(taken.Length, Fingerprint.LengthMax)..];
        return new Fingerprint(
            (ushort)(before.HeadLength + head.Length), Crc32C.Append(before.Head, head), (ushort)tail.Length, Crc32C.Compute(tail));
    }

    /// <summary>The fingerprint of a file's first bytes.</summary>
    /// <param name="file">The file.</param>
    /// <param name="length">How many bytes count as taken.</param>
    public static Fingerprint Of(FollowedFile file, long length)
    {
        Span<byte> buffer = stackalloc byte[Fingerprint.LengthMax];
        var part = buffer[..(int)Math.Min(length, buffer.Length)];
        var head = part[..Math.Max(0, file.Read(0, part))];
        var fingerprint = default(Fingerprint).After(head);
        var tail = part[..Math.Max(0, file.Read(length - part.Length, part))];
        return fingerprint with { TailLength = (ushort)tail.Length, Tail = Crc32C.Compute(tail) };
    }

    /// <summary>Whether a file still begins as it did.</summary>
    public static bool HasHead(FollowedFile file, in Fingerprint fingerprint)
    {
        Span<byte> buffer = stackalloc byte[Fingerprint.LengthMax];
        return fingerprint.HeadLength == 0 || Matches(file, 0, buffer[..fingerprint.HeadLength], fingerprint.Head);
    }

    /// <summary>Whether a file holds what was taken of another one, or of itself before.</summary>
    public static bool Holds(FollowedFile file, long offset, in Fingerprint fingerprint)
    {
        Span<byte> buffer = stackalloc byte[Fingerprint.LengthMax];
        return HasHead(file, fingerprint)
            && (fingerprint.TailLength == 0
                || (fingerprint.TailLength <= offset && fingerprint.TailLength <= buffer.Length
                    && Matches(file, offset - fingerprint.TailLength, buffer[..fingerprint.TailLength], fingerprint.Tail)));
    }

    /// <summary>Whether two files begin with the same bytes, as far as both go, or for more than programs ever begin their files alike; not when one is empty.</summary>
    public static bool BeginAlike(FollowedFile one, FollowedFile other)
    {
        const int ComparedMax = 64 << 10;
        Span<byte> first = stackalloc byte[Fingerprint.LengthMax];
        Span<byte> second = stackalloc byte[Fingerprint.LengthMax];
        for (var at = 0; at < ComparedMax; at += Fingerprint.LengthMax)
        {
            var length = Math.Min(one.Read(at, first), other.Read(at, second));
            if (length <= 0 || !first[..length].SequenceEqual(second[..length]))
            {
                return length <= 0 && at > 0;
            }

            if (length < Fingerprint.LengthMax)
            {
                break;
            }
        }

        return true;
    }

    /// <summary>Whether the last bytes of a file are those that another one has at the same place.</summary>
    /// <param name="file">The file.</param>
    /// <param name="length">How much of it counts.</param>
    /// <param name="other">The other one.</param>
    public static bool EndsWithin(FollowedFile file, long length, FollowedFile other)
    {
        Span<byte> one = stackalloc byte[Fingerprint.LengthMax];
        Span<byte> another = stackalloc byte[Fingerprint.LengthMax];
        var count = (int)Math.Min(length, Fingerprint.LengthMax);
        return file.Read(length - count, one[..count]) == count && other.Read(length - count, another[..count]) == count && one[..count].SequenceEqual(another[..count]);
    }

    private static bool Matches(FollowedFile file, long offset, Span<byte> buffer, uint checksum) =>
        file.Read(offset, buffer) == buffer.Length && Crc32C.Compute(buffer) == checksum;
}
