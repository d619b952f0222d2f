using Lm.Journal;
using Lm.Platform;
using Lm.Protocol.RemoteWrite;

namespace Lm.Collector.Spool;

/// <summary>A remote-write request that is durable in the spool. Handed to every <see cref="IBatchConsumer"/> in commit order, live and at replay.</summary>
internal sealed class AcceptedWrite
{
    /// <summary>Where its record stands.</summary>
    public required JournalPosition Position { get; init; }

    /// <summary>The collector's clock when it came.</summary>
    public required UnixMillis ReceivedAt { get; init; }

    /// <summary>Whom the token belongs to.</summary>
    public required string Sender { get; init; }

    /// <summary>Its series, samples and descriptions.</summary>
    public required DecodedWrite Write { get; init; }

    /// <summary>Which of them are left out: decided once, at admission; a consumer applies it and never judges again.</summary>
    public required WriteVerdict Verdict { get; init; }
}
