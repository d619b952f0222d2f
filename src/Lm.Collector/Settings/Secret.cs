using System.Security.Cryptography;
using System.Text;

namespace Lm.Collector.Settings;

/// <summary>A bearer token, kept as its SHA-256: it can be compared, not shown.</summary>
internal sealed class Secret
{
    private readonly byte[] hash;

    /// <summary>Takes a token's text.</summary>
    public Secret(string token) => hash = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Whether <paramref name="token"/> is this one; takes the same time whatever it is and however much of it is right.</summary>
    public bool Matches(ReadOnlySpan<char> token)
    {
        Span<byte> utf8 = stackalloc byte[512];
        if (!Encoding.UTF8.TryGetBytes(token, utf8, out var length))
        {
            return false; // longer than any token that the settings take
        }

        return MatchesUtf8(utf8[..length]);
    }

    /// <summary>The same for a token's UTF-8 bytes.</summary>
    public bool MatchesUtf8(ReadOnlySpan<byte> token)
    {
        Span<byte> other = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(token, other);
        return MatchesHash(other);
    }

    /// <summary>The same for a token whose SHA-256 is known.</summary>
    public bool MatchesHash(ReadOnlySpan<byte> otherHash) => CryptographicOperations.FixedTimeEquals(hash, otherHash);

    /// <inheritdoc/>
    public override string ToString() => "***";
}
