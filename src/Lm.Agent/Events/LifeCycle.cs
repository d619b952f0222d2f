using System.Globalization;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>What the agent tells of itself: that it starts and stops, takes settings, sees the clock set, and what it lost.</summary>
/// <remarks>Not safe for concurrent use, but for what a reload calls.</remarks>
internal sealed class LifeCycle(EventSource events, TimeProvider time)
{
    // Steering the clock moves it by less than this between two ticks.
    private static readonly TimeSpan StepMin = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, InputLoss> losses = new(StringComparer.Ordinal);
    private readonly long startedAt = time.GetTimestamp();
    private TimeSpan? clockOffset; // of the wall clock, from the one that nobody sets
    private QueueCounters? told;

    /// <summary>Whether anything is told; a reload may change it.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>The agent starts.</summary>
    public void Started() =>
        Post(AgentEvent.Information, "agent_start", $"lm-agent {AgentVersion.Text} started", new Label("version", AgentVersion.Text));

    /// <summary>The agent stops because it was told to.</summary>
    public void Stopped() => Post(AgentEvent.Information, "agent_stop", "lm-agent stopped in order");

    /// <summary>Other settings are in use.</summary>
    public void Reloaded() => Post(AgentEvent.Information, "settings_reloaded", "the configuration was read again and is in use");

    /// <summary>Settings were read again and have faults.</summary>
    public void ReloadRefused(string faults) =>
        Post(AgentEvent.Error, "settings_refused", $"the configuration was read again and has faults; the old one stays in use: {faults}");

    /// <summary>An input cannot be read.</summary>
    public void InputFailed(string input, string reason) =>
        Post(AgentEvent.Error, "input_failed", $"log input {input} cannot be read: {reason}", new Label("source", input));

    /// <summary>Looks at the clock and at what was lost; at every tick.</summary>
    /// <param name="counters">What the queue gave up, since its beginning: what was given up before the first call is not told again.</param>
    /// <param name="inputs">What became of log files.</param>
    public void Tick(in QueueCounters counters, IReadOnlyList<InputCounters> inputs)
    {
        LookAtClock();
        var before = told ?? counters;
        told = counters;
        TellLoss("queue_dropped", counters.Dropped - before.Dropped, "batches that were not sent were dropped because the queue had reached max_queue_bytes");
        TellLoss("batch_rejected", counters.Rejected - before.Rejected, "batches were refused for good by the collector and set aside in rejected/");
        TellLoss("collect_dropped", counters.Lost - before.Lost, "batches were lost because the queue could not store them");
        foreach (var input in inputs)
        {
            if (!losses.TryGetValue(input.Name, out var loss))
            {
                losses.Add(input.Name, loss = new InputLoss());
            }

            var lost = input.LostFiles - loss.Told;
            loss.Told = input.LostFiles;
            if (lost > 0)
            {
                Post(AgentEvent.Warning, "input_lost", $"log input {input.Name}: {lost} files were deleted or truncated before all of them was read",
                    new Label("source", input.Name), Count((ulong)lost));
            }
        }
    }

    private void LookAtClock()
    {
        var now = time.GetUtcNow() - DateTimeOffset.UnixEpoch - time.GetElapsedTime(startedAt);
        var step = now - (clockOffset ?? now);
        clockOffset = now;
        if (step.Duration() >= StepMin)
        {
            var seconds = step.TotalSeconds.ToString("+0.0;-0.0", CultureInfo.InvariantCulture);
            Post(AgentEvent.Warning, "clock_step", $"the clock moved by {seconds} s: it was set, or the host slept", new Label("seconds", seconds));
        }
    }

    private void TellLoss(string name, ulong count, string what)
    {
        if (count > 0)
        {
            Post(AgentEvent.Error, name, $"{count} {what}", Count(count));
        }
    }

    private void Post(int severity, string name, string body, params Label[] about)
    {
        if (IsOn)
        {
            events.Post(new AgentEvent(UnixMillis.Now(time), severity, name, body, about));
        }
    }

    private sealed class InputLoss
    {
        public long Told { get; set; }
    }

    private static Label Count(ulong count) => new("count", count.ToString(CultureInfo.InvariantCulture));
}
