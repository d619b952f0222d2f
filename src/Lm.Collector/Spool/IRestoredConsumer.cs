namespace Lm.Collector.Spool;

/// <summary>Takes what an earlier life of the spool acknowledged and landed, beside what comes live: what it has already it recognises, so that the same may be given again.</summary>
/// <remarks>Any thread, one at a time. What is given, and everything that it views, is only valid during the call. Positions are those of the earlier life and say nothing about
/// this spool.</remarks>
internal interface IRestoredConsumer
{
    /// <summary>Takes one batch.</summary>
    /// <exception cref="IOException">Not all of it could be taken; it comes again.</exception>
    void Restore(AcceptedBatch batch);

    /// <summary>Takes one remote-write request; nothing, for who has no use for it.</summary>
    void Restore(AcceptedWrite write)
    {
    }

    /// <summary>Takes the collector's own <c>up</c> of one moment; nothing, for who has no use for it.</summary>
    void Restore(AcceptedUps ups)
    {
    }

    /// <summary>Makes durable what was restored; nothing, for who keeps it in the state file.</summary>
    /// <returns>False when it could not be: it counts as not restored.</returns>
    bool TrySettle() => true;
}
