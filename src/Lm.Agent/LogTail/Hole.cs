namespace Lm.Agent.LogTail;

/// <summary>What a truncated file of a writer that goes on at its old offset begins with: a hole, read as zeros, which is no line's.</summary>
internal struct Hole
{
    private const int BytesMin = 512; // fewer are somebody's data

    private bool isInside;

    /// <summary>What follows a hole at a line's start; everything where there is none. A hole that fills what was read goes on in what is read next.</summary>
    public ReadOnlySpan<byte> Behind(ReadOnlySpan<byte> bytes)
    {
        if (ZerosAt(bytes) is > 0 and var run)
        {
            isInside |= run >= BytesMin;
            bytes = isInside ? bytes[run..] : bytes;
        }

        isInside &= bytes.IsEmpty;
        return bytes;
    }

    /// <summary>Whether a hole begins here, for all that can be seen of it.</summary>
    public static bool MayBegin(ReadOnlySpan<byte> bytes) => ZerosAt(bytes) is > 0 and var run && (run >= BytesMin || run == bytes.Length);

    private static int ZerosAt(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty || start[0] != 0)
        {
            return 0;
        }

        var run = start.IndexOfAnyExcept((byte)0);
        return run < 0 ? start.Length : run;
    }
}
