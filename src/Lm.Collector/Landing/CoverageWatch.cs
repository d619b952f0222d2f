using Lm.Journal;
using Lm.Platform;

namespace Lm.Collector.Landing;

/// <summary>Finds out up to where everything that the spool brought is in blocks and log files that the store has, verified: what raw objects are not needed for any more, a day later (K13, L29).</summary>
/// <remarks>
/// It notes how far head and log store are, and waits until every window and every open file of that moment has become a block or a sealed file, and all of these have landed. A window lives for hours,
/// so a place counts some hours after it came; one is watched at a time.
/// Where something here is found damaged, what it held may be in raw objects alone: those of the records that did not count by then stay (<see cref="LandingState.Kept"/>).
/// One caller at a time.
/// </remarks>
/// <param name="local">What this machine has.</param>
/// <param name="state">Keeps what was found.</param>
/// <param name="allLanded">Whether every block and every sealed file is in the store.</param>
/// <param name="spoolEnd">Where the spool ends now.</param>
/// <param name="dated">The time by which what stays for a while from now on is dated.</param>
internal sealed class CoverageWatch(LocalStores local, LandingState state, Func<bool> allLanded, Func<JournalPosition> spoolEnd, Func<UnixMillis> dated)
{
    private CoverageMark? watched;
    private int otherDamage;

    /// <summary>One look.</summary>
    public void Look()
    {
        if (IsNewDamage())
        {
            state.Keep(new KeptRange(state.Covered, spoolEnd(), IsHole: false));
            watched = null;
        }

        if (watched is not { } mark)
        {
            watched = local.Mark() is { } now && now.UpTo > state.Covered ? now : null;
        }
        else if (local.IsInFiles(mark) && allLanded())
        {
            state.AddCovered(mark.UpTo, dated());
            watched = null;
        }
    }

    private bool IsNewDamage()
    {
        var (head, other) = (local.HeadDamage(), local.OtherDamage());
        var isNew = (head != state.HeadDamage && head > 0) || other > otherDamage;
        state.HeadDamage = head;
        otherDamage = other;
        return isNew;
    }
}
