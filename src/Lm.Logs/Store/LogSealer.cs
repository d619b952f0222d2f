using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Logs.Search;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Store;

/// <summary>Makes a sealed file of an open one: all lines in order, in frames of full size, compressed better.</summary>
/// <remarks>It appears by a rename, after it and its index are synced; nothing is changed in it afterwards, here or in the bucket (L29).</remarks>
internal sealed class LogSealer
{
    private readonly IFileSystem files;
    private readonly string root;
    private readonly FrameMaker maker;
    private readonly ByteBuffer raw = new();
    private readonly IndexBuilder index = new();
    private readonly SortedSet<int> streams = [];
    private IFileHandle? target;
    private LogStream? lastStream; // of the frame's last line
    private long length;
    private long rawBytes;
    private long bodyBytes;
    private long lines;
    private int frameLines;
    private long frameMinTime;
    private long minTime = long.MaxValue;
    private long maxTime = long.MinValue;

    private LogSealer(IFileSystem files, string root, FrameMaker maker) => (this.files, this.root, this.maker) = (files, root, maker);

    /// <summary>Seals a file.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="root">The folder of logs.</param>
    /// <param name="source">The open file.</param>
    /// <param name="job">What the sealed one is to be and say.</param>
    /// <param name="stopping">Ends it; nothing is half done then.</param>
    /// <param name="damaged">Frames that could not be read.</param>
    /// <returns>Null when the source has no line that can be read.</returns>
    /// <exception cref="IOException">It could not be written; nothing of it is left.</exception>
    public static StoredLogFile? Seal(IFileSystem files, string root, ISearchFile source, SealJob job, CancellationToken stopping, out long damaged)
    {
        using var maker = new FrameMaker(job.Level, FrameMaker.Lines);
        var sealer = new LogSealer(files, root, maker);
        var statistics = new LogScanStatistics();
        var path = LogPaths.SealedPath(root, job.Window, job.Id);
        try
        {
            sealer.Copy(source, path, job.HeldMax, statistics, stopping);
            damaged = statistics.FramesDamaged;
            return sealer.lines == 0 ? null : sealer.Finish(path, job);
        }
        finally
        {
            sealer.target?.Dispose();
            DeleteLeftover(files, path + LogPaths.TemporaryEnding);
        }
    }

    private void Copy(ISearchFile source, string path, long heldMax, LogScanStatistics statistics, CancellationToken stopping)
    {
        var scan = new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true };
        var search = new LogSearch<CopiedLine>([source], scan, static () => new CopyStage(), statistics, heldMax, stopping);
        foreach (var line in search.Run())
        {
            target ??= Create(path);
            Add(line);
            if (raw.Length >= FrameMaker.RawSizeTarget)
            {
                CloseFrame();
            }
        }

        CloseFrame();
    }

    private IFileHandle Create(string path)
    {
        files.CreateDirectory(Path.GetDirectoryName(path)!);
        files.Delete(path + LogPaths.TemporaryEnding);
        return files.Create(path + LogPaths.TemporaryEnding);
    }

    private void Add(in CopiedLine line)
    {
        raw.Add(line.Stored);
        raw.Add((byte)'\n');
        if (!ReferenceEquals(line.Stream, lastStream))
        {
            // Lines of a stream come in runs: to compare labels for each line would cost more than all else here.
            lastStream = line.Stream;
            streams.Add(index.NumberOf(line.Stream));
        }

        index.AddBody(line.Body);
        frameMinTime = frameLines == 0 ? line.Time : frameMinTime;
        maxTime = line.Time;
        frameLines++;
        bodyBytes += line.Body.Length;
    }

    private void CloseFrame()
    {
        if (frameLines == 0)
        {
            return;
        }

        var frame = maker.Make(raw.Written);
        target!.Write(length, frame);
        index.AddFrame(new FrameInfo
        {
            Offset = length,
            Size = frame.Length,
            RawSize = raw.Length,
            Lines = frameLines,
            MinTime = frameMinTime,
            MaxTime = maxTime,
            Checksum = Crc32C.Compute(frame),
            Streams = [.. streams],
        });
        minTime = Math.Min(minTime, frameMinTime);
        length += frame.Length;
        rawBytes += raw.Length;
        lines += frameLines;
        frameLines = 0;
        raw.Clear();
        streams.Clear();
        lastStream = null;
    }

    private StoredLogFile Finish(string path, SealJob job)
    {
        var footer = new LogFooter
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
        target!.Write(length, footer.ToBytes());
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
            DeleteLeftover(files, path);
            DeleteLeftover(files, indexPath);
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

    private static void DeleteLeftover(IFileSystem files, string path)
    {
        try
        {
            files.Delete(path);
        }
        catch (IOException)
        {
            // The next opening deletes it, or finds that another file has the same source.
        }
    }

    private readonly record struct CopiedLine(long Time, LogStream Stream, byte[] Chunk, int Start, int StoredLength, int BodyStart, int BodyLength)
    {
        public ReadOnlySpan<byte> Stored => Chunk.AsSpan(Start, StoredLength);

        public ReadOnlySpan<byte> Body => Chunk.AsSpan(BodyStart, BodyLength);
    }

    // Copies lines into chunks that live as long as one of their lines does.
    private sealed class CopyStage : ILineStage<CopiedLine>
    {
        private const int ChunkSize = 64 << 10;

        private byte[] chunk = [];
        private int used;

        public bool TryTake(in LogLine line, out CopiedLine taken)
        {
            // A body without escapes is a part of the line as it is stored; any other is copied beside it.
            var isPart = line.Stored.Overlaps(line.Body, out var bodyAt);
            var size = line.Stored.Length + (isPart ? 0 : line.Body.Length);
            if (chunk.Length - used < size)
            {
                (chunk, used) = (new byte[Math.Max(size, ChunkSize)], 0);
            }

            var start = used;
            line.Stored.CopyTo(chunk.AsSpan(start));
            var bodyStart = start + bodyAt;
            if (!isPart)
            {
                bodyStart = start + line.Stored.Length;
                line.Body.CopyTo(chunk.AsSpan(bodyStart));
            }

            used += size;
            taken = new CopiedLine(line.Time, line.Stream, chunk, start, line.Stored.Length, bodyStart, line.Body.Length);
            return true;
        }

        public long SizeOf(CopiedLine taken) => taken.StoredLength + taken.BodyLength;
    }
}

/// <summary>What a sealed file is to be and say.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Window">Which lines it holds.</param>
/// <param name="Source">The number of the open file.</param>
/// <param name="Incarnation">The spool's id.</param>
/// <param name="Covered">Up to where the spool's records are in it and in those before it.</param>
/// <param name="Level">zstd's level.</param>
/// <param name="HeldMax">Bytes of lines in memory at a time.</param>
internal sealed record SealJob(Ulid Id, LogWindow Window, uint Source, Guid Incarnation, CommitPosition Covered, int Level, long HeldMax);
