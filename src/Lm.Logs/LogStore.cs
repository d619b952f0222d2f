using System.Diagnostics;
using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Logs.Sealing;
using Lm.Logs.Search;
using Lm.Logs.Store;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs;

/// <summary>Open and sealed files as one.</summary>
/// <remarks>
/// Invariants:
/// a line is found from the moment it is added;
/// what a checkpoint covers is in synced files that the manifest, or their own footer, vouches for; the rest comes from the spool after a restart;
/// an open file leaves when the sealed one that has its lines is durable; until the manifest says so, the sealed one's footer tells that they are the same;
/// a line that is in two files all the same (a replay that went further back than it had to) is found once.
/// One thread at a time adds lines and makes checkpoints, another seals; any may search.
/// Docs: docs/formats/log.md.
/// </remarks>
public sealed partial class LogStore : ILogReader, IDisposable
{
    private readonly Lock gate = new(); // guards all below but what says otherwise; held for no sync
    private readonly Lock keeping = new(); // held by who replaces the manifest, and taken before gate; guards manifest
    private readonly IFileSystem files;
    private readonly LogStoreOptions options;
    private readonly UlidSource ids;
    private readonly IndexCache indexes;
    private readonly IndexCache? indexesElsewhere;
    private readonly FrameMaker maker = new(OpenLevel, default);
    private readonly ByteBuffer sorted = new();
    private readonly Dictionary<LogWindow, OpenFile> open = [];
    private readonly List<OpenFile> frozen = []; // oldest first
    private readonly HashSet<uint> durable = []; // numbers of frozen files that the manifest has in full
    private LogManifest manifest;
    private IReadOnlyList<StoredLogFile> closed; // swapped whole
    private OpenFile? last;
    private uint nextNumber;
    private long writes;
    private bool isFailing;
    private string? sealingFolder; // where a file is being sealed to: it is not deleted for being empty

    // Fast enough not to count: the better compression comes at sealing.
    private const int OpenLevel = 1;

    /// <summary>Up to where the spool's records are in the files.</summary>
    public CommitPosition Covered
    {
        get
        {
            lock (keeping)
            {
                return manifest.Covered;
            }
        }
    }

    /// <summary>The sealed files.</summary>
    public IReadOnlyList<StoredLogFile> Files => Volatile.Read(ref closed);

    /// <summary>Whether lines came that no checkpoint covers.</summary>
    public bool IsDirty { get; private set; }

    private string OpenFolder => Path.Combine(options.Directory, LogPaths.OpenFolder);

    private string ManifestPath => Path.Combine(options.Directory, LogManifest.FileName);

    /// <summary>Asks for room, once before the lines of a batch: one that was taken in part would come again whole, and stand in two files.</summary>
    /// <exception cref="IOException">The disk takes nothing and memory is full, or what waits to be sealed fills its own bound. The batch must come again from the
    /// spool.</exception>
    public void EnsureRoom()
    {
        lock (gate)
        {
            if (isFailing && memoryBytes > options.MemoryBytesMax)
            {
                throw new IOException($"log lines wait in memory for a disk that takes nothing, and {options.MemoryBytesMax} bytes of them are the most");
            }

            if (waitingBytes > options.WaitingBytesMax)
            {
                throw new IOException($"the streams of {frozen.Count} log files that wait to be sealed take {waitingBytes} bytes of memory, and {options.WaitingBytesMax} are the most");
            }
        }
    }

    /// <summary>Adds a line of a batch for which there was room (<see cref="EnsureRoom"/>).</summary>
    /// <param name="entry">The line.</param>
    /// <param name="receivedAt">When its batch came.</param>
    public void Append(in IncomingLine entry, UnixMillis receivedAt)
    {
        lock (gate)
        {
            if (entry.Time is < 0 or > LineTime.Max)
            {
                outOfBounds++;
                return;
            }

            var window = LogWindow.Of(entry.Time, receivedAt.Value);
            var file = last is not null && last.Window == window ? last : FileOf(window, receivedAt.Value);
            file.Append(entry);
            file.LastWritten = ++writes;
            IsDirty = true;
            linesAdded++;
            linesLate += window.IsLate ? 1 : 0;
            bodyBytesAdded += entry.Body.Length;
            if (file.IsFrameDue)
            {
                CloseFrame(file);
            }
        }
    }

