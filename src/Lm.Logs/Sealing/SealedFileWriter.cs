using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Logs.Store;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Sealing;

/// <summary>Writes a sealed file: lines in order, footer, index. It appears by a rename, after it and its index are synced.</summary>
/// <param name="files">The file system.</param>
/// <param name="path">Where it is to lie.</param>
/// <param name="level">zstd's level.</param>
internal sealed class SealedFileWriter(IFileSystem files, string path, int level) : IDisposable
{
    private const int NumbersMax = 16_384;

    private readonly FrameMaker maker = new(level, FrameMaker.Lines);
    private readonly ByteBuffer raw = new();
    private readonly IndexBuilder index = new();
    private readonly Dictionary<StreamText, int> numbers = new(ReferenceEqualityComparer.Instance); // to compare labels for each line would cost more than all else here
    private readonly HashSet<int> streams = []; // of the frame
    private IFileHandle? target;
    private StreamText? lastText;
    private long length;
    private long rawBytes;
    private long bodyBytes;
    private long lines;
    private int frameLines;
    private long frameMinTime;
    private long minTime = long.MaxValue;
    private long maxTime = long.MinValue;

    /// <summary>Adds a line behind all others.</summary>
    /// <param name="line">The line.</param>
    /// <param name="body">Its body as it came.</param>
    /// <exception cref="IOException">It could not be written.</exception>
    public void Add(RunCursor line, ReadOnlySpan<byte> body)
    {
        raw.Add(line.Stored);
        if (!ReferenceEquals(line.Text, lastText))
        {
            lastText = line.Text;
            streams.Add(NumberOf(line.Text));
        }

        index.AddBody(body);
        frameMinTime = frameLines == 0 ? line.Key.Time : frameMinTime;
        maxTime = line.Key.Time;
        frameLines++;
        bodyBytes += body.Length;
        if (raw.Length >= FrameMaker.SealedSizeTarget)
        {
            CloseFrame();
        }
    }

    /// <summary>Makes durable what was added.</summary>
    /// <returns>Null when nothing was.</returns>
    /// <exception cref="IOException">It could not be; nothing of it is left.</exception>
    public StoredLogFile? Finish(SealJob job)
    {
        CloseFrame();
        if (lines == 0)
        {
            return null;
        }

        target!.Write(length, FooterOf(job).ToBytes());
        target.Sync();
        length += LogFooter.Size;
        index.Complete(length);
        var indexPath = OpenFile.IndexPathOf(path);
        try
        {
            AtomicFile.Write(files, indexPath, index.Bytes.Written);
            files.Rename(path + LogPaths.TemporaryEnding, path);
            files.SyncDirectory(Path.GetDirectoryName(path)!);
        }
        catch (IOException)
        {
            // Its lines are still in the open file, which will be sealed again under another name: this one must not be there as well.
            LogPaths.DeleteLeftover(files, path);
            LogPaths.DeleteLeftover(files, indexPath);
            throw;
        }

        return new StoredLogFile
        {
            Id = job.Id,
            Window = job.Window,
            Path = path,
            IndexPath = indexPath,
            FileBytes = length,
            IndexBytes = index.Bytes.Length,
            Lines = lines,
            BodyBytes = bodyBytes,
            MinTime = minTime,
            MaxTime = maxTime,
            Source = job.Source,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        maker.Dispose();
        if (target is not null)
        {
            target.Dispose();
            LogPaths.DeleteLeftover(files, path + LogPaths.TemporaryEnding);
        }
    }

    private LogFooter FooterOf(SealJob job) => new()
    {
        Incarnation = job.Incarnation,
        Window = job.Window,
        Source = job.Source,
        Covered = job.Covered,
        Frames = index.Index.Frames.Count,
        Lines = lines,
        RawBytes = rawBytes,
        BodyBytes = bodyBytes,
        MinTime = minTime,
        MaxTime = maxTime,
    };

    private int NumberOf(StreamText text)
    {
        if (!numbers.TryGetValue(text, out var number))
        {
            if (numbers.Count >= NumbersMax)
            {
                numbers.Clear();
            }

            number = index.NumberOf(text.Stream);
            numbers.Add(text, number);
        }

        return number;
    }

    private void CloseFrame()
    {
        if (frameLines == 0)
        {
            return;
        }

        target ??= Create();
        var frame = maker.Make(raw.Written);
        target.Write(length, frame);
        index.AddFrame(new FrameInfo
        {
            Offset = length,
            Size = frame.Length,
            RawSize = raw.Length,
            Lines = frameLines,
            MinTime = frameMinTime,
            MaxTime = maxTime,
            Checksum = Crc32C.Compute(frame),
            Streams = [.. streams.Order()],
        });
        minTime = Math.Min(minTime, frameMinTime);
        length += frame.Length;
        rawBytes += raw.Length;
        lines += frameLines;
        frameLines = 0;
        raw.Release(2 * FrameMaker.SealedSizeTarget);
        maker.Trim();
        streams.Clear();
        lastText = null;
    }

    private IFileHandle Create()
    {
        files.Delete(path + LogPaths.TemporaryEnding);
        return files.Create(path + LogPaths.TemporaryEnding);
    }
}
