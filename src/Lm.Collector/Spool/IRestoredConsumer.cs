using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>Takes what an earlier life of the spool acknowledged and landed, beside what comes live: what it has already it recognises, so that the same may be given again.</summary>
/// <remarks>Any thread, one at a time. What is given, and everything that it views, is only valid during the call. Positions are those of the earlier life and say nothing about
/// this spool.</remarks>
internal interface IRestoredConsumer
{
    /// <summary>Takes one batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="stored">What of it need not be stored.</param>
    /// <exception cref="IOException">Not all of it could be taken; it comes again.</exception>
    void Restore(AcceptedBatch batch, IStoredWindows stored);

    /// <summary>Takes one remote-write request; nothing, for who has no use for it.</summary>
    void Restore(AcceptedWrite write, IStoredWindows stored)
    {
    }

    /// <summary>Takes the collector's own <c>up</c> of one moment; nothing, for who has no use for it.</summary>
    void Restore(AcceptedUps ups, IStoredWindows stored)
    {
    }

    /// <summary>Makes durable what was restored; nothing, for who keeps it in the state file.</summary>
    /// <returns>False when it could not be: it counts as not restored.</returns>
    bool TrySettle() => true;
}

/// <summary>What of the record that is restored is in blocks and log files of the object store.</summary>
internal interface IStoredWindows
{
    /// <summary>Whether all samples of the record are there, where they are of times from one to the other, both included.</summary>
    bool HasSamples(long from, long until);

    /// <summary>Whether a line of the record is there.</summary>
    /// <param name="time">The line's time.</param>
    /// <param name="receivedAt">When its batch came.</param>
    bool HasLine(long time, UnixMillis receivedAt);
}
