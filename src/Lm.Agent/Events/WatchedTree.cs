using System.Runtime.InteropServices;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Files;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Events;

/// <summary>The directories of one <c>[[watch]]</c> and what the kernel says of them. For the watching thread alone; what it finds goes into
/// <see cref="Changes"/>.</summary>
/// <remarks>
/// Invariants: a directory is watched before it is listed, so that what comes while it is listed is told by one of the two;
/// symbolic links are not followed; the agent's own queue is not looked into: each event would make the next one.
/// </remarks>
internal sealed class WatchedTree(WatchSettings watch, WatchContext context, TimeProvider time, ILogger logger)
{
    // Born in the last tick of the kernel's clock.
    private const long ClockTickMs = 50;

    private readonly Dictionary<int, string> directories = []; // by number of the watch
    private bool hasToldTooMany;
    private Departure? movedAway; // the first half of a move, until the second one comes or does not

    /// <summary>What is to be told.</summary>
    public PendingChanges Changes { get; } = new(watch, time);

    /// <summary>Directories that are watched.</summary>
    public int Count => directories.Count;

    /// <summary>Whether the directory itself is watched.</summary>
    public bool HasRoot { get; private set; }

    /// <summary>Whether it was told that the directory itself is not.</summary>
    public bool HasToldRoot { get; private set; }

    /// <summary>Watches everything, where that is not so yet.</summary>
    /// <returns>Whether the directory itself was not watched and is now, or the other way round.</returns>
    public bool TryBegin(out string trouble)
    {
        trouble = "";
        if (HasRoot)
        {
            return false;
        }

        var error = TryWatch(watch.Path, out var isNew);
        HasRoot = error == 0;
        if (!HasRoot)
        {
            trouble = Marshal.GetPInvokeErrorMessage(error);
            var isFirst = !HasToldRoot;
            HasToldRoot = true;
            if (isFirst)
            {
                EventsLog.Unwatched(logger, watch.Path, trouble);
            }

            return isFirst;
        }

        if (isNew && watch.IsRecursive)
        {
            WatchWithin(watch.Path, isToldNew: false);
        }

        EventsLog.Watching(logger, watch.Path, directories.Count);
        var wasTold = HasToldRoot;
        HasToldRoot = false;
        return wasTold;
    }

    /// <summary>Takes a notice; those of other trees are none of its.</summary>
    public void Take(in FileNotice notice)
    {
        if (!directories.TryGetValue(notice.Watch, out var directory))
        {
            return;
        }

        if (movedAway is { } left && !(notice.What.HasFlag(FileNotices.MovedTo) && notice.Cookie == left.Cookie))
        {
            EndMove();
        }

        if (notice.What.HasFlag(FileNotices.WatchEnded))
        {
            directories.Remove(notice.Watch);
            HasRoot &= directory != watch.Path;
        }
        else if ((notice.What & (FileNotices.SelfDeleted | FileNotices.SelfMoved)) != 0)
        {
            if (directory == watch.Path && notice.What.HasFlag(FileNotices.SelfMoved))
            {
                Forget(directory); // its path leads elsewhere, or nowhere: a later look finds out
            }
        }
        else if (notice.Name.Length > 0)
        {
            TakeEntry(directory == "/" ? "/" + notice.Name : $"{directory}/{notice.Name}", notice);
        }
    }

    /// <summary>Nothing more waits: what was moved away without coming back has left.</summary>
    public void EndMove()
    {
        if (movedAway is { } left)
        {
            movedAway = null;
            Tell(FileChangeKinds.Moved, left.Path, " out of what is watched");
            if (left.IsDirectory)
            {
                Forget(left.Path);
            }
        }
    }

    /// <summary>After notices were lost: watches what is not watched yet, and tells what is younger than the last notice.</summary>
    public void LookAgain(UnixMillis since)
    {
        movedAway = null;
        if (!HasRoot)
        {
            return;
        }

        var known = directories.Values.ToHashSet(StringComparer.Ordinal);
        foreach (var directory in known)
        {
            foreach (var path in EntriesOf(directory))
            {
                if (!known.Contains(path) && FollowedFile.TryLookAtItself(path, out var facts))
                {
                    TellIfYounger(path, facts, since.Value - ClockTickMs);
                }
            }
        }
    }

    /// <summary>Ends all watches.</summary>
    public void End()
    {
        foreach (var number in directories.Keys)
        {
            context.Inotify.Remove(number);
        }

        directories.Clear();
    }

    private void TellIfYounger(string path, in FileFacts facts, long sinceMs)
    {
        if (facts.BornAtNanoseconds / 1_000_000 >= sinceMs)
        {
            TakeNew(path, facts.IsDirectory, FileChangeKinds.Created);
        }
        else if (facts.IsDirectory)
        {
            TakeNew(path, isDirectory: true, FileChangeKinds.None);
        }
        else if (facts.ModifiedAt.Value >= sinceMs)
        {
            Tell(FileChangeKinds.Modified, path, "");
        }
    }

