using Lm.Collector.Listeners;

namespace Lm.Collector.Console;

/// <summary>Counters of sign-in and sessions.</summary>
internal sealed class ConsoleMetrics(SessionStore sessions)
{
    private long signedIn;
    private long refused;
    private long limited;
    private long unauthorized;

    /// <summary>Counts a sign-in.</summary>
    public void SignedIn() => Interlocked.Increment(ref signedIn);

    /// <summary>Counts a wrong token at sign-in.</summary>
    public void SignInRefused() => Interlocked.Increment(ref refused);

    /// <summary>Counts a wrong token at sign-in after too many.</summary>
    public void SignInLimited() => Interlocked.Increment(ref limited);

    /// <summary>Counts a request without a right.</summary>
    public void Unauthorized() => Interlocked.Increment(ref unauthorized);

    /// <summary>The counters now.</summary>
    public IEnumerable<CollectorMetric> Collect()
    {
        const string help = "Sign-ins of the console, by how they ended.";
        yield return new CollectorMetric("lm_collector_sign_ins_total", help, true, "result=\"success\"", Interlocked.Read(ref signedIn));
        yield return new CollectorMetric("lm_collector_sign_ins_total", help, true, "result=\"wrong_token\"", Interlocked.Read(ref refused));
        yield return new CollectorMetric("lm_collector_sign_ins_total", help, true, "result=\"limited\"", Interlocked.Read(ref limited));
        yield return new CollectorMetric("lm_collector_unauthorized_requests_total", "Requests to the private listener without a valid token or session.", true, "",
            Interlocked.Read(ref unauthorized));
        yield return new CollectorMetric("lm_collector_sessions", "Signed-in browsers.", false, "", sessions.Count);
    }
}
