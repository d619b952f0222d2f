namespace Lm.Agent.Queue;

/// <summary>What the queue had to give up since its directory was made, and how much of that an alert record told already.</summary>
/// <remarks>Totals, so that reading one twice changes nothing.</remarks>
internal readonly record struct QueueCounters
{
    /// <summary>Batches that went with the oldest segment because the queue was full.</summary>
    public ulong Dropped { get; init; }

    /// <summary>Batches that could not be appended, for example because the disk was full.</summary>
    public ulong Lost { get; init; }

    /// <summary>Batches that the collector refused for good.</summary>
    public ulong Rejected { get; init; }

    /// <summary>How many of <see cref="Rejected"/> are not in <c>rejected/</c> any more, because newer ones needed the room.</summary>
    public ulong RejectedDeleted { get; init; }

    /// <summary>How many of <see cref="Dropped"/> were reported.</summary>
    public ulong DroppedReported { get; init; }

    /// <summary>How many of <see cref="Lost"/> were reported.</summary>
    public ulong LostReported { get; init; }

    /// <summary>How many of <see cref="Rejected"/> were reported.</summary>
    public ulong RejectedReported { get; init; }

    /// <summary>How many of <see cref="RejectedDeleted"/> were reported.</summary>
    public ulong RejectedDeletedReported { get; init; }

    /// <summary>These totals after alert records told of others.</summary>
    /// <param name="told">What the alert records say; a total that they say nothing of is 0.</param>
    public QueueCounters WithReported(QueueCounters told) => this with
    {
        DroppedReported = Math.Max(DroppedReported, told.DroppedReported),
        LostReported = Math.Max(LostReported, told.LostReported),
        RejectedReported = Math.Max(RejectedReported, told.RejectedReported),
        RejectedDeletedReported = Math.Max(RejectedDeletedReported, told.RejectedDeletedReported),
    };
}