    private void TakeEntry(string path, in FileNotice notice)
    {
        var isDirectory = notice.What.HasFlag(FileNotices.OfDirectory);
        if (notice.What.HasFlag(FileNotices.Created))
        {
            TakeNew(path, isDirectory, FileChangeKinds.Created);
        }
        else if (notice.What.HasFlag(FileNotices.MovedFrom))
        {
            movedAway = new Departure(notice.Cookie, path, isDirectory);
        }
        else if (notice.What.HasFlag(FileNotices.MovedTo))
        {
            TakeMovedHere(path, isDirectory);
        }
        else
        {
            var kind = notice.What.HasFlag(FileNotices.Deleted) ? FileChangeKinds.Deleted
                : notice.What.HasFlag(FileNotices.Modified) ? FileChangeKinds.Modified
                : notice.What.HasFlag(FileNotices.AttributesChanged) ? FileChangeKinds.Attributes : FileChangeKinds.None;
            Tell(kind, path, "");
        }
    }

    private void TakeNew(string path, bool isDirectory, FileChangeKinds kind)
    {
        Tell(kind, path, isDirectory ? " (a directory)" : "");
        if (isDirectory && watch.IsRecursive && !IsExcluded(path) && TryWatch(path, out var isNew) == 0 && isNew)
        {
            WatchWithin(path, isToldNew: kind == FileChangeKinds.Created);
        }
    }

    private void TakeMovedHere(string path, bool isDirectory)
    {
        if (movedAway is not { } left)
        {
            Tell(FileChangeKinds.Moved, path, " here from elsewhere");
            TakeNew(path, isDirectory, FileChangeKinds.None);
            return;
        }

        movedAway = null;
        Tell(FileChangeKinds.Moved, path, $" here from {left.Path}");
        if (!isDirectory)
        {
            return;
        }

        if (IsExcluded(path))
        {
            Forget(left.Path);
            return;
        }

        foreach (var number in NumbersWithin(left.Path))
        {
            directories[number] = path + directories[number][left.Path.Length..];
        }

        TakeNew(path, isDirectory, FileChangeKinds.None); // it may have been excluded under its old name
    }

    private void WatchWithin(string directory, bool isToldNew)
    {
        // A list, not recursion: how deep directories lie is not ours to bound.
        var left = new Stack<string>([directory]);
        while (left.TryPop(out var next))
        {
            foreach (var path in EntriesOf(next))
            {
                if (!FollowedFile.TryLookAtItself(path, out var facts))
                {
                    continue; // gone
                }

                if (isToldNew)
                {
                    Tell(FileChangeKinds.Created, path, facts.IsDirectory ? " (a directory)" : "");
                }

                if (facts.IsDirectory && !IsExcluded(path) && TryWatch(path, out var isNew) == 0 && isNew)
                {
                    left.Push(path);
                }
            }
        }
    }

    /// <summary>Watches one directory.</summary>
    /// <returns>0, or the error number.</returns>
    private int TryWatch(string path, out bool isNew)
    {
        const int NoSpace = 28;
        isNew = false;
        if (context.IsOver || context.IsQueueItself(path))
        {
            return NoSpace;
        }

        if (context.DirectoryCount() >= WatchContext.DirectoriesMax)
        {
            if (!hasToldTooMany)
            {
                EventsLog.TooManyDirectories(logger, watch.Path, WatchContext.DirectoriesMax);
            }

            hasToldTooMany = true;
            return NoSpace;
        }

        var number = context.Inotify.Add(path, context.Notices | FileNotices.OnlyDirectories | (path == watch.Path ? FileNotices.None : FileNotices.NoSymbolicLinks));
        if (number < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == NoSpace && !hasToldTooMany)
            {
                hasToldTooMany = true;
                EventsLog.NoWatches(logger, path);
            }

            return error == 0 ? NoSpace : error;
        }

        isNew = directories.TryAdd(number, path);
        directories[number] = path;
        return 0;
    }

    private void Forget(string directory)
    {
        foreach (var number in NumbersWithin(directory))
        {
            directories.Remove(number);
            if (!context.IsWatchedByOthers(this, number))
            {
                context.Inotify.Remove(number);
            }
        }

        HasRoot &= directory != watch.Path;
    }

    /// <summary>Whether another tree needs the kernel's watch, too.</summary>
    public bool Has(int number) => directories.ContainsKey(number);

    private void Tell(FileChangeKinds kind, string path, string detail)
    {
        if ((kind & watch.Kinds) != 0 && !IsExcluded(path) && IsIncluded(path))
        {
            Changes.Add(kind, path, detail);
        }
    }

    private bool IsIncluded(string path) => watch.Include.Count == 0 || watch.Include.Any(pattern => pattern.IsMatch(Within(path)));

    private bool IsExcluded(string path) => watch.Exclude.Any(pattern => pattern.IsMatch(Within(path))) || context.IsQueue(path);

    private string Within(string path) => path[(watch.Path == "/" ? 1 : watch.Path.Length + 1)..];

    private static bool IsWithin(string path, string directory) =>
        path.StartsWith(directory, StringComparison.Ordinal) && (path.Length == directory.Length || path[directory.Length] == '/');

    private List<int> NumbersWithin(string directory)
    {
        var numbers = new List<int>();
        foreach (var (number, path) in directories)
        {
            if (IsWithin(path, directory))
            {
                numbers.Add(number);
            }
        }

        return numbers;
    }

    private static string[] EntriesOf(string directory)
    {
        try
        {
            return Directory.GetFileSystemEntries(directory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return []; // gone, or not for us
        }
    }

    private sealed class Departure(uint cookie, string path, bool isDirectory)
    {
        public uint Cookie => cookie;

        public string Path => path;

        public bool IsDirectory => isDirectory;
    }
}
