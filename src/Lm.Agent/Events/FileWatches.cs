using Lm.Agent.Settings;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Events;

/// <summary>All <c>[[watch]]</c>. Settings that say the same leave what is watched alone.</summary>
internal sealed class FileWatches(TimeProvider time, ILogger logger) : IDisposable
{
    private IReadOnlyList<WatchSettings> inUse = [];
    private volatile FileWatcher? watcher;

    /// <summary>Directories that are watched.</summary>
    public int DirectoryCount => watcher?.DirectoryCount ?? 0;

    /// <summary>Takes settings.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="changed">Called when there is something to flush.</param>
    public void Apply(AgentSettings settings, Action changed)
    {
        if (IsInUse(settings.Watches))
        {
            return;
        }

        inUse = settings.Watches;
        watcher?.Dispose();
        watcher = inUse.Count == 0 ? null : FileWatcher.TryStart(inUse, settings.QueueDirectory, changed, time, logger);
        if (watcher is null && inUse.Count > 0)
        {
            EventsLog.NoWatches(logger, inUse[0].Path);
        }
    }

    /// <summary>Posts what is due.</summary>
    public void Flush(EventSource events) => watcher?.Flush(events);

    public void Dispose() => watcher?.Dispose();

    private bool IsInUse(IReadOnlyList<WatchSettings> watches)
    {
        for (var i = 0; i < watches.Count; i++)
        {
            if (i >= inUse.Count || !watches[i].IsSame(inUse[i]))
            {
                return false;
            }
        }

        return watches.Count == inUse.Count;
    }
}
