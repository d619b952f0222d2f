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

    private readonly Lock gate = new(); // guards sessions, opened
    private readonly Dictionary<string, Session> sessions = new(StringComparer.Ordinal);
    private long opened; // guarded by gate, too

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
    /// <param name="from">The address that it was opened from.</param>
    /// <returns>What the cookie carries: 256 random bits.</returns>
    public string Open(string token, string from)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        RandomNumberGenerator.Fill(id);
        var cookie = System.Buffers.Text.Base64Url.EncodeToString(id);
        var now = time.GetTimestamp();
        var session = new Session { TokenHash = SHA256.HashData(Encoding.UTF8.GetBytes(token)), Opened = now, Used = now, From = from };
        lock (gate)
        {
            session.Number = ++opened;
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

    /// <summary>Ends a session that <see cref="List"/> told of.</summary>
    /// <returns>Whether there was one of this number.</returns>
    public bool Close(long number)
    {
        lock (gate)
        {
            return sessions.FirstOrDefault(entry => entry.Value.Number == number) is { Key: { } key } && sessions.Remove(key);
        }
    }

    /// <summary>The sessions that have not ended, in the order in which they were opened.</summary>
    /// <param name="cookie">The cookie of the one who asks; null without one.</param>
    /// <param name="token">The query token as it is now.</param>
    public IReadOnlyList<OpenSession> List(string? cookie, Secret token)
    {
        var mine = cookie is null ? null : KeyOf(cookie);
        lock (gate)
        {
            RemoveEnded();
            return
            [
                .. sessions.Where(entry => token.MatchesHash(entry.Value.TokenHash)).OrderBy(entry => entry.Value.Number)
                    .Select(entry => new OpenSession(entry.Value.Number, entry.Value.From, time.GetElapsedTime(entry.Value.Opened), time.GetElapsedTime(entry.Value.Used), entry.Key == mine)),
            ];
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

        public required string From { get; init; }

        public required long Opened { get; init; }

        public long Number { get; set; }

        public required long Used { get; set; }
    }
}

/// <summary>A session, without anything that would let somebody use it.</summary>
/// <param name="Number">Counted from the collector's start.</param>
/// <param name="From">The address that it was opened from.</param>
/// <param name="Age">How long ago it was opened.</param>
/// <param name="Idle">How long ago it was used.</param>
/// <param name="IsMine">Whether it is the session of the one who asks.</param>
internal sealed record OpenSession(long Number, string From, TimeSpan Age, TimeSpan Idle, bool IsMine);
