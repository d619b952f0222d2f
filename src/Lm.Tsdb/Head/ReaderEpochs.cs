namespace Lm.Tsdb.Head;

/// <summary>Says when nobody can hold any more what was hidden: readers enter the current epoch, and what was hidden in one is free two epochs later, when all who
/// were there have left. Under the head's gate.</summary>
internal sealed class ReaderEpochs
{
    private readonly int[] readers = new int[2]; // in even and in odd epochs

    /// <summary>The epoch now.</summary>
    public long Current { get; private set; } = 2;

    /// <summary>A reader comes.</summary>
    /// <returns>What it leaves with.</returns>
    public long Enter()
    {
        readers[Current & 1]++;
        return Current;
    }

    /// <summary>It leaves.</summary>
    public void Leave(long epoch) => readers[epoch & 1]--;

    /// <summary>Begins the next epoch when nobody is left in the one before.</summary>
    public void TryAdvance()
    {
        if (readers[(Current - 1) & 1] == 0)
        {
            Current++;
        }
    }
}
