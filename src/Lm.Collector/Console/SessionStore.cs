using System.Security.Cryptography;
using System.Text;
using Lm.Collector.Settings;

namespace Lm.Collector.Console;

/// <summary>The sessions of signed-in browsers, in memory: a restart ends them all.</summary>
/// <remarks>Only a hash of a session's id is kept, so that memory or a dump of it signs nobody in. A session ends 12 hours after its last use,
/// 7 days after its start, by sign-out, and when the query token it was opened with is no longer the one in the token file.</remarks>
internal sealed class SessionStore(TimeProvider time)
{
    /// <summary>Sessions held; a further one ends the one that was idle longest.</summary>
    public const int SessionsMax = 1024;

    /// <summary>How long a session lives without use.</summary>
    public static readonly TimeSpan IdleMax = TimeSpan.FromHours(12);

    /// <summary>How long a session lives at most.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromDays(7);

    private const int IdBytes = 32;

    // Base64url of the id: what a cookie may be as long as.
    private const int CookieChars = 43;

    private readonly Lock gate = new(); // guards sessions
    private readonly Dictionary<string, Session> sessions = new(StringComparer.Ordinal);

    /// <summary>Sessions that have not ended.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                RemoveEnded();
                return sessions.Count;
            }
        }
    }

    /// <summary>Opens a session.</summary>
    /// <param name="token">The query token that was given; only its hash is kept.</param>
    /// <returns>What the cookie carries: 256 random bits.</returns>
    public string Open(string token)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        RandomNumberGenerator.Fill(id);
        var cookie = System.Buffers.Text.Base64Url.EncodeToString(id);
        var now = time.GetTimestamp();
        var session = new Session { TokenHash = SHA256.HashData(Encoding.UTF8.GetBytes(token)), Opened = now, Used = now };
        lock (gate)
        {
            RemoveEnded();
            if (sessions.Count >= SessionsMax)
            {
                sessions.Remove(sessions.MinBy(entry => entry.Value.Used).Key);
            }

            sessions.Add(KeyOf(cookie), session);
        }

        return cookie;
    }

    /// <summary>Whether a cookie belongs to a session that has not ended; using it keeps it from going idle.</summary>
    /// <param name="cookie">What the browser sent.</param>
    /// <param name="token">The query token as it is now.</param>
    public bool Use(string cookie, Secret token) => IsOpen(cookie, token, isUse: true);

    /// <summary>Whether a cookie belongs to a session that has not ended, without using it.</summary>
    /// <param name="cookie">What the browser sent.</param>
    /// <param name="token">The query token as it is now.</param>
    public bool IsOpen(string cookie, Secret token) => IsOpen(cookie, token, isUse: false);

    private bool IsOpen(string cookie, Secret token, bool isUse)
    {
        if (cookie.Length != CookieChars)
        {
            return false;
        }

        var key = KeyOf(cookie);
        lock (gate)
        {
            if (!sessions.TryGetValue(key, out var session))
            {
                return false;
            }

            if (HasEnded(session) || !token.MatchesHash(session.TokenHash))
            {
                sessions.Remove(key);
                return false;
            }

            session.Used = isUse ? time.GetTimestamp() : session.Used;
            return true;
        }
    }

    /// <summary>Ends a session.</summary>
    public void Close(string cookie)
    {
        lock (gate)
        {
            sessions.Remove(KeyOf(cookie));
        }
    }

    // Looking up by a hash also means that the time it takes says nothing about ids.
    private static string KeyOf(string cookie) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(cookie)));

    private bool HasEnded(Session session) => time.GetElapsedTime(session.Used) >= IdleMax || time.GetElapsedTime(session.Opened) >= AgeMax;

    private void RemoveEnded()
    {
        foreach (var (key, session) in sessions)
        {
            if (HasEnded(session))
            {
                sessions.Remove(key);
            }
        }
    }

    private sealed class Session
    {
        public required byte[] TokenHash { get; init; }

        public required long Opened { get; init; }

        public required long Used { get; set; }
    }
}
