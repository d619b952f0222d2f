namespace Lm.Collector.SharedLog;

/// <summary>How long the same thing has been waiting, by the process' clock: no time that another machine wrote has a say.</summary>
/// <param name="time">The clock.</param>
internal sealed class Patience(TimeProvider time)
{
    private long? waitingFor;
    private long since;

    /// <summary>How long it was asked for the same.</summary>
    /// <param name="what">A number that tells it from others; null when nothing waits.</param>
    public TimeSpan Waited(long? what)
    {
        if (what != waitingFor)
        {
            (waitingFor, since) = (what, time.GetTimestamp());
        }

        return what is null ? TimeSpan.Zero : time.GetElapsedTime(since);
    }
}
