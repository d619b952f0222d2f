namespace Lm.Agent.HostMetrics;

/// <summary>The format of <c>/proc/PID/statm</c>.</summary>
/// <remarks>Source: proc_pid_statm(5). Example: <c>1503 912 730 10 0 402 0</c>: pages in all, resident, shared and so on; zeros for kernel threads and for
/// the dead who wait for their parents.</remarks>
internal static class ProcPidStatm
{
    /// <summary>Parses the file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="residentPages">Memory that the process holds, pages.</param>
    /// <returns>False when the first two fields are not numbers, or nothing follows them; <paramref name="residentPages"/> is then 0.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out ulong residentPages)
    {
        residentPages = 0;
        if (!ProcText.TryNextNumber(ref text, out _) || !ProcText.TryNextNumber(ref text, out var pages) || text.IsEmpty)
        {
            return false;
        }

        residentPages = pages;
        return true;
    }
}
