using Lm.Agent.Upload;
using Lm.Platform.Files;

namespace Lm.Agent.LogTail;

/// <summary>Wakes the tail loop when a followed file changes or a directory gains or loses entries. Only ever a hint: without it files are looked at
/// every second.</summary>
internal sealed class TailWatch : IDisposable
{
    private const FileNotices OfDirectory = FileNotices.Created | FileNotices.MovedTo | FileNotices.MovedFrom | FileNotices.Deleted | FileNotices.SelfDeleted | FileNotices.SelfMoved;
    private const FileNotices OfFile = FileNotices.Modified | FileNotices.AttributesChanged | FileNotices.SelfMoved;

    private readonly AsyncSignal wake;
    private readonly Inotify? inotify = Inotify.TryCreate();
    private readonly Dictionary<string, int> directories = new(StringComparer.Ordinal);
    private readonly Thread? thread;
    private readonly AutoResetEvent armed = new(initialState: false);
    private int hasNewNames = 1;
    private volatile bool isOver;

    /// <param name="wake">Set when there is something to look at.</param>
    public TailWatch(AsyncSignal wake)
    {
        this.wake = wake;
        if (inotify is not null)
        {
            thread = new Thread(Run) { Name = "log watch", IsBackground = true };
            thread.Start();
        }
    }

    /// <summary>From now on the next notice wakes: one wake-up for each wait, however often a file is written to.</summary>
    public void Arm() => armed.Set();

    /// <summary>Whether everything that is followed is watched.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Whether names may have changed since this was asked last.</summary>
    public bool TakeNewNames() => Interlocked.Exchange(ref hasNewNames, 0) == 1;

    /// <summary>The directories to watch from now on; those that are not there are left out: their parents tell when they come, or a look does.</summary>
    public void WatchDirectories(IReadOnlySet<string> wanted)
    {
        IsComplete = inotify is not null;
        foreach (var gone in directories.Keys.Where(path => !wanted.Contains(path)).ToArray())
        {
            inotify?.Remove(directories[gone]);
            directories.Remove(gone);
        }

        foreach (var path in wanted)
        {
            // Again each time: the path may lead elsewhere by now, and for the same directory this changes nothing.
            var watch = inotify?.Add(path, OfDirectory) ?? -1;
            if (watch >= 0)
            {
                directories[path] = watch;
            }
            else
            {
                directories.Remove(path);
                IsComplete &= !Directory.Exists(path);
            }
        }
    }

    /// <summary>Watches a file that is open, under whatever name.</summary>
    public void Watch(FileTail tail)
    {
        tail.Watch = inotify?.Add(tail.File.DescriptorPath, OfFile) ?? -1;
        IsComplete &= tail.Watch >= 0;
    }

    /// <summary>Ends a file's watch, unless another tail of the same file has it too.</summary>
    public void Unwatch(FileTail tail, IEnumerable<FileTail> others)
    {
        if (tail.Watch >= 0 && others.All(other => other == tail || other.Watch != tail.Watch))
        {
            inotify?.Remove(tail.Watch);
        }

        tail.Watch = -1;
    }

    public void Dispose()
    {
        isOver = true;
        armed.Set();
        inotify?.Interrupt();
        thread?.Join();
        inotify?.Dispose();
        armed.Dispose();
    }

    private void Run()
    {
        while (armed.WaitOne() && !isOver && inotify!.Wait(Take))
        {
            wake.Set();
        }
    }

    private void Take(FileNotice notice)
    {
        if ((notice.What & ~FileNotices.Modified & ~FileNotices.WatchEnded) != 0)
        {
            Interlocked.Exchange(ref hasNewNames, 1);
        }
    }
}
