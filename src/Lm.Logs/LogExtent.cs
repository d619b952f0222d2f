namespace Lm.Logs;

/// <summary>How much is stored of some streams in a time range; whole frames count, also where a part of them lies outside.</summary>
/// <param name="Frames">Frames.</param>
/// <param name="Lines">Lines in them.</param>
/// <param name="Bytes">Bytes of the lines as they are stored, decompressed.</param>
public readonly record struct LogExtent(long Frames, long Lines, long Bytes)
{
    /// <summary>Both together.</summary>
    public static LogExtent operator +(LogExtent left, LogExtent right) =>
        new(left.Frames + right.Frames, left.Lines + right.Lines, left.Bytes + right.Bytes);

    /// <summary>Both together.</summary>
    public static LogExtent Add(LogExtent left, LogExtent right) => left + right;
}
