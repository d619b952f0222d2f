using Lm.Collector.Landing;
using Lm.Collector.Recovery;
using Lm.Collector.Spool;

namespace Lm.Collector.Listeners;

/// <summary>What <c>/readyz</c> says.</summary>
/// <param name="spool">The spool.</param>
/// <param name="clock">Judges the collector's own clock.</param>
/// <param name="suspectClocks">How many agents' clocks differ from it by more than is allowed.</param>
/// <param name="blocksDamaged">How many blocks cannot be read.</param>
/// <param name="headFilesDamaged">How many files of the head were set aside.</param>
/// <param name="areLogsHeld">Whether log records wait in the spool because they could not be taken.</param>
/// <param name="bound">The bound on series.</param>
internal sealed class Readiness(
    BatchSpool spool, ClockGuard clock, Func<int> suspectClocks, Func<int> blocksDamaged, Func<int> headFilesDamaged, Func<bool> areLogsHeld, SeriesBound bound) : IReadiness
{
    private volatile bool isReplaying = true;
    private volatile bool isStopping;

    /// <summary>How far the object store is behind; null without one.</summary>
    public Func<LandingStatus>? Landing { get; init; }

    /// <summary>Why nothing can be committed to the log that collectors share; null when it can, or there is none.</summary>
    public Func<string?> SharedLog { get; init; } = static () => null;

    /// <summary>How far what earlier lives of the spool landed is taken over; null without an object store.</summary>
    public Func<RecoveryStatus>? Recovery { get; init; }

    /// <summary>What should have gone here by age or size and stays, because the object store does not have it yet.</summary>
    public Func<HeldFiles> Held { get; init; } = static () => default;

    /// <summary>Whether the spool is still being read back.</summary>
    public bool IsReplaying => isReplaying;

    /// <summary>The spool has been read back.</summary>
    public void ReplayDone() => isReplaying = false;

    /// <summary>The collector takes no more batches.</summary>
    public void Stopping() => isStopping = true;

    /// <inheritdoc/>
    public ReadinessReport Report()
    {
        var lines = new List<string>();
        if (isReplaying)
        {
            lines.Add("replaying: the spool is being read back, queries see a part of the data");
        }

        var recovery = Recovery?.Invoke();
        if (recovery is { IsHolding: true })
        {
            lines.Add("recovering: no batch is taken until the object store has said which batches it holds from before the disk was lost"
                + (recovery.IsFailing ? "; it cannot be asked, the log says why" : ""));
        }

        if (SharedLog() is { } shared)
        {
            lines.Add(shared);
        }

        if (isStopping)
        {
            lines.Add("stopping: no new batches are taken");
        }

        if (clock.IsSuspect(out var behind))
        {
            lines.Add($"clock_suspect: the collector's clock is {behind.TotalSeconds:F0} s behind its newest stored batch");
        }

        if (spool.Trouble is { } trouble)
        {
            lines.Add($"spool: {trouble}");
        }

        // One agent's wrong clock does not make the collector less ready for the others. No names: anyone may ask here.
        var isReady = lines.Count == 0;
        if (suspectClocks() is > 0 and var count)
        {
            lines.Add($"clock_suspect: {(count == 1 ? "the clock of 1 agent differs" : $"the clocks of {count} agents differ")} from the collector's "
                + "by more than max_future_seconds; /api/v1/agents and the console show which");
        }

        // Taking batches is not in danger, and a balancer that sends them elsewhere would mend nothing.
        if (blocksDamaged() is > 0 and var blocks)
        {
            lines.Add($"blocks_damaged: {(blocks == 1 ? "1 block" : $"{blocks} blocks")} cannot be read and answers lack what is in there; the log of the start says why");
        }

        if (headFilesDamaged() is > 0 and var files)
        {
            lines.Add($"head_damaged: {(files == 1 ? "1 file" : $"{files} files")} of the head could not be used and {(files == 1 ? "lies" : "lie")} there as *.damaged; "
                + "answers lack what was in there and no longer in the spool; the log says why");
        }

        if (areLogsHeld())
        {
            lines.Add("logs_held: log records could not be taken and are tried again; the spool keeps them and all that came since, up to max_spool_bytes, and searches "
                + "do not find them until then; the log says why");
        }

        if (bound.IsFull)
        {
            lines.Add($"series_full: the head has as many series as memory allows, {bound.Max}; samples of new ones are left out");
        }

        if (recovery is { ObjectsWaiting: > 0 })
        {
            lines.Add($"recovering: {recovery.ObjectsWaiting} raw objects from before the disk was lost are not in answers yet");
        }

        if (recovery is { Damaged: > 0 })
        {
            lines.Add("recovery_damaged: raw objects, or records of them, from before the disk was lost are damaged and left out; the log says which");
        }

        if (Held() is var held && (held.Files > 0 || held.BytesOver > 0))
        {
            lines.Add($"local_held: {held.Files} blocks and log files older than local_retention_days, and {held.BytesOver} bytes beyond max_local_bytes, stay until they are in the object store and its list has them; /api/v1/landing says "
                + "what it waits for");
        }

        if (Landing?.Invoke() is { IsHalted: true })
        {
            lines.Add("landing_halted: the object store holds what contradicts the spool, and nothing lands any more; /api/v1/landing and the log say what");
        }

        return new ReadinessReport(isReady, lines);
    }
}

/// <summary>What stays on the local disk beyond its limits.</summary>
/// <param name="Files">Blocks and log files that are too old.</param>
/// <param name="BytesOver">Bytes that are too much.</param>
internal readonly record struct HeldFiles(int Files, long BytesOver);
