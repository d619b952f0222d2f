using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Files;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.LogTail;

/// <summary>The files that one input follows, oldest first within each path, and how they come and go.</summary>
/// <remarks>
/// Invariants:
/// a file is known by device and inode, and by a fingerprint of what was taken of it: a name alone says nothing;
/// a file stays until it was read to its end, whatever becomes of its name; what takes its name's place is read after it;
/// what appears after the input was first seen is read from its beginning.
/// </remarks>
internal sealed class TailSet(LogInput input, InputCounters counters, TimeProvider time, ILogger logger) : IDisposable
{
    private const long ClockTick = 50_000_000; // nanoseconds; more than any kernel's

    private readonly List<FileTail> tails = [];
    private readonly HashSet<FileIdentity> passedOver = []; // compressed
    private readonly HashSet<string> unreadable = new(StringComparer.Ordinal); // told already
    private readonly List<TailOffset> saved = [];
    private GlobPattern glob = new(input.Path);
    private long? knownSince; // or since its last file was let go: what is younger was never read
    private bool hasToldTooMany;

    /// <summary>The input.</summary>
    public LogInput Input { get; private set; } = input;

    /// <summary>What became of its lines.</summary>
    public InputCounters Counters => counters;

    /// <summary>The files, in the order in which they are to be read.</summary>
    public IReadOnlyList<FileTail> Tails => tails;

    /// <summary>Takes what the queue knows of this input: nothing else says where to go on (A10).</summary>
    public void Restore(IEnumerable<TailOffset> offsets)
    {
        foreach (var offset in offsets.Where(offset => offset.Input == Input.Name))
        {
            knownSince = offset.Kind == TailKind.Input && offset.Text == Input.Path ? offset.MetAt : knownSince;
            if (offset.Kind == TailKind.File)
            {
                saved.Add(offset);
            }
        }
    }

    /// <summary>Goes on with settings that follow the same files in another way.</summary>
    public void Replace(LogInput replacement)
    {
        Input = replacement;
        glob = new GlobPattern(replacement.Path);
        tails.ForEach(tail => tail.Input = replacement);
    }

    /// <summary>Looks which files are there now.</summary>
    /// <param name="batch">Gets the offsets of files that are new, or gone.</param>
    /// <param name="filesMax">So many may be followed.</param>
    /// <param name="directories">Gets the directories whose entries decide.</param>
    /// <param name="begun">Called for each file that is followed from now on.</param>
    public void Discover(LogBatch batch, int filesMax, ISet<string> directories, Action<FileTail> begun)
    {
        var paths = glob.Expand(Math.Max(1, filesMax * 2), directories);
        var found = Find(paths);
        passedOver.IntersectWith(found.Keys); // an inode is used again once its file is gone
        ReopenSaved(found, batch, begun);
        var isFirst = knownSince is null;
        foreach (var tail in tails.Where(tail => !tail.IsDetached && !found.ContainsKey(tail.Identity)).ToArray())
        {
            LogTailLog.Detached(logger, Input.Name, tail.Path);
            tail.IsDetached = true;
        }

        AdoptRotated(batch, begun);

        foreach (var (identity, (path, facts)) in found.OrderBy(each => each.Value.Path, StringComparer.Ordinal))
        {
            if (tails.Find(tail => tail.Identity == identity) is { } known)
            {
                known.IsDetached = false;
            }
            else if (tails.Count >= filesMax)
            {
                TellTooMany(found.Count - tails.Count, filesMax);
                break;
            }
            else if (!passedOver.Contains(identity))
            {
                Begin(path, facts, isFirst, batch, begun);
            }
        }

        if (isFirst)
        {
            NoteKnown(batch, isUrgent: true);
        }
    }

    /// <summary>A file was truncated: its new content is read from the beginning, after what is left of its old one in a copy, where there is one.</summary>
    public void Restart(FileTail tail, LogBatch batch, Action<FileTail> begun)
    {
        var copy = FindCopy(tail);
        LogTailLog.Truncated(logger, Input.Name, tail.Path, tail.Position, copy is null ? "no copy of what it held was found." : $"the rest of what it held is read from {copy.File.Path}.");
        if (copy is not null)
        {
            Insert(copy, tails.IndexOf(tail), begun);
            batch.Note(copy.Offset);
        }
        else if (tail.SizeBytes > tail.Position)
        {
            counters.AddLostFile();
        }

        tail.Restart(Now);
        batch.Note(tail.Offset, isUrgent: true);
    }