    /// <summary>Makes durable what was added.</summary>
    /// <param name="covered">All of the spool before it was added, or never will be.</param>
    /// <exception cref="IOException">It could not be. Nothing is lost: what was covered before is, and the next try begins afresh.</exception>
    public void Checkpoint(CommitPosition covered)
    {
        lock (keeping)
        {
            try
            {
                var (written, entries, moved) = WriteAll();
                foreach (var file in written)
                {
                    file.Sync();
                }

                files.SyncDirectory(OpenFolder);
                Publish(manifest with { Covered = covered, NextNumber = nextNumber, Open = entries });
                lock (gate)
                {
                    durable.UnionWith(entries.Where(static entry => entry.IsFrozen).Select(static entry => entry.Number));
                    (IsDirty, isFailing) = (false, false);
                }

                moved.ForEach(DeleteOpen);
            }
            catch (IOException)
            {
                Interlocked.Increment(ref failures);
                throw;
            }
        }
    }

    /// <summary>Tries again to write what could not be written, and declares complete what is over.</summary>
    /// <param name="now">What time it is.</param>
    public void Maintain(UnixMillis now)
    {
        lock (gate)
        {
            isFailing = false;
            foreach (var file in (OpenFile[])[.. open.Values])
            {
                var isOver = file.Window.IsLate
                    ? now - new UnixMillis(file.FirstReceived) >= options.LateAge
                    : now - new UnixMillis(file.Window.End) >= LogWindow.Grace;
                if (isOver)
                {
                    Freeze(file);
                }
                else
                {
                    TryWrite(file);
                }
            }

            frozen.ForEach(TryWrite);
            CountMemory();
        }
    }

    /// <summary>Seals one file that is complete and that a checkpoint covers, the oldest first.</summary>
    /// <param name="failed">Numbers of files that are passed over; one that cannot be sealed is added, so that it holds up nobody else.</param>
    /// <param name="stopping">Ends it; nothing is half done then.</param>
    /// <param name="sealedFile">What became of it; null when there was none, or none of its lines could be read.</param>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="IOException">It could not be sealed, and stays as it is.</exception>
    public bool SealNext(ISet<uint> failed, CancellationToken stopping, out StoredLogFile? sealedFile)
    {
        ArgumentNullException.ThrowIfNull(failed);
        sealedFile = null;
        OpenFile? source = null;
        OpenFileView? view = null;
        try
        {
            SealJob job;
            lock (keeping)
            {
                lock (gate)
                {
                    source = frozen.FirstOrDefault(file => durable.Contains(file.Number) && !failed.Contains(file.Number));
                    if (source is null)
                    {
                        return false;
                    }

                    view = source.View();
                    // What another file of the window has is not in this one: the last of them speaks for all.
                    var covered = AllOpen().Any(other => other != source && other.Window == source.Window) ? CommitPosition.Start : manifest.Covered;
                    job = new SealJob(ids.Next(), source.Window, source.Number, options.Incarnation, covered, options.SealLevel, options.SealBytesMax);
                    sealingFolder = Path.Combine(options.Directory, source.Window.Folder);
                }
            }

            sealedFile = LogSealer.Seal(files, options.Directory, view, job, stopping, out var damaged);
            Interlocked.Add(ref framesDamaged, damaged);
            if (sealedFile is null && damaged == 0 && source.Lines > 0)
            {
                throw new UnreachableException($"{source.Path} has {source.Lines} lines, and sealing found none");
            }

            Replace(source, sealedFile, damaged > 0);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException && source is not null)
        {
            failed.Add(source.Number);
            Interlocked.Increment(ref failures);
            throw;
        }
        finally
        {
            view?.Dispose();
            lock (gate)
            {
                sealingFolder = null;
            }
        }
    }

    /// <summary>Up to where the spool's records are in files, and the number of the open file that is made next.</summary>
    public (CommitPosition Covered, uint NextFile) Mark()
    {
        var covered = Covered; // first: what comes meanwhile makes the number greater, which only waits for more
        lock (gate)
        {
            return (covered, nextNumber);
        }
    }

    /// <summary>Whether a file is not sealed yet that was made before the one of a number. Numbers of this process alone.</summary>
    public bool HasOpenBefore(uint number)
    {
        lock (gate)
        {
            return AllOpen().Any(file => file.Birth < number);
        }
    }

    /// <summary>Files that were found damaged since start, some of whose lines may be missing.</summary>
    public int FilesDamaged => Volatile.Read(ref filesDamaged);

    /// <summary>Deletes sealed files. Searches that read them go on.</summary>
    /// <exception cref="IOException">They are out of the store, but not all deleted: the next start brings those back.</exception>
    public void Delete(IReadOnlyCollection<StoredLogFile> gone)
    {
        ArgumentNullException.ThrowIfNull(gone);
        lock (gate)
        {
            Volatile.Write(ref closed, [.. closed.Where(file => !gone.Contains(file))]);
        }

        foreach (var file in gone)
        {
            indexes.Forget(file.Id);
            var folder = Path.GetDirectoryName(file.Path)!;
            files.Delete(file.Path);
            files.Delete(file.IndexPath);
            files.SyncDirectory(folder);
            DeleteEmpty(folder);
        }
    }

