namespace Lm.Agent;

/// <summary>Collects garbage every few ticks. Left alone, the first generation grows to the size of the CPU's cache, tens of MiB of memory
/// that nothing needs; a tick leaves some kilobytes, and one collection costs less than a millisecond.</summary>
internal sealed class HeapTrimmer
{
    private const int TicksPerCollection = 8;

    private int ticks;

    public void AfterTick()
    {
        if (++ticks % TicksPerCollection == 1)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
