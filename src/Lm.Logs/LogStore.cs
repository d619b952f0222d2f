using Lm.Logs.Files;
using Lm.Logs.Lines;
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
    private long doubtedUntil; // windows that begin before it claim to cover nothing

    // The most that max_future_seconds may be.
    private static readonly TimeSpan TimeAheadMax = TimeSpan.FromDays(1);

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

    private long DoubtedUntil
    {
        get
        {
            lock (gate)
            {
                return doubtedUntil;
            }
        }
    }

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
                var doubted = DoubtedUntil; // first: what is doubted later than this is doubted at the next checkpoint, too
                var (written, entries, moved) = WriteAll();
                foreach (var file in written)
                {
                    file.Sync();
                }

                files.SyncDirectory(OpenFolder);
                Publish(manifest with { Covered = covered, NextNumber = nextNumber, Open = entries, DoubtedUntil = doubted });
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

    /// <summary>Takes note that lines of records may be missing which the next checkpoint will cover: what a sealed file says of the spool would be wrong, and who takes over after a lost
    /// disk would pass over the raw objects that have them. Sealed files of windows that there may be by now claim nothing any more; those of later ones do. Durable with the next checkpoint.</summary>
    public void Doubt()
    {
        lock (gate)
        {
            // Late lines of a date that is not over have its window; lines may also be of a day that has not begun.
            var until = UnixMillis.Now(options.Time).Add(TimeAheadMax).Value;
            doubtedUntil = AllOpen().Select(static file => file.Window.End).Concat(closed.Select(static file => file.Window.End)).Append(until).Append(doubtedUntil).Max();
            IsDirty = true;
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
}
