namespace Lm.Collector.Spool;

/// <summary>Takes what became durable.</summary>
internal interface IBatchConsumer
{
    /// <summary>Takes one batch. Called by one thread at a time, in commit order; the batch and everything it views are only valid
    /// during the call. It may not throw for anything that a batch can contain.</summary>
    void Apply(AcceptedBatch batch);
}
