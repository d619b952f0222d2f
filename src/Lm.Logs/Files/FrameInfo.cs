namespace Lm.Logs.Files;

/// <summary>One frame of a log file.</summary>
internal sealed record FrameInfo
{
    /// <summary>The most that a frame may hold: what a reader allocates for one. One line may be as long as a batch.</summary>
    public const int RawSizeMax = 512 << 20;

    /// <summary>Where it begins.</summary>
    public required long Offset { get; init; }

    /// <summary>Its bytes.</summary>
    public required int Size { get; init; }

    /// <summary>Its bytes after decompression.</summary>
    public required int RawSize { get; init; }

    /// <summary>Its lines.</summary>
    public required int Lines { get; init; }

    /// <summary>The time of the oldest line.</summary>
    public required long MinTime { get; init; }

    /// <summary>The time of the newest line.</summary>
    public required long MaxTime { get; init; }

    /// <summary>CRC-32C of its bytes.</summary>
    public required uint Checksum { get; init; }

    /// <summary>Numbers of the streams of its lines in the file's index, ascending.</summary>
    public required int[] Streams { get; init; }
}
