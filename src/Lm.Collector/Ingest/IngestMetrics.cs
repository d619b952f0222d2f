using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>The counters of ingest.</summary>
internal sealed class IngestMetrics
{
    /// <summary>Codes of answers that are no problem codes of the wire.</summary>
    public const string NotFound = "not_found";

    /// <summary>The request as HTTP is broken.</summary>
    public const string BadRequest = "bad_request";

    private static readonly string[] Codes =
    [
        ProblemCode.MalformedFrame, ProblemCode.MalformedBatch, ProblemCode.LimitExceeded, ProblemCode.UnsupportedTemporality,
        ProblemCode.Unauthorized, ProblemCode.AgentMismatch, ProblemCode.SequenceFork, ProblemCode.SequenceOverlap,
        ProblemCode.BodyTooLarge, ProblemCode.UnsupportedMediaType, ProblemCode.FutureTimestamp, ProblemCode.TooManyGaps,
        ProblemCode.Rate, ProblemCode.SpoolFull, ProblemCode.ClockSuspect, ProblemCode.StoreUnreachable, ProblemCode.Draining,
        NotFound, BadRequest,
    ];

    public long Requests;
    public long BodyBytes;
    public long Accepted;
    public long Duplicates;
    public long Samples;
    public long LogRecords;
    public long AlertRecords;
    public long DroppedTooOld;
    public long DroppedOverLimit;
    public long ClockSuspect;
    public long Faults;

    private readonly long[] refused = new long[Codes.Length];

    /// <summary>Counts a refusal by its stable code.</summary>
    public void Refuse(string code)
    {
        var index = Array.IndexOf(Codes, code);
        Interlocked.Increment(ref refused[index < 0 ? Codes.Length - 1 : index]);
    }

    /// <summary>Refusals by code, in a fixed order.</summary>
    public IEnumerable<(string Code, long Count)> Refused => Codes.Select((code, index) => (code, Interlocked.Read(ref refused[index])));
}