    /// <summary>A file turned out to be compressed.</summary>
    public void PassOver(FileTail tail, LogBatch batch)
    {
        LogTailLog.Compressed(logger, Input.Name, tail.File.Path);
        if (passedOver.Count > 10_000)
        {
            passedOver.Clear();
        }

        passedOver.Add(tail.Identity);
        Remove(tail, batch);
    }

    /// <summary>A file is read to its end and nobody will write to it.</summary>
    public void LetGo(FileTail tail, LogBatch batch)
    {
        LogTailLog.LetGo(logger, Input.Name, tail.Path, tail.Position);
        Remove(tail, batch);
        NoteKnown(batch, isUrgent: false);
    }

    /// <summary>Tells how many files there are and what is left to read of them.</summary>
    public void Count() => counters.SetFiles(tails.Count, tails.Sum(tail => Math.Max(0, tail.SizeBytes - tail.Position)));

    /// <summary>Closes the files.</summary>
    public void Dispose() => tails.ForEach(tail => tail.Dispose());

    private void NoteKnown(LogBatch batch, bool isUrgent)
    {
        // The kernel's clock for files is up to a tick behind.
        knownSince = Now - ClockTick;
        batch.Note(new TailOffset { Kind = TailKind.Input, Input = Input.Name, Text = Input.Path, MetAt = knownSince.Value }, isUrgent);
    }

    private static Dictionary<FileIdentity, (string Path, FileFacts Facts)> Find(List<string> paths)
    {
        var found = new Dictionary<FileIdentity, (string, FileFacts)>();
        foreach (var path in paths)
        {
            // A file under two names, or behind a symbolic link beside it, is one file.
            if (!RotatedName.IsCompressed(path) && FollowedFile.TryLookAt(path, out var facts) && facts.IsRegular)
            {
                found.TryAdd(facts.Identity, (path, facts));
            }
        }

        return found;
    }

    /// <summary>After a start: every file that the queue has an offset of is found again, by its identity, under whatever name it has now.</summary>
    private void ReopenSaved(Dictionary<FileIdentity, (string Path, FileFacts Facts)> found, LogBatch batch, Action<FileTail> begun)
    {
        if (saved.Count == 0)
        {
            return;
        }

        foreach (var path in saved.GroupBy(offset => offset.Text).ToArray())
        {
            foreach (var offset in path.OrderBy(offset => offset.MetAt))
            {
                Reopen(offset, found, batch, begun);
            }

            // Also where all of them are gone: what had their name since is younger than the newest.
            if (path.All(offset => !found.ContainsKey(offset.Identity)))
            {
                AdoptRotated(path.Key, path.Max(offset => offset.MetAt), batch, begun);
            }
        }

        saved.Clear();
    }

    private void Reopen(TailOffset offset, Dictionary<FileIdentity, (string Path, FileFacts Facts)> found, LogBatch batch, Action<FileTail> begun)
    {
        var path = found.TryGetValue(offset.Identity, out var at) ? at.Path : FindByIdentity(offset.Text, offset.Identity);
        var file = path is null ? null : TryOpen(path, offset.Identity);
        var tail = file is not null && file.TryLook(out var facts)
            ? new FileTail(Input, offset.Text, file, facts, counters) { MetAt = offset.MetAt, GrewAt = GrewAt(facts), IsDetached = !found.ContainsKey(offset.Identity) }
            : null;
        if (tail is not null && FileFingerprint.Holds(tail.File, offset.Offset, offset.Fingerprint))
        {
            tail.GoOnFrom(offset.Offset, offset.Fingerprint);
            Insert(tail, tails.Count, begun);
            return;
        }

        // Truncated, or deleted and its inode given to another file. What is left of the old content may be in a copy.
        var copy = FindCopy(offset.Text, offset.Identity, offset.Offset, offset.Fingerprint);
        if (copy is not null)
        {
            Insert(copy, tails.Count, begun);
            batch.Note(copy.Offset);
        }
        else
        {
            LogTailLog.Gone(logger, Input.Name, offset.Text, offset.Offset);
            counters.AddLostFile();
        }

        if (tail is null || tail.IsDetached)
        {
            tail?.Dispose();
            batch.Note(offset with { IsRemoved = true });
            return;
        }

        tail.Restart(Now);
        Insert(tail, tails.Count, begun);
        batch.Note(tail.Offset, isUrgent: true);
    }

