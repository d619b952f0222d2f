namespace Lm.Tsdb.Head;

/// <summary>A series in a window: where its chunks are, and the state of the encoder of its open one. 48 bytes.</summary>
/// <remarks>Times are milliseconds from the window's start: a window has a day at most.</remarks>
internal struct Slot
{
    /// <summary>Bits of the newest value in order.</summary>
    public ulong LastValue;

    /// <summary>Which series.</summary>
    public int Series;

    /// <summary>The newest time in order; -1 when there is none. It stays when the open chunk is sealed.</summary>
    public int LastTime;

    /// <summary>The difference between the last two times of the open chunk.</summary>
    public int LastDelta;

    /// <summary>The last segment of the open chunk's bytes in the window's arena; meaningless while <see cref="Count"/> is 0.</summary>
    public int Chunk;

    /// <summary>The newest sealed chunk in order, by its place in the log; 0 for none. Each names the one before.</summary>
    public uint Sealed;

    /// <summary>The newest sealed chunk of late samples; 0 for none.</summary>
    public uint SealedLate;

    /// <summary>Number of the buffer of late samples; -1 for none.</summary>
    public int Late;

    /// <summary>Bits of the open chunk.</summary>
    public ushort Bits;

    /// <summary>Samples in it.</summary>
    public byte Count;

    /// <summary>The encoder's leading zeros.</summary>
    public byte Leading;

    /// <summary>The encoder's trailing zeros.</summary>
    public byte Trailing;

    /// <summary>Bytes of the open chunk.</summary>
    public readonly int OpenBytes => (Bits + 7) >> 3;
}