    /// <inheritdoc/>
    public void EachStream(long from, long until, Action<LogStream> look, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(look);
        List<LogStream> found;
        lock (gate)
        {
            found = [.. AllOpen().SelectMany(file => file.StreamsIn(from, until))];
        }

        // Who looks takes its time: lines are added meanwhile.
        found.ForEach(look);
        EachIndex(from, until, index => index.StreamsIn(from, until).ForEach(look), cancellationToken);
    }

    /// <inheritdoc/>
    public LogExtent Measure(long from, long until, Func<LogStream, bool> stream, CancellationToken cancellationToken)
    {
        var extent = default(LogExtent);
        lock (gate)
        {
            foreach (var file in AllOpen())
            {
                extent += file.Measure(from, until, stream);
            }
        }

        EachIndex(from, until, index => extent += index.Measure(from, until, stream), cancellationToken);
        return extent;
    }

    /// <inheritdoc/>
    public IEnumerable<T> Read<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(scan);
        ArgumentNullException.ThrowIfNull(stages);
        ArgumentNullException.ThrowIfNull(statistics);
        return Search(scan, stages, statistics, cancellationToken);
    }

    /// <summary>Closes the files; what no checkpoint covers comes from the spool at the next start.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var file in AllOpen())
            {
                file.Dispose();
            }

            open.Clear();
            frozen.Clear();
            last = null;
            maker.Dispose();
        }
    }

    // Those of sealed files that may have lines in a range.
    private void EachIndex(long from, long until, Action<FileIndex> look, CancellationToken cancellationToken)
    {
        var local = Files;
        EachIndex(local.Where(file => file.MaxTime >= from && file.MinTime < until), files, indexes, look, cancellationToken);
        if (options.Elsewhere is { } elsewhere)
        {
            EachIndex(elsewhere.Take(from, until, local), elsewhere.Files, indexesElsewhere!, look, cancellationToken);
        }
    }

    private static void EachIndex(IEnumerable<StoredLogFile> of, IFileSystem by, IndexCache indexes, Action<FileIndex> look, CancellationToken cancellationToken)
    {
        foreach (var file in of)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                using var handle = by.Open(file.Path, writable: false);
                look(indexes.Of(file, handle));
            }
            catch (FileSystemException e) when (e.IsNotFound)
            {
                // Retention was faster.
            }
        }
    }

    private List<ISearchFile> Sealed(LogScan scan)
    {
        var local = Files;
        List<ISearchFile> found = [.. local.Select(file => new SealedFile(files, file, indexes))];
        if (options.Elsewhere is { } elsewhere)
        {
            found.AddRange(elsewhere.Take(scan.From, scan.Until, local).Select(file => new SealedFile(elsewhere.Files, file, indexesElsewhere!)));
        }

        return found;
    }

    private IEnumerable<T> Search<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        var views = Views(scan);
        try
        {
            IReadOnlyList<ISearchFile> all = [.. views, .. Sealed(scan)];
            foreach (var each in new LogSearch<T>(all, scan, stages, statistics, options.SearchBytesMax, cancellationToken).Run())
            {
                yield return each;
            }
        }
        finally
        {
            views.ForEach(static view => view.Dispose());
            CountSearch(statistics);
        }
    }

    // Those of open files come first, and under the lock: what is sealed meanwhile is then in both, and found once.
    private List<OpenFileView> Views(LogScan scan)
    {
        var views = new List<OpenFileView>();
        lock (gate)
        {
            try
            {
                foreach (var file in AllOpen())
                {
                    if (file.MaxTime >= scan.From && file.MinTime < scan.Until)
                    {
                        views.Add(file.View());
                    }
                }
            }
            catch
            {
                views.ForEach(static view => view.Dispose());
                throw;
            }
        }

        return views;
    }

    private IEnumerable<OpenFile> AllOpen() => frozen.Concat(open.Values);

    private OpenFile FileOf(LogWindow window, long receivedAt)
    {
        if (!open.TryGetValue(window, out last))
        {
            last = new OpenFile(files, OpenFolder, nextNumber++, window, receivedAt);
            open.Add(window, last);
        }

        return last;
    }

    private void CloseFrame(OpenFile file)
    {
        file.CloseFrame(maker, sorted);
        if (!isFailing)
        {
            TryWrite(file);
        }

        if (file.Length >= options.OpenBytesMax)
        {
            Freeze(file);
        }

        CountMemory();
        if (SpillableBytes > options.MemoryBytesMax)
        {
            Spill();
        }
    }

    private void Freeze(OpenFile file)
    {
        file.CloseFrame(maker, sorted);
        TryWrite(file);
        file.Freeze();
        open.Remove(file.Window);
        frozen.Add(file);
        last = null;
        IsDirty = true; // it is sealed when a checkpoint has said so
    }

    private void TryWrite(OpenFile file)
    {
        try
        {
            file.Write();
        }
        catch (IOException)
        {
            isFailing = true; // the frames wait in memory
            Interlocked.Increment(ref failures);
        }
    }

    // Lines go to the disk first, then filters of what waits to be sealed, then whole files become such. What a file that waits keeps until it is sealed does not
    // count: no other file gives it back, and one that is complete for its sake would be as small as the last frame.
    private void Spill()
    {
        spills++;
        var enough = options.MemoryBytesMax - (options.MemoryBytesMax / 4);
        foreach (var file in (OpenFile[])[.. open.Values.OrderBy(static file => file.LastWritten)])
        {
            if (SpillableBytes <= enough)
            {
                return;
            }

            file.CloseFrame(maker, sorted);
            TryWrite(file);
            file.ReleaseTail();
            CountMemory();
        }

        // The fewest files that give back enough.
        foreach (var file in (OpenFile[])[.. frozen, .. open.Values.OrderByDescending(static file => file.MemoryBytes)])
        {
            if (SpillableBytes <= enough)
            {
                return;
            }

            if (!file.IsFrozen)
            {
                Freeze(file);
            }

            file.DropFilters();
            CountMemory();
        }
    }

    private long SpillableBytes => memoryBytes - waitingBytes;

    private void CountMemory()
    {
        memoryBytes = AllOpen().Sum(static file => file.MemoryBytes);
        waitingBytes = frozen.Sum(static file => file.MemoryBytesToSeal);
    }

    // What is in memory goes to the files, whose sync comes outside of the lock.
    private (List<OpenFile> Written, List<LogManifest.Entry> Entries, List<string> Moved) WriteAll()
    {
        var (written, entries, moved) = (new List<OpenFile>(), new List<LogManifest.Entry>(), new List<string>());
        lock (gate)
        {
            foreach (var file in AllOpen())
            {
                file.CloseFrame(maker, sorted);
                file.Write();
                if (file.IsSuspect)
                {
                    moved.Add(file.MoveTo(nextNumber++));
                }

                if (file.WriteIndex() is { } entry)
                {
                    entries.Add(entry);
                    if (!durable.Contains(file.Number))
                    {
                        written.Add(file);
                    }
                }
            }

            CountMemory();
        }

        return (written, entries, moved);
    }

    private void Publish(LogManifest next)
    {
        AtomicFile.Write(files, ManifestPath, next.ToBytes());
        manifest = next;
    }

    private void Replace(OpenFile source, StoredLogFile? by, bool isDamaged)
    {
        if (isDamaged)
        {
            Interlocked.Increment(ref filesDamaged); // first: whoever sees that the file is sealed also sees that something is missing
        }

        lock (keeping)
        {
            lock (gate)
            {
                if (by is not null)
                {
                    Volatile.Write(ref closed, [.. closed, by]);
                    filesSealed++;
                }

                frozen.Remove(source);
                durable.Remove(source.Number);
                source.Dispose();
                CountMemory();
            }

            Publish(manifest with { Open = [.. manifest.Open.Where(entry => entry.Number != source.Number)] });
            if (isDamaged)
            {
                files.Rename(source.Path, source.Path + LogPaths.DamagedEnding); // for who knows how to get more out of it
            }
        }

        DeleteOpen(source.Path);
    }

    // What stays for a fault of the disk goes at the next opening: the manifest does not know it.
    private void DeleteOpen(string path)
    {
        try
        {
            files.Delete(path);
            files.Delete(OpenFile.IndexPathOf(path));
        }
        catch (IOException)
        {
            Interlocked.Increment(ref failures);
        }
    }

    private void DeleteEmpty(string folder)
    {
        lock (gate)
        {
            for (var i = 0; i < 2; i++, folder = Path.GetDirectoryName(folder)!)
            {
                var isWanted = sealingFolder is { } wanted && (wanted == folder || wanted.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal));
                if (isWanted || files.List(folder).Count > 0 || files.ListDirectories(folder).Count > 0)
                {
                    return;
                }

                files.DeleteDirectory(folder);
            }
        }
    }
}
