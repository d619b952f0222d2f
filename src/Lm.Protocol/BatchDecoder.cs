namespace Lm.Protocol;

/// <summary>Reads <c>lightmetrics.v1.Batch</c>.</summary>
public static class BatchDecoder
{
    /// <summary>Reads a payload into <paramref name="batch"/>, which is a view of it afterwards. Counts are checked before anything is
    /// allocated for them; time is linear in the payload.</summary>
    /// <param name="payload">The decompressed bytes; must stay unchanged while the batch is used.</param>
    /// <param name="limits">What one batch may have.</param>
    /// <param name="batch">Filled when the status is <see cref="DecodeStatus.Ok"/>.</param>
    /// <param name="fault">Else: what is wrong, naming the record and its place, and what is allowed.</param>
    public static DecodeStatus Decode(ReadOnlyMemory<byte> payload, Limits limits, DecodedBatch batch, out string fault) => throw new NotImplementedException();
}

/// <summary>How reading a batch ended.</summary>
public enum DecodeStatus
{
    /// <summary>It is a valid batch.</summary>
    Ok = 0,

    /// <summary>The bytes are not a batch (<c>malformed_batch</c>).</summary>
    Malformed,

    /// <summary>It has more series, samples, logs or alerts than allowed (<c>limit_exceeded</c>).</summary>
    LimitExceeded,

    /// <summary>A histogram or counter with delta temporality (<c>unsupported_temporality</c>).</summary>
    UnsupportedTemporality,
}
