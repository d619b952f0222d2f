using System.Security.Cryptography;
using System.Text;

namespace Lm.Collector.Ingest;

/// <summary>Who may send: tokens and the agents that they belong to. Immutable.</summary>
/// <remarks>Tokens are kept as HMAC-SHA-256 under a key of this process: the table does not hold them, and what a look-up's time could tell about a
/// key of the table is of no use to anyone, because nobody outside knows the key; the match itself is compared in constant time.</remarks>
internal sealed class TokenTable
{
    /// <summary>Bytes of the longest token.</summary>
    public const int TokenBytesMax = 512;

    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    private readonly Dictionary<TokenDigest, (byte[] Digest, TokenOwner Owner)> owners = [];

    private readonly HashSet<string> agents = new(StringComparer.Ordinal);

    /// <summary>The agents that have a token.</summary>
    public IReadOnlyCollection<string> AgentIds => agents;

    /// <summary>How many tokens there are.</summary>
    public int Count => owners.Count;

    /// <summary>Adds a token; only while the table is being made.</summary>
    /// <returns>False when another entry has the same one; <paramref name="existing"/> is whose.</returns>
    public bool TryAdd(string token, TokenOwner owner, out TokenOwner existing)
    {
        var digest = HMACSHA256.HashData(Key, Encoding.UTF8.GetBytes(token));
        existing = default;
        if (owners.TryGetValue(TokenDigest.Of(digest), out var other))
        {
            existing = other.Owner;
            return false;
        }

        owners.Add(TokenDigest.Of(digest), (digest, owner));
        agents.Add(owner.AgentId);
        return true;
    }

    /// <summary>Whose token this is.</summary>
    /// <returns>False when it is nobody's.</returns>
    public bool TryFind(ReadOnlySpan<char> token, out TokenOwner owner)
    {
        owner = default;
        Span<byte> utf8 = stackalloc byte[TokenBytesMax];
        if (!Encoding.UTF8.TryGetBytes(token, utf8, out var length))
        {
            return false;
        }

        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Key, utf8[..length], digest);
        if (!owners.TryGetValue(TokenDigest.Of(digest), out var found) || !CryptographicOperations.FixedTimeEquals(found.Digest, digest))
        {
            return false;
        }

        owner = found.Owner;
        return true;
    }

    /// <summary>The first 16 bytes of a digest: enough to find an entry by.</summary>
    private readonly record struct TokenDigest(UInt128 Value)
    {
        public static TokenDigest Of(ReadOnlySpan<byte> digest) =>
            new(System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(digest));
    }
}

/// <summary>Whom a token belongs to.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="RemoteWrite">Whether it may also send Prometheus remote write.</param>
internal readonly record struct TokenOwner(string AgentId, bool RemoteWrite);
