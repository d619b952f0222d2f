using System.Security.Cryptography;
using System.Text;

namespace Lm.Collector.Ingest;

/// <summary>Who may send: tokens and the agents that they belong to. Immutable.</summary>
/// <remarks>Tokens are kept as SHA-256 of a secret of this process and the token: the table does not hold them, and what a look-up's time could tell
/// about a digest is of no use to anyone, because nobody outside knows the secret; the match itself is compared in constant time. Digests
/// never leave the process, so the plain hash serves as well as an HMAC, which takes several times as long.</remarks>
internal sealed class TokenTable
{
    /// <summary>Bytes of the longest token.</summary>
    public const int TokenBytesMax = 512;

    private static readonly byte[] Secret = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);

    private readonly Dictionary<TokenDigest, (byte[] Digest, TokenOwner Owner)> owners = [];

    private readonly HashSet<string> agents = new(StringComparer.Ordinal);

    /// <summary>The agents that have a token.</summary>
    public IReadOnlyCollection<string> AgentIds => agents;

    /// <summary>Whether an agent has a token.</summary>
    public bool HasAgent(string agentId) => agents.Contains(agentId);

    /// <summary>How many tokens there are.</summary>
    public int Count => owners.Count;

    /// <summary>Adds a token; only while the table is being made.</summary>
    /// <returns>False when another entry has the same one; <paramref name="existing"/> is whose.</returns>
    public bool TryAdd(string token, TokenOwner owner, out TokenOwner existing)
    {
        var digest = SHA256.HashData([.. Secret, .. Encoding.UTF8.GetBytes(token)]);
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
        Span<byte> hashed = stackalloc byte[SHA256.HashSizeInBytes + TokenBytesMax];
        Secret.CopyTo(hashed);
        if (!Encoding.UTF8.TryGetBytes(token, hashed[Secret.Length..], out var length))
        {
            return false;
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(hashed[..(Secret.Length + length)], digest);
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
