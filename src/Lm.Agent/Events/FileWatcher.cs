using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.Protocol;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Events;

/// <summary>Watches directories, by a thread of its own: listing a large tree keeps nobody waiting.</summary>
/// <remarks>Invariants: trees belong to the thread, but for their <see cref="WatchedTree.Changes"/>; no lock is held while directories are listed; the thread takes
/// what the kernel has at most ten times a second.</remarks>
internal sealed class FileWatcher : IDisposable
{
    private const int StackBytes = 512 << 10;

    // The kernel gathers notices meanwhile, and merges those that say the same.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new(); // guards notes
    private readonly WatchContext context;
    private readonly IReadOnlyList<WatchSettings> watches;
    private readonly List<AgentEvent> notes = []; // of the watching itself
    private readonly List<AgentEvent> due = [];
    private readonly ManualResetEvent over = new(initialState: false);
    private readonly Action changed;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Thread thread;
    private UnixMillis takenAt; // when the kernel had no more to say
    private bool hasLost;
    private volatile int directoryCount;
    private volatile bool needsRoots;
    private long retriedAt;

    private FileWatcher(IReadOnlyList<WatchSettings> watches, WatchContext context, Action changed, TimeProvider time, ILogger logger)
    {
        (this.watches, this.context, this.changed, this.time, this.logger) = (watches, context, changed, time, logger);
        context.Trees = [.. watches.Select(watch => new WatchedTree(watch, context, time, logger))];
        takenAt = UnixMillis.Now(time);
        retriedAt = time.GetTimestamp();
        thread = new Thread(Run, StackBytes) { Name = "file watch", IsBackground = true };
        thread.Start();
    }

    /// <summary>Directories that are watched.</summary>
    public int DirectoryCount => directoryCount;

    /// <summary>Begins; null when the kernel has no notices to give.</summary>
    public static FileWatcher? TryStart(IReadOnlyList<WatchSettings> watches, string queueDirectory, Action changed, TimeProvider time, ILogger logger)
    {
        if (Inotify.TryCreate() is not { } inotify)
        {
            return null;
        }

        var notices = FileNotices.SelfMoved | FileNotices.SelfDeleted;
        foreach (var watch in watches)
        {
            notices |= NoticesOf(watch.Kinds, watch.IsRecursive);
        }

        return new FileWatcher(watches, new WatchContext(inotify, notices, queueDirectory), changed, time, logger);
    }

    /// <summary>Posts what is due. By the tail loop, at least every ten seconds.</summary>
    public void Flush(EventSource events)
    {
        lock (gate)
        {
            due.AddRange(notes);
            notes.Clear();
        }

        foreach (var tree in context.Trees)
        {
            tree.Changes.TakeDue(due);
        }

        foreach (var what in due)
        {
            events.Post(what);
        }

        due.Clear();
        if (needsRoots && time.GetElapsedTime(retriedAt) >= RetryInterval)
        {
            retriedAt = time.GetTimestamp();
            context.Inotify.Interrupt();
        }
    }

    public void Dispose()
    {
        context.IsOver = true;
        over.Set();
        context.Inotify.Interrupt();
        thread.Join();
        context.Inotify.Dispose();
        over.Dispose();
    }

    private static FileNotices NoticesOf(FileChangeKinds kinds, bool isRecursive)
    {
        var notices = kinds.HasFlag(FileChangeKinds.Created) || isRecursive ? FileNotices.Created : FileNotices.None;
        notices |= kinds.HasFlag(FileChangeKinds.Modified) ? FileNotices.Modified : FileNotices.None;
        notices |= kinds.HasFlag(FileChangeKinds.Deleted) ? FileNotices.Deleted : FileNotices.None;
        notices |= kinds.HasFlag(FileChangeKinds.Moved) || isRecursive ? FileNotices.MovedFrom | FileNotices.MovedTo : FileNotices.None;
        return notices | (kinds.HasFlag(FileChangeKinds.Attributes) ? FileNotices.AttributesChanged : FileNotices.None);
    }

    private void Run()
    {
        Begin();
        while (!context.IsOver)
        {
            if (!context.Inotify.Wait(Take))
            {
                Begin(); // interrupted: a directory that was not there may be
                continue;
            }

            EndDrain();
            changed();
            over.WaitOne(Pause);
        }
    }

    private void Begin()
    {
        for (var i = 0; i < watches.Count; i++)
        {
            var (tree, watch) = (context.Trees[i], watches[i]);
            if (!context.IsOver && tree.TryBegin(out var trouble))
            {
                Note(tree.HasRoot ? AgentEvent.Information : AgentEvent.Warning, tree.HasRoot ? "watch_resumed" : "watch_failed",
                    tree.HasRoot ? $"{watch.Path} is watched again" : $"{watch.Path} cannot be watched: {trouble}", watch);
            }
        }

        Recount();
        changed();
    }

    private void Take(FileNotice notice)
    {
        if (notice.What.HasFlag(FileNotices.Overflow))
        {
            hasLost = true;
            return;
        }

        foreach (var tree in context.Trees)
        {
            tree.Take(notice);
        }
    }

    private void EndDrain()
    {
        foreach (var tree in context.Trees)
        {
            tree.EndMove();
            if (hasLost)
            {
                tree.LookAgain(takenAt);
            }
        }

        if (hasLost)
        {
            EventsLog.NoticesLost(logger);
            Note(AgentEvent.Warning, "watch_overflow",
                "the kernel lost notices: what changed was looked for again, and may be told twice; deletions and moves may not be told", watches[0]);
            hasLost = false;
        }

        Recount();
        takenAt = context.Inotify.IsDrained ? UnixMillis.Now(time) : takenAt; // what is lost from now on is younger
    }

    private void Recount()
    {
        needsRoots = context.Trees.Any(tree => !tree.HasRoot);
        directoryCount = context.DirectoryCount();
    }

    private void Note(int severity, string name, string body, WatchSettings watch)
    {
        lock (gate)
        {
            notes.Add(new AgentEvent(UnixMillis.Now(time), severity, name, body, new Label("watch", watch.Name)));
        }
    }
}
