namespace Lm.Tsdb.Head;

/// <summary>The content of a range that takes no more samples, for a block. Used by one thread at a time; any thread.</summary>
public sealed class FrozenRange
{
    private FrozenRange(HeadRange range) => Range = range;

    /// <summary>Which range.</summary>
    public HeadRange Range { get; }

    /// <summary>How many samples at most: some may be in blocks already.</summary>
    public long Samples => throw new NotImplementedException();

    /// <summary>Writes each series with its chunks, in the order of labels by UTF-8 bytes; chunks ascend and do not overlap.</summary>
    /// <param name="existing">What blocks hold of the range; null for nothing. Samples for times that it has are left out (V20, K18).</param>
    /// <param name="write">Takes a series and its chunks; both are valid during the call. Not called for a series without samples.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <returns>How many samples were written.</returns>
    /// <exception cref="InvalidDataException">A chunk of the head's files is damaged: the message says which.</exception>
    public long WriteTo(ISeriesReader? existing, Action<LabelSet, IReadOnlyList<FrozenChunk>> write, CancellationToken cancellationToken) =>
        throw new NotImplementedException();
}

/// <summary>A sealed chunk.</summary>
/// <param name="FirstTime">Its first sample's time.</param>
/// <param name="LastTime">Its last sample's time.</param>
/// <param name="Count">How many samples.</param>
/// <param name="Bytes">As Prometheus' XOR chunks have them.</param>
public readonly record struct FrozenChunk(long FirstTime, long LastTime, int Count, ReadOnlyMemory<byte> Bytes);
