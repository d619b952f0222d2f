namespace Lm.Agent.HostMetrics;

/// <summary>When the host was started, held still.</summary>
/// <remarks>
/// <para>The kernel derives <c>btime</c> from the wall clock, so it moves by a second now and then as the clock is steered. It is part of processes' identity, and
/// an identity must not flicker: the first value is kept.</para>
/// <para>A clock that is set by more than a minute (a board without a battery meets its time server) is another matter: then the old value is plainly wrong and
/// is read again.</para>
/// </remarks>
internal sealed class BootTime(ProcFs proc, TimeProvider time)
{
    private static readonly TimeSpan StepMin = TimeSpan.FromMinutes(1);

    private readonly long startedAt = time.GetTimestamp();
    private DateTimeOffset epoch; // the wall clock when startedAt was taken, as the wall clock has it today
    private bool isKnown;

    /// <summary>Seconds since 1970; valid after a <see cref="TryRefresh"/> that succeeded.</summary>
    public long Seconds { get; private set; }

    /// <summary>The file, for messages.</summary>
    public string FileName { get; } = proc.NameOf("stat"u8);

    /// <summary>Reads the boot time if it is not known, or the wall clock was set since it was read.</summary>
    /// <param name="errno">The error number, when the file cannot be read.</param>
    /// <returns>False when it is not known.</returns>
    public bool TryRefresh(out int errno)
    {
        errno = 0;
        var now = time.GetUtcNow() - time.GetElapsedTime(startedAt);
        if (isKnown && (now - epoch).Duration() < StepMin)
        {
            return true;
        }

        errno = proc.ReadWhole("stat"u8, out var text);
        if (errno != 0 || !ProcStat.TryParseBootTime(text, out var seconds))
        {
            return false;
        }

        epoch = now;
        // After a suspend the monotonic clock lags though nobody set the wall clock; the boot time is then still about the same.
        if (!isKnown || Math.Abs(seconds - Seconds) >= StepMin.TotalSeconds)
        {
            Seconds = seconds;
        }

        isKnown = true;
        return true;
    }
}
