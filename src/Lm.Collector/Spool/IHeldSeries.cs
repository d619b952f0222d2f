using Lm.Protocol;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>What there is already of the series that requests bring. Safe for concurrent use.</summary>
internal interface IHeldSeries
{
    /// <summary>How many series there are.</summary>
    int Count { get; }

    /// <summary>Finds what a batch would add; nothing is added by it.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="into">Takes the places in the batch whose series are new, ascending.</param>
    void FindNew(DecodedBatch batch, List<NewSeries> into);

    /// <summary>Finds what a remote-write request would add; nothing is added by it.</summary>
    /// <param name="write">The request.</param>
    /// <param name="into">Takes the places in the request whose series are new, ascending.</param>
    void FindNew(DecodedWrite write, List<NewSeries> into);
}

/// <summary>A place in a batch or request that would add series.</summary>
/// <param name="Index">Which.</param>
/// <param name="Count">How many; a histogram has one for each bucket.</param>
internal readonly record struct NewSeries(int Index, int Count);
