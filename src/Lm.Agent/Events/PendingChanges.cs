using System.Globalization;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>File changes of one <c>[[watch]]</c> on their way to become events. Safe for concurrent use.</summary>
/// <remarks>
/// Invariants:
/// the first change of a kind of a path is told at once; further ones within <see cref="Quiet"/> of that together, as a number, when it is over;
/// no more than <see cref="PathsMax"/> paths are remembered, and no more events told in a minute than the setting says: what goes beyond is counted, and
/// the number told once the minute is over.
/// </remarks>
internal sealed class PendingChanges(WatchSettings watch, TimeProvider time)
{
    /// <summary>Paths, and kinds of changes, that are remembered.</summary>
    public const int PathsMax = 2000;

    /// <summary>How long further changes of a path are gathered.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new(); // guards all that follows
    private readonly Dictionary<string, Pending> all = new(StringComparer.Ordinal); // by kind and path
    private long sequence;
    private long windowAt = time.GetTimestamp();
    private int toldInWindow;
    private long untold;

    /// <summary>A change.</summary>
    /// <param name="kind">One kind.</param>
    /// <param name="path">The whole path; of a move where it is now.</param>
    /// <param name="detail">What more there is to say; empty for nothing.</param>
    public void Add(FileChangeKinds kind, string path, string detail)
    {
        lock (gate)
        {
            var key = $"{(int)kind} {path}";
            if (!all.TryGetValue(key, out var change))
            {
                if (all.Count >= PathsMax)
                {
                    untold++;
                    return;
                }

                change = new Pending(key, kind, path, sequence++);
                all.Add(key, change);
            }

            change.Count++;
            change.Detail = detail;
            change.LastAt = UnixMillis.Now(time);
        }
    }

    /// <summary>Takes what is due.</summary>
    /// <param name="into">Gets the events.</param>
    public void TakeDue(List<AgentEvent> into)
    {
        lock (gate)
        {
            TakeDueGuarded(into, time.GetTimestamp());
        }
    }

    private void TakeDueGuarded(List<AgentEvent> into, long now)
    {
        if (time.GetElapsedTime(windowAt, now) >= Window)
        {
            (windowAt, toldInWindow) = (now, 0);
            TellUntold(into);
        }

        var due = new List<Pending>();
        foreach (var change in all.Values)
        {
            if (change.ToldAt is not { } at || time.GetElapsedTime(at, now) >= Quiet)
            {
                due.Add(change);
            }
        }

        due.Sort((one, other) => one.Sequence.CompareTo(other.Sequence));
        foreach (var change in due)
        {
            Take(change, now, into);
        }
    }

    private void Take(Pending change, long now, List<AgentEvent> into)
    {
        if (change.Count == 0)
        {
            all.Remove(change.Key); // it is quiet: the next change is a first one
            return;
        }

        if (toldInWindow < watch.EventsPerMinuteMax)
        {
            toldInWindow++;
            into.Add(EventOf(change));
        }
        else
        {
            untold += change.Count;
        }

        (change.Count, change.ToldAt) = (0, now);
    }

    private void TellUntold(List<AgentEvent> into)
    {
        if (untold > 0)
        {
            var count = untold.ToString(CultureInfo.InvariantCulture);
            into.Add(new AgentEvent(UnixMillis.Now(time), AgentEvent.Warning, "watch_summary",
                $"{count} more changes under {watch.Path} were too many to tell one by one", new Label("watch", watch.Name), new Label("count", count)));
            untold = 0;
        }
    }

    private AgentEvent EventOf(Pending change)
    {
        var (name, verb) = change.Kind switch
        {
            FileChangeKinds.Created => ("file_created", "was created"),
            FileChangeKinds.Modified => ("file_modified", "was modified"),
            FileChangeKinds.Deleted => ("file_deleted", "was deleted"),
            FileChangeKinds.Moved => ("file_moved", "was moved"),
            _ => ("file_attributes", "got other attributes"),
        };
        var times = change.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $", {change.Count} times") : "";
        return new AgentEvent(
            change.LastAt, AgentEvent.Information, name, $"{change.Path} {verb}{change.Detail}{times}", new Label("watch", watch.Name), new Label("path", change.Path));
    }

    private sealed class Pending(string key, FileChangeKinds kind, string path, long sequence)
    {
        public string Key => key;

        public FileChangeKinds Kind => kind;

        public string Path => path;

        public long Sequence => sequence;

        public int Count { get; set; }

        public string Detail { get; set; } = "";

        public UnixMillis LastAt { get; set; }

        public long? ToldAt { get; set; }
    }
}