    private void Begin(string path, FileFacts facts, bool isFirst, LogBatch batch, Action<FileTail> begun)
    {
        if (TryOpen(path, facts.Identity) is not { } file)
        {
            return;
        }

        if (!file.TryLook(out facts) || !facts.IsRegular || IsCopy(file, facts.SizeBytes))
        {
            file.Dispose();
            return;
        }

        var tail = new FileTail(Input, path, file, facts, counters)
        {
            MetAt = isFirst || facts.BornAtNanoseconds == 0 ? Now : facts.BornAtNanoseconds,
            GrewAt = GrewAt(facts),
        };
        if (isFirst && Input.StartAtEnd)
        {
            var end = FindLastLineEnd(file, facts.SizeBytes);
            tail.GoOnFrom(end, FileFingerprint.Of(file, end));
        }

        LogTailLog.Following(logger, Input.Name, path, tail.Position, facts.SizeBytes);
        Insert(tail, tails.Count, begun);
        batch.Note(tail.Offset, isUrgent: true);
    }

    private void AdoptRotated(LogBatch batch, Action<FileTail> begun)
    {
        foreach (var path in tails.GroupBy(tail => tail.Path).ToArray())
        {
            if (path.MaxBy(tail => tail.MetAt) is { IsDetached: true } newest)
            {
                AdoptRotated(path.Key, newest.MetAt, batch, begun);
            }
        }

        if (knownSince is { } since && !glob.IsPattern && tails.TrueForAll(tail => tail.Path != Input.Path))
        {
            AdoptRotated(Input.Path, since, batch, begun);
        }
    }

    /// <summary>Follows files that had a path's name for so short a time, or while nobody looked, that they were never met under it.</summary>
    private void AdoptRotated(string path, long after, LogBatch batch, Action<FileTail> begun)
    {
        var (directory, name) = (Path.GetDirectoryName(path)!, Path.GetFileName(path));
        var candidates =
            from other in NamesIn(directory)
            where RotatedName.IsRotationOf(other, name) && !RotatedName.IsCompressed(other)
            let at = Path.Combine(directory, other)
            let facts = FollowedFile.TryLookAt(at, out var looked) ? looked : default
            where facts.IsRegular && tails.TrueForAll(tail => tail.Identity != facts.Identity) && !passedOver.Contains(facts.Identity)
            let born = facts.BornAtNanoseconds > 0 ? facts.BornAtNanoseconds : facts.ModifiedAt.Value * 1_000_000
            where born > after && saved.TrueForAll(offset => offset.Identity != facts.Identity)
            orderby born
            select (at, facts, born);
        foreach (var (at, facts, born) in candidates.ToArray())
        {
            if (TryOpen(at, facts.Identity) is not { } file)
            {
                continue;
            }

            if (IsCopy(file, facts.SizeBytes))
            {
                file.Dispose();
                continue;
            }

            LogTailLog.Adopted(logger, Input.Name, at);
            var tail = new FileTail(Input, path, file, facts, counters) { MetAt = born, GrewAt = GrewAt(facts), IsDetached = true };
            Insert(tail, tails.Count, begun);
            batch.Note(tail.Offset, isUrgent: true);
        }
    }

    private long Now => (time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) * TimeSpan.NanosecondsPerTick;

    /// <summary>When a file last grew, by the clock's timestamps: it may have been quiet for long before it was met.</summary>
    private long GrewAt(in FileFacts facts)
    {
        var quietFor = UnixMillis.Now(time) - facts.ModifiedAt;
        return time.GetTimestamp() - (long)(Math.Max(0, quietFor.TotalSeconds) * time.TimestampFrequency);
    }

