using System.Diagnostics;
using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Logs.Search;
using Lm.Logs.Store;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Sealing;

/// <summary>Makes a sealed file of an open one: all lines in order, each once, in frames of full size, compressed better.</summary>
/// <remarks>
/// Each frame of the open file is sorted in itself: where few overlap in time they are merged as they are. Where so many do that memory would not hold them, they
/// are first merged to longer runs in a scratch file, as often as it takes: n lines in no order cost n log n, whatever fits memory.
/// The sealed file appears by a rename; nothing is changed in it afterwards, here or in the bucket (L29). What was there before is untouched until then.
/// </remarks>
internal sealed class LogSealer
{
    private const int LinesPerLook = 1024; // at whether it is to stop

    private static readonly LogScan Everything = new() { From = 0, Until = long.MaxValue, Stream = static _ => true };

    private readonly IFileSystem files;
    private readonly SealJob job;
    private readonly string path;
    private readonly CancellationToken stopping;
    private readonly StreamTexts texts = new(static _ => true);
    private readonly List<IFileHandle> scratch = [];
    private long damaged;
    private int passes;

    private LogSealer(IFileSystem files, string path, SealJob job, CancellationToken stopping) =>
        (this.files, this.path, this.job, this.stopping) = (files, path, job, stopping);

    /// <summary>Seals a file.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="root">The folder of logs.</param>
    /// <param name="source">The open file; all of it is written.</param>
    /// <param name="job">What the sealed one is to be and say.</param>
    /// <param name="stopping">Ends it; nothing is half done then.</param>
    /// <param name="damaged">Frames that could not be read.</param>
    /// <returns>Null when the source has no line that can be read.</returns>
    /// <exception cref="IOException">It could not be written; nothing of it is left.</exception>
    public static StoredLogFile? Seal(IFileSystem files, string root, ISearchFile source, SealJob job, CancellationToken stopping, out long damaged)
    {
        var path = LogPaths.SealedPath(root, job.Window, job.Id);
        var opened = source.Open(Everything, [], out _) ?? throw new UnreachableException("an open file that waits to be sealed is there");
        var sealer = new LogSealer(files, path, job, stopping);
        try
        {
            Debug.Assert(opened.Frames.TrueForAll(static frame => frame.Stored is null && frame.Raw is null), "what a checkpoint covers is written");
            var made = opened.Frames.Count == 0 ? null : sealer.Run(opened);
            damaged = sealer.damaged;
            return made;
        }
        finally
        {
            sealer.DropScratch(0);
            opened.Release();
        }
    }

    private StoredLogFile? Run(FileInUse source)
    {
        files.CreateDirectory(Path.GetDirectoryName(path)!);
        List<SortedRun> runs =
            [.. source.Frames.OrderBy(static frame => frame.Info.MinTime).Select(frame => new SortedRun(source.Handle!, [frame.Info], isScratch: false))];
        while (SortedRun.PeakBytes(runs) > job.MemoryBytesMax && runs.Count > 1)
        {
            runs = Merge(runs);
        }

        using var writer = new SealedFileWriter(files, path, job.Level);
        var last = default(LogKey);
        var hasLast = false;
        Read(runs, line =>
        {
            ref readonly var key = ref line.Key;
            if (hasLast && key.CompareTo(last) == 0)
            {
                return; // it came twice
            }

            if (line.TryReadBody(out var body))
            {
                writer.Add(line, body);
                (last, hasLast) = (key, true);
            }
        });
        return writer.Finish(damaged == 0 ? job : job with { Covered = CommitPosition.Start }); // it lacks lines that it would claim to have
    }

    // Runs that are merged to as few as memory allows, at least to half as many: their lines then stand in a new scratch file.
    private List<SortedRun> Merge(List<SortedRun> runs)
    {
        using var writer = new RunWriter(CreateScratch());
        var merged = new List<SortedRun>();
        for (var from = 0; from < runs.Count;)
        {
            var (until, bytes) = (from, 0L);
            while (until < runs.Count && (until - from < 2 || bytes + runs[until].MemoryBytes <= job.MemoryBytesMax))
            {
                bytes += runs[until++].MemoryBytes;
            }

            Read([.. runs.Skip(from).Take(until - from)], writer.Add);
            if (writer.Complete() is { } run)
            {
                merged.Add(run);
            }

            from = until;
        }

        DropScratch(1);
        return [.. merged.OrderBy(static run => run.MinTime)];
    }

    private void Read(List<SortedRun> runs, Action<RunCursor> take)
    {
        var merge = new LineMerge(runs, texts, runs[0].IsScratch ? RunWriter.RawSizeTarget : FrameMaker.RawSizeTarget);
        for (var countdown = 0; merge.MoveNext(out var line); countdown--)
        {
            if (countdown == 0)
            {
                stopping.ThrowIfCancellationRequested();
                countdown = LinesPerLook;
            }

            take(line);
        }

        damaged += merge.Damaged;
    }

    private IFileHandle CreateScratch()
    {
        var name = $"{path}.{passes++}{LogPaths.TemporaryEnding}";
        files.Delete(name);
        var file = files.Create(name);
        scratch.Add(file);
        return file;
    }

    private void DropScratch(int kept)
    {
        while (scratch.Count > kept)
        {
            scratch[0].Dispose();
            LogPaths.DeleteLeftover(files, scratch[0].Path);
            scratch.RemoveAt(0);
        }
    }
}

/// <summary>What a sealed file is to be and say.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Window">Which lines it holds.</param>
/// <param name="Source">The number of the open file.</param>
/// <param name="Incarnation">The spool's id.</param>
/// <param name="Covered">Up to where the spool's records are in it and in those before it.</param>
/// <param name="Level">zstd's level.</param>
/// <param name="MemoryBytesMax">Bytes of frames in memory at a time, two at least.</param>
internal sealed record SealJob(Ulid Id, LogWindow Window, uint Source, Guid Incarnation, CommitPosition Covered, int Level, long MemoryBytesMax);
