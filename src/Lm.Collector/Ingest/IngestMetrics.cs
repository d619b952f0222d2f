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
        ProblemCode.MalformedWrite, ProblemCode.InvalidLabels, ProblemCode.ReservedJob, ProblemCode.TooOld, ProblemCode.UnsupportedHistogram,
        ProblemCode.RemoteWriteNotAllowed,
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
    public long WriteRequests;
    public long WriteSamples;
    public long WriteExemplars;
    public long ClockSuspect;
    public long Faults;

    private static readonly (WriteDrop Drop, string Reason)[] WriteDrops =
    [
        (WriteDrop.TooOld, "too_old"), (WriteDrop.TooFarAhead, "too_far_ahead"), (WriteDrop.OverLimit, "over_limit"),
        (WriteDrop.InvalidLabels, "invalid_labels"), (WriteDrop.ReservedJob, "reserved_job"), (WriteDrop.Histogram, "histogram"),
        (WriteDrop.SeriesBound, "series_bound"),
    ];

    private readonly long[] refused = new long[Codes.Length];
    private readonly long[] writeDropped = new long[WriteDrops.Length];

    /// <summary>Counts samples of remote write that are left out.</summary>
    public void DropWritten(WriteDrop drop, int samples) => Interlocked.Add(ref writeDropped[(int)drop], samples);

    /// <summary>Samples of remote write that were left out, by reason, in a fixed order.</summary>
    public IEnumerable<(string Reason, long Count)> WriteDropped => WriteDrops.Select(each => (each.Reason, Interlocked.Read(ref writeDropped[(int)each.Drop])));

    /// <summary>Counts a refusal by its stable code.</summary>
    public void Refuse(string code)
    {
        var index = Array.IndexOf(Codes, code);
        Interlocked.Increment(ref refused[index < 0 ? Codes.Length - 1 : index]);
    }

    /// <summary>Refusals by code, in a fixed order.</summary>
    public IEnumerable<(string Code, long Count)> Refused => Codes.Select((code, index) => (code, Interlocked.Read(ref refused[index])));
}
