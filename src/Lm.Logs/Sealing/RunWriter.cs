using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Sealing;

/// <summary>Writes lines that are in order to a scratch file, in frames so small that one of each of many runs fits memory.</summary>
/// <remarks>Nothing of it is synced: it does not outlive the sealing.</remarks>
/// <param name="file">The file.</param>
internal sealed class RunWriter(IFileHandle file) : IDisposable
{
    /// <summary>Bytes of lines of a frame.</summary>
    public const int RawSizeTarget = 64 << 10;

    private readonly FrameMaker maker = new(1, default);
    private readonly ByteBuffer raw = new();
    private List<FrameInfo> frames = [];
    private long length;
    private int lines;
    private long minTime;
    private long maxTime;

    /// <summary>Adds a line, not before any that was added to this run.</summary>
    public void Add(RunCursor line)
    {
        raw.Add(line.Stored);
        minTime = lines == 0 ? line.Key.Time : minTime;
        maxTime = line.Key.Time;
        lines++;
        if (raw.Length >= RawSizeTarget)
        {
            CloseFrame();
        }
    }

    /// <summary>Ends the run; what is added next begins another.</summary>
    /// <returns>Null when it has no line.</returns>
    public SortedRun? Complete()
    {
        if (lines > 0)
        {
            CloseFrame();
        }

        var run = frames.Count == 0 ? null : new SortedRun(file, frames, isScratch: true);
        frames = [];
        return run;
    }

    /// <inheritdoc/>
    public void Dispose() => maker.Dispose();

    private void CloseFrame()
    {
        var frame = maker.Make(raw.Written);
        file.Write(length, frame);
        frames.Add(new FrameInfo
        {
            Offset = length,
            Size = frame.Length,
            RawSize = raw.Length,
            Lines = lines,
            MinTime = minTime,
            MaxTime = maxTime,
            Checksum = Crc32C.Compute(frame),
            Streams = [],
        });
        length += frame.Length;
        lines = 0;
        raw.Release(2 * RawSizeTarget);
        maker.Trim();
    }
}
