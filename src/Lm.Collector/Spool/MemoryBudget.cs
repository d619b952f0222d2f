namespace Lm.Collector.Spool;

/// <summary>Bytes that requests may hold at a time, bodies and decompressed batches together.</summary>
/// <param name="bytesMax">How many, asked at each taking: a reload may change it. Lowered, nothing is taken back; takings fail until it holds.</param>
internal sealed class MemoryBudget(Func<long> bytesMax)
{
    private long taken;

    /// <summary>Bytes held now.</summary>
    public long Taken => Interlocked.Read(ref taken);

    /// <summary>Takes bytes.</summary>
    /// <returns>False when they are not free; nothing is taken then.</returns>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref taken, bytes) <= bytesMax())
        {
            return true;
        }

        Return(bytes);
        return false;
    }

    /// <summary>Gives bytes back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref taken, -bytes);
}
