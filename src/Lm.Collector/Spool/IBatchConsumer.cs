namespace Lm.Collector.Spool;

/// <summary>Takes what became durable.</summary>
/// <remarks>One thread at a time calls, in commit order; what is given, and everything that it views, is only valid during the call. No method
/// may throw for anything that a sender can make it contain.</remarks>
internal interface IBatchConsumer
{
    /// <summary>Takes one batch.</summary>
    void Apply(AcceptedBatch batch);

    /// <summary>Takes one remote-write request; nothing, for who has no use for it.</summary>
    void Apply(AcceptedWrite write)
    {
    }

    /// <summary>Takes the collector's own <c>up</c> of one moment; nothing, for who has no use for it.</summary>
    void Apply(AcceptedUps ups)
    {
    }
}
