using Lm.Journal;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Collector.Spool;

/// <summary>A batch that is durable in the spool. Handed to every <see cref="IBatchConsumer"/> in commit order, live and at replay.</summary>
internal sealed class AcceptedBatch
{
    /// <summary>Where its record stands; with the spool's incarnation this is its LSN.</summary>
    public required JournalPosition Position { get; init; }

    /// <summary>The collector's clock when it came.</summary>
    public required UnixMillis ReceivedAt { get; init; }

    /// <summary>Its records.</summary>
    public required DecodedBatch Batch { get; init; }

    /// <summary>Which of its records are left out: decided once, at admission; a consumer applies it and never judges again.</summary>
    public required BatchVerdict Verdict { get; init; }

    /// <summary>Whether it was read back from the spool at start.</summary>
    public required bool IsReplay { get; init; }

    /// <summary>Bytes of its frame, header included.</summary>
    public required int FrameBytes { get; init; }
}
