using System.Globalization;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>File changes of one <c>[[watch]]</c> on their way to become events. Guarded by its user's lock.</summary>
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

    private readonly Dictionary<(FileChangeKinds Kind, string Path), Pending> all = [];
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
        if (all.TryGetValue((kind, path), out var known))
        {
            known.Count++;
            known.Detail = detail;
            known.LastAt = UnixMillis.Now(time);
        }
        else if (all.Count >= PathsMax)
        {
            untold++;
        }
        else
        {
            all.Add((kind, path), new Pending { Count = 1, Detail = detail, LastAt = UnixMillis.Now(time), Sequence = sequence++ });
        }
    }

    /// <summary>Takes what is due.</summary>
    /// <param name="into">Gets the events.</param>
    public void TakeDue(List<AgentEvent> into)
    {
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(windowAt, now) >= Window)
        {
            (windowAt, toldInWindow) = (now, 0);
            TellUntold(into);
        }

        foreach (var (key, pending) in all.Where(each => each.Value.ToldAt is not { } at || time.GetElapsedTime(at, now) >= Quiet).OrderBy(each => each.Value.Sequence).ToArray())
        {
            if (pending.Count == 0)
            {
                all.Remove(key); // it is quiet: the next change is a first one
            }
            else if (toldInWindow < watch.EventsPerMinuteMax)
            {
                toldInWindow++;
                into.Add(EventOf(key.Kind, key.Path, pending));
                (pending.Count, pending.ToldAt) = (0, now);
            }
            else
            {
                untold += pending.Count;
                (pending.Count, pending.ToldAt) = (0, now);
            }
        }
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

    private AgentEvent EventOf(FileChangeKinds kind, string path, Pending pending)
    {
        var (name, verb) = kind switch
        {
            FileChangeKinds.Created => ("file_created", "was created"),
            FileChangeKinds.Modified => ("file_modified", "was modified"),
            FileChangeKinds.Deleted => ("file_deleted", "was deleted"),
            FileChangeKinds.Moved => ("file_moved", "was moved"),
            _ => ("file_attributes", "got other attributes"),
        };
        var times = pending.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $", {pending.Count} times") : "";
        return new AgentEvent(pending.LastAt, AgentEvent.Information, name, $"{path} {verb}{pending.Detail}{times}", new Label("watch", watch.Name), new Label("path", path));
    }

    private sealed class Pending
    {
        public required int Count { get; set; }

        public required string Detail { get; set; }

        public required UnixMillis LastAt { get; set; }

        public required long Sequence { get; init; }

        public long? ToldAt { get; set; }
    }
}
