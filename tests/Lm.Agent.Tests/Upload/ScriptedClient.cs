using Lm.Agent.Upload;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Upload;

/// <summary>A collector that answers as the test says, and takes everything otherwise.</summary>
internal sealed class ScriptedClient : IUploadClient
{
    private readonly HashSet<(QueueId, ulong)> taken = [];

    /// <summary>Answers a request instead of taking it; null to take it.</summary>
    public Func<UploadRequest, UploadAnswer?> Answer { get; set; } = _ => null;

    /// <summary>Answers for one frame of a 200; null to take it.</summary>
    public Func<ulong, FrameAck?> AnswerFrame { get; set; } = _ => null;

    public Limits Limits { get; set; } = new();

    /// <summary>The sequences of each request.</summary>
    public List<ulong[]> Requests { get; } = [];

    public List<UploadRequest> Sent { get; } = [];

    public bool IsDisposed { get; private set; }

    public static UploadAnswer Refuse(int status, string code, TimeSpan? retryAfter = null) =>
        new UploadAnswer.Refused(status, code, "because", retryAfter);

    public Task<UploadAnswer> SendAsync(UploadRequest request, CancellationToken cancellationToken)
    {
        Requests.Add([.. request.Batches.Select(batch => batch.Number.Sequence)]);
        Sent.Add(request);
        return Task.FromResult(Answer(request) ?? Take(request));
    }

    public void Dispose() => IsDisposed = true;

    private UploadAnswer.Acknowledged Take(UploadRequest request) => new(new IngestAck(
        [.. request.Batches.Select(batch => AnswerFrame(batch.Number.Sequence) ?? AckOf(request, batch.Number.Sequence))], new UnixMillis(0), Limits));

    private FrameAck AckOf(UploadRequest request, ulong sequence) => new(
        new SequenceRange(sequence, sequence), taken.Add((request.Status.QueueId, sequence)) ? FrameOutcome.Accepted : FrameOutcome.Duplicate, 200, "", "", 0, 0);
}