    private FileTail? FindCopy(FileTail tail) => FindCopy(tail.Path, tail.Identity, tail.Position, tail.Fingerprint);

    /// <summary>Finds the copy that copytruncate made of a file: beginning as the file did, and holding what was taken last. Where little was taken that
    /// alone says too little, and the name must say it, too.</summary>
    private FileTail? FindCopy(string path, FileIdentity original, long position, Fingerprint fingerprint)
    {
        if (position == 0)
        {
            return null;
        }

        var (directory, name) = (Path.GetDirectoryName(path)!, Path.GetFileName(path));
        var isSure = fingerprint.HeadLength == Fingerprint.LengthMax;
        foreach (var other in NamesIn(directory).Where(other => (isSure || RotatedName.IsRotationOf(other, name)) && !RotatedName.IsCompressed(other)))
        {
            var at = Path.Combine(directory, other);
            if (!FollowedFile.TryLookAt(at, out var facts) || !facts.IsRegular || facts.SizeBytes < position || facts.Identity == original
                || tails.Exists(tail => tail.Identity == facts.Identity) || TryOpen(at, facts.Identity) is not { } file)
            {
                continue;
            }

            if (FileFingerprint.Holds(file, position, fingerprint))
            {
                var copy = new FileTail(Input, path, file, facts, counters) { MetAt = Now, GrewAt = GrewAt(facts), IsDetached = true };
                copy.GoOnFrom(position, fingerprint);
                return copy;
            }

            file.Dispose();
        }

        return null;
    }

    /// <summary>Whether a file is a copy of one that is followed: its lines would come twice. When that one turns out to be truncated, the copy's rest is read.</summary>
    private bool IsCopy(FollowedFile file, long size) => tails.Exists(tail =>
        tail.Fingerprint.HeadLength == Fingerprint.LengthMax && FileFingerprint.HasHead(file, tail.Fingerprint)
        && (size < tail.Position || FileFingerprint.Holds(file, tail.Position, tail.Fingerprint)));

    private void Insert(FileTail tail, int at, Action<FileTail> begun)
    {
        // Behind nothing that has taken its name's place.
        tails.Insert(Math.Min(at, tails.Count), tail);
        begun(tail);
    }

    private void Remove(FileTail tail, LogBatch batch)
    {
        tails.Remove(tail);
        tail.Dispose();
        batch.Note(tail.Offset with { IsRemoved = true });
    }

    private FollowedFile? TryOpen(string path, FileIdentity identity)
    {
        var file = FollowedFile.TryOpen(path, out var error);
        if (file is null)
        {
            if (error != 2 && unreadable.Count < 1000 && unreadable.Add(path))
            {
                LogTailLog.Unreadable(logger, Input.Name, path, System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error));
            }

            return null;
        }

        unreadable.Remove(path);
        if (file.TryLook(out var facts) && facts.Identity == identity)
        {
            return file;
        }

        file.Dispose(); // renamed between the look and the opening: the next look finds it
        return null;
    }

    private static string? FindByIdentity(string path, FileIdentity identity)
    {
        var directory = Path.GetDirectoryName(path)!;
        return NamesIn(directory).Select(name => Path.Combine(directory, name))
            .FirstOrDefault(at => FollowedFile.TryLookAt(at, out var facts) && facts.IsRegular && facts.Identity == identity);
    }

    /// <summary>Where the last complete line of a file ends, near its end: a line that is being written belongs to what comes.</summary>
    private static long FindLastLineEnd(FollowedFile file, long size)
    {
        Span<byte> buffer = stackalloc byte[4096];
        var part = buffer[..(int)Math.Min(size, buffer.Length)];
        var count = Math.Max(0, file.Read(size - part.Length, part));
        var last = part[..count].LastIndexOf((byte)'\n');
        return last < 0 ? size == part.Length ? 0 : size : size - part.Length + last + 1;
    }

    private static string[] NamesIn(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory).Select(path => Path.GetFileName(path))];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private void TellTooMany(int count, int filesMax)
    {
        if (!hasToldTooMany)
        {
            LogTailLog.TooManyFiles(logger, Input.Name, count, filesMax);
        }

        hasToldTooMany = true;
    }
}
