using Lm.Platform.Files;

namespace Lm.Agent.Events;

/// <summary>What the trees of one <see cref="FileWatcher"/> share.</summary>
internal sealed class WatchContext(Inotify inotify, FileNotices notices, string queueDirectory)
{
    /// <summary>Directories of all trees: about 8 MiB of the kernel's memory.</summary>
    public const int DirectoriesMax = 8192;

    private volatile bool isOver;

    /// <summary>The kernel's notices.</summary>
    public Inotify Inotify => inotify;

    /// <summary>Of what.</summary>
    public FileNotices Notices => notices;

    /// <summary>All trees.</summary>
    public IReadOnlyList<WatchedTree> Trees { get; set; } = [];

    /// <summary>Whether the work is to end.</summary>
    public bool IsOver
    {
        get => isOver;
        set => isOver = value;
    }

    /// <summary>Directories that are watched.</summary>
    public int DirectoryCount()
    {
        var count = 0;
        for (var i = 0; i < Trees.Count; i++)
        {
            count += Trees[i].Count;
        }

        return count;
    }

    /// <summary>Whether a path is the agent's queue.</summary>
    public bool IsQueue(string path) => path == queueDirectory;

    /// <summary>Whether a directory is the agent's queue, by whatever path.</summary>
    public bool IsQueueItself(string path) => IsQueue(path)
        || (FollowedFile.TryLookAt(path, out var facts) && FollowedFile.TryLookAt(queueDirectory, out var queue) && facts.Identity == queue.Identity);

    /// <summary>Whether another tree needs a watch: the kernel gives one for each directory, whoever asks.</summary>
    public bool IsWatchedByOthers(WatchedTree tree, int number) => Trees.Any(other => other != tree && other.Has(number));
}
