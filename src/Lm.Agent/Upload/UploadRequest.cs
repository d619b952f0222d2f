using Lm.Agent.Queue;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Upload;

/// <summary>One request: whole frames and what their headers say.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Batches">The batches, ascending, at least one.</param>
/// <param name="Status">The queue as it is now.</param>
/// <param name="SentAt">Now.</param>
internal sealed record UploadRequest(string AgentId, IReadOnlyList<QueuedBatch> Batches, QueueStatus Status, UnixMillis SentAt)
{
    /// <summary>The lowest and highest sequence.</summary>
    public SequenceRange Sequences => new(Batches.Min(batch => batch.Number.Sequence), Batches.Max(batch => batch.Number.Sequence));

    /// <summary>Bytes of all frames.</summary>
    public long BodyBytes => Batches.Sum(batch => (long)batch.Frame.Length);
}

/// <summary>Sends requests: over the network, or a test's script.</summary>
internal interface IUploadClient : IDisposable
{
    /// <summary>Sends one request and waits for the answer, bounded in time and size.</summary>
    Task<UploadAnswer> SendAsync(UploadRequest request, CancellationToken cancellationToken);
}

/// <summary>How one request ended.</summary>
internal abstract record UploadAnswer
{
    private UploadAnswer()
    {
    }

    /// <summary>The collector answered 200.</summary>
    /// <param name="Ack">An outcome for each frame.</param>
    public sealed record Acknowledged(IngestAck Ack) : UploadAnswer;

    /// <summary>The collector, or something in front of it, answered something else.</summary>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="Code">The stable code; empty for none.</param>
    /// <param name="Detail">For people; empty for none.</param>
    /// <param name="RetryAfter">What it asked for.</param>
    public sealed record Refused(int Status, string Code, string Detail, TimeSpan? RetryAfter) : UploadAnswer;

    /// <summary>There was no answer, or none that can be read.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="NeedsPerson">Whether a certificate is at fault, here or there: it is tried again all the same, but hardly mends itself.</param>
    public sealed record Failed(string Reason, bool NeedsPerson) : UploadAnswer;
}
