using System.Threading.Channels;
using Lm.Platform;

namespace Lm.Collector.Settings;

/// <summary>Reloads the settings on request and when a file changed: read all, check all, swap whole, or keep the old and say why.</summary>
/// <remarks>Files are looked at every few seconds rather than watched: that works on every file system, through links and bind mounts, and a
/// file that is replaced in two steps is read once it has come to rest.</remarks>
internal sealed class Reload(string path, CurrentSettings current, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    // One waiting request is as good as many.
    private readonly Channel<string> requests = Channel.CreateBounded<string>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private string inUse = FilesState.Of(current.Value.Files);
    private string tried = "";

    // Of the last reading, also of one that was refused: what is corrected next may be a file that those in use do not know.
    private volatile IReadOnlyList<string> watched = current.Value.Files;

    /// <summary>Asks for a reload; returns at once.</summary>
    public void Request(string reason) => requests.Writer.TryWrite(reason);

    /// <summary>Looks and reloads until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(LookInterval, time);
        var looking = LookAsync(timer, stopping);
        try
        {
            await foreach (var reason in requests.Reader.ReadAllAsync(stopping))
            {
                Apply(reason);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }

        await looking;
    }

    /// <summary>Reads everything and puts it in use when it has no faults.</summary>
    /// <returns>Whether it did.</returns>
    public bool Apply(string reason)
    {
        var state = FilesState.Of(watched);
        var settings = ServerSettings.TryLoad(path, time, out var faults, out var files);
        var hadSameFiles = files.SequenceEqual(watched);
        watched = files;
        if (!hadSameFiles)
        {
            state = FilesState.Of(files); // those that are new in the list were just read
        }

        if (settings is null)
        {
            current.Note(new RefusedReload(UnixMillis.Now(time), [.. faults.Select(fault => fault.ToString())]), current.AwaitsRestart);
            CollectorLog.ReloadFailed(logger, reason, faults.Count, faults[0].ToString());
            tried = state;
            return false;
        }

        string[] awaitsRestart = [.. settings.NeedsRestart(current.Value)];
        var restart = string.Join(", ", awaitsRestart);
        settings = settings.WithStartOf(current.Value);
        foreach (var warning in settings.Warnings.Except(current.Value.Warnings))
        {
            CollectorLog.SettingsWarning(logger, warning);
        }

        current.Swap(settings);
        current.Note(null, awaitsRestart);
        CollectorLog.Reloaded(logger, reason);
        if (restart.Length > 0)
        {
            CollectorLog.NeedsRestart(logger, restart);
        }

        // Taken before the files were read, where the list is the same: what changed meanwhile is seen at the next look.
        inUse = state;
        tried = "";
        return true;
    }

    private async Task LookAsync(PeriodicTimer timer, CancellationToken stopping)
    {
        var before = inUse;
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                var now = FilesState.Of(watched);
                if (now == before && now != inUse && now != tried)
                {
                    Request("files changed"); // and have been the same for two looks
                }

                before = now;
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }
}
