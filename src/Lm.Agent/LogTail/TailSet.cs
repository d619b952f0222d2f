using Lm.Agent.Queue;
using Lm.Agent.Settings;
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

    private readonly TailOpener opener = new(counters, time, logger);
    private readonly List<FileTail> tails = [];
    private readonly HashSet<FileIdentity> passedOver = []; // compressed
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

    /// <summary>The paths of the files, and of those that are yet to be found again after a start.</summary>
    public IEnumerable<string> PathsInHand => tails.Select(tail => tail.Path).Concat(saved.Select(offset => offset.Text));

    /// <summary>Where a file stands among them.</summary>
    public int IndexOf(FileTail tail) => tails.IndexOf(tail);

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
    /// <param name="room">How many more may be followed.</param>
    /// <param name="directories">Gets the directories whose entries decide.</param>
    /// <param name="begun">Called for each file that is followed from now on.</param>
    public void Discover(LogBatch batch, TailRoom room, ISet<string> directories, Action<FileTail> begun)
    {
        var paths = glob.Expand(2 * TailRoom.FilesMax, directories);
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

        List<KeyValuePair<FileIdentity, (string Path, FileFacts Facts)>> inOrder = [.. found];
        inOrder.Sort(static (one, other) => string.CompareOrdinal(one.Value.Path, other.Value.Path));
        foreach (var (identity, (path, facts)) in inOrder)
        {
            if (tails.Find(tail => tail.Identity == identity) is { } known)
            {
                known.IsDetached = false;
            }
            else if (!passedOver.Contains(identity))
            {
                if (!room.TryTake(Input, path))
                {
                    TellTooMany(path);
                    break;
                }

                Begin(path, facts, isFirst, batch, begun);
            }
        }

        if (isFirst)
        {
            NoteKnown(batch, isUrgent: true);
        }
    }

    /// <summary>A file was truncated: its new content is read from the beginning, after what is left of its old one in a copy, where there is one, and after
    /// what it held since and was copied, too.</summary>
    public void Restart(FileTail tail, LogBatch batch, Action<FileTail> begun)
    {
        var copy = FindCopy(tail.Path, tail.Identity, tail.Position, tail.Fingerprint, tail.MetAt);
        LogTailLog.Truncated(logger, Input.Name, tail.Path, tail.Position, copy is null ? "no copy of what it held was found." : $"the rest of what it held is read from {copy.File.Path}.");
        if (copy is not null)
        {
            Insert(copy, tails.IndexOf(tail), begun);
            batch.Note(copy.Offset);
        }
        else if (tail.HadMore)
        {
            counters.AddLostFile();
        }

        BeginAnew(tail, copy, batch, begun);
    }

    /// <summary>A file of which nothing was taken yet may have been copied and truncated unnoticed: what it held before comes first.</summary>
    /// <param name="tail">A file at its beginning, peeked into.</param>
    /// <param name="batch">Gets the offsets of copies.</param>
    /// <param name="begun">Called for each copy that is followed from now on.</param>
    public void AdoptCopies(FileTail tail, LogBatch batch, Action<FileTail> begun)
    {
        var candidates =
            from each in Neighbour.Of(tail.Path, rotationsOnly: true)
            where each.BornAt > tail.MetAt && each.Facts.SizeBytes > 0 && IsUnknown(each.Facts.Identity)
            orderby each.BornAt
            select each;
        var copies = candidates.ToArray();

        // Looked at after the copies: what a younger file at the path left behind would not be a copy of this one.
        if (copies.Length == 0 || !FollowedFile.TryLookAt(tail.Path, out var now) || now.Identity != tail.Identity)
        {
            return;
        }

        foreach (var each in copies)
        {
            if (opener.TryOpen(Input, each.Path, each.Facts.Identity) is not { } file)
            {
                continue;
            }

            if (FileFingerprint.BeginAlike(file, tail.File) || (tail.Position > 0 && FileFingerprint.HasHead(file, tail.Fingerprint)))
            {
                file.Dispose(); // of what the file holds still
                continue;
            }

            LogTailLog.Adopted(logger, Input.Name, each.Path);
            var copy = opener.Rotated(Input, tail.Path, file, each);
            Insert(copy, tails.IndexOf(tail), begun);
            tail.MetAt = each.BornAt + 1;
            batch.Note(copy.Offset, isUrgent: true);
            batch.Note(tail.Offset, isUrgent: true);
        }
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

    /// <summary>Looks how long the files are, and tells what is left to read of them.</summary>
    public void Sight(long timestamp)
    {
        tails.ForEach(tail => tail.Sight(timestamp));
        Count();
    }

    /// <summary>Closes the files.</summary>
    public void Dispose() => tails.ForEach(tail => tail.Dispose());

    private void NoteKnown(LogBatch batch, bool isUrgent)
    {
        // The kernel's clock for files is up to a tick behind.
        knownSince = opener.Now - ClockTick;
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

        // Of another path that the input had: nobody asks for these files any more.
        var others = saved.Where(offset => !glob.Names(offset.Text)).ToArray();
        foreach (var offset in others)
        {
            batch.Note(offset with { IsRemoved = true });
            saved.Remove(offset);
        }

        var paths = saved.GroupBy(offset => offset.Text).ToArray();
        var changed = saved.OrderBy(offset => offset.MetAt).Where(offset => !TryGoOn(offset, found, begun)).ToArray();

        // Only now that all are found which are there still: the inode of one that is gone may be that of another's copy.
        saved.Clear();
        foreach (var offset in changed)
        {
            Reopen(offset, found, batch, begun);
        }

        var inOrder = tails.OrderBy(tail => tail.MetAt).ToArray();
        tails.Clear();
        tails.AddRange(inOrder);
        foreach (var path in paths.Where(path => tails.TrueForAll(tail => tail.IsDetached || tail.Path != path.Key)))
        {
            // Also where all of them are gone: what had their name since is younger than the newest.
            AdoptRotated(path.Key, path.Max(offset => offset.MetAt), batch, begun);
        }
    }

    /// <summary>Goes on with a file that is there and holds what was taken of it.</summary>
    private bool TryGoOn(TailOffset offset, Dictionary<FileIdentity, (string Path, FileFacts Facts)> found, Action<FileTail> begun)
    {
        if (opener.Reopen(Input, offset, HintOf(offset, found)) is not { } tail)
        {
            return false;
        }

        if (!FileFingerprint.Holds(tail.File, offset.Offset, offset.Fingerprint) || IsAnother(tail, offset))
        {
            tail.Dispose();
            return false;
        }

        tail.GoOnFrom(offset.Offset, offset.Fingerprint);
        Insert(tail, tails.Count, begun);
        return true;
    }

    /// <summary>What is left of a file that was truncated, or deleted: what it held may be in a copy.</summary>
    private void Reopen(TailOffset offset, Dictionary<FileIdentity, (string Path, FileFacts Facts)> found, LogBatch batch, Action<FileTail> begun)
    {
        var copy = FindCopy(offset.Text, offset.Identity, offset.Offset, offset.Fingerprint, offset.MetAt);
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

        var tail = opener.Reopen(Input, offset, HintOf(offset, found));
        if (tail is null || tail.IsDetached || IsAnother(tail, offset))
        {
            tail?.Dispose();
            batch.Note(offset with { IsRemoved = true });
            return;
        }

        Insert(tail, tails.Count, begun);
        BeginAnew(tail, copy, batch, begun);
    }

    private static string? HintOf(TailOffset offset, Dictionary<FileIdentity, (string Path, FileFacts Facts)> found) =>
        found.TryGetValue(offset.Identity, out var at) ? at.Path : null;

    /// <summary>Whether an inode belongs to another file by now: one that was made after the old one was met.</summary>
    private static bool IsAnother(FileTail tail, TailOffset offset) => tail.BornAtNanoseconds > offset.MetAt;

    /// <summary>Begins a truncated file at its beginning, behind what it held since its copy was made and what was copied in turn.</summary>
    private void BeginAnew(FileTail tail, FileTail? copy, LogBatch batch, Action<FileTail> begun)
    {
        tail.MetAt = Math.Max(tail.MetAt, Math.Max((copy?.MetAt ?? 0) + 1, tail.IntactAt));
        AdoptCopies(tail, batch, begun);
        tail.Restart();
        batch.Note(tail.Offset, isUrgent: true);
    }

    private void Begin(string path, FileFacts facts, bool isFirst, LogBatch batch, Action<FileTail> begun)
    {
        if (opener.TryOpen(Input, path, facts.Identity) is not { } file)
        {
            return;
        }

        if (!file.TryLook(out facts) || !facts.IsRegular || IsCopy(file, path, facts.SizeBytes))
        {
            file.Dispose();
            return;
        }

        var tail = opener.Met(Input, path, file, facts, isFirst);

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
        var candidates =
            from each in Neighbour.Of(path, rotationsOnly: true)
            where each.BornAt > after && IsUnknown(each.Facts.Identity)
            orderby each.BornAt
            select each;
        foreach (var each in candidates.ToArray())
        {
            if (opener.TryOpen(Input, each.Path, each.Facts.Identity) is not { } file)
            {
                continue;
            }

            if (IsCopy(file, each.Path, each.Facts.SizeBytes))
            {
                file.Dispose();
                continue;
            }

            LogTailLog.Adopted(logger, Input.Name, each.Path);
            var tail = opener.Rotated(Input, path, file, each);
            Insert(tail, tails.Count, begun);
            batch.Note(tail.Offset, isUrgent: true);
        }
    }

    private bool IsUnknown(FileIdentity identity) =>
        tails.TrueForAll(tail => tail.Identity != identity) && !passedOver.Contains(identity) && saved.TrueForAll(offset => offset.Identity != identity);

    /// <summary>Finds the copy that copytruncate made of a file: beginning as the file did, and holding what was taken last. Where little was taken that
    /// alone says too little, and the name must say it, too.</summary>
    private FileTail? FindCopy(string path, FileIdentity original, long position, Fingerprint fingerprint, long metAt)
    {
        if (fingerprint.HeadLength == 0)
        {
            return null;
        }

        var isSure = position > 0 && fingerprint.HeadLength == Fingerprint.LengthMax;
        foreach (var each in Neighbour.Of(path, rotationsOnly: !isSure))
        {
            // Where nothing was taken, an older copy, done with long ago, may begin alike.
            if (each.Facts.SizeBytes < position || each.Facts.Identity == original || !IsUnknown(each.Facts.Identity) || (position == 0 && each.BornAt <= metAt)
                || opener.TryOpen(Input, each.Path, each.Facts.Identity) is not { } file)
            {
                continue;
            }

            if (FileFingerprint.Holds(file, position, fingerprint))
            {
                var copy = opener.Rotated(Input, path, file, each);
                copy.GoOnFrom(position, position > 0 ? fingerprint : default);
                return copy;
            }

            file.Dispose();
        }

        return null;
    }

    /// <summary>Whether a file is a copy of one that is followed: its lines would come twice. When that one turns out to be truncated, the copy's rest is read.</summary>
    private bool IsCopy(FollowedFile file, string path, long size) => tails.Exists(tail =>
        RotatedName.IsRotationOf(Path.GetFileName(path.AsSpan()), Path.GetFileName(tail.Path.AsSpan()))
            ? tail.Position == 0 ? FileFingerprint.BeginAlike(file, tail.File) : IsCopyOf(tail, file, size)
            : tail.Fingerprint.HeadLength == Fingerprint.LengthMax && tail.Position > 0 && IsCopyOf(tail, file, size));

    // A shorter one is a copy in the making where it ends as the other one goes on there; where that one was truncated meanwhile its beginning must do.
    // Files of one program may all begin alike, and are logs of their own.
    private static bool IsCopyOf(FileTail tail, FollowedFile file, long size) =>
        FileFingerprint.HasHead(file, tail.Fingerprint)
            && (size >= tail.Position ? FileFingerprint.Holds(file, tail.Position, tail.Fingerprint)
                : FileFingerprint.EndsWithin(file, size, tail.File) || !FileFingerprint.Holds(tail.File, tail.Position, tail.Fingerprint));

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

    private void TellTooMany(string path)
    {
        if (!hasToldTooMany)
        {
            LogTailLog.TooManyFiles(logger, Input.Name, path, TailRoom.FilesMax);
        }

        hasToldTooMany = true;
    }
}
