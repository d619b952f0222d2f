using Lm.Agent.Upload;

namespace Lm.Agent.Settings;

/// <summary>The settings in force; a reload swaps them whole.</summary>
internal sealed class CurrentSettings(AgentSettings settings) : IDisposable
{
    private readonly AsyncSignal replaced = new();
    private volatile AgentSettings value = settings;

    public AgentSettings Value => value;

    public void Replace(AgentSettings next)
    {
        value = next;
        replaced.Set();
    }

    /// <summary>Waits for the next tick.</summary>
    /// <returns>Whether settings with another interval ended the wait.</returns>
    public async Task<bool> WaitAsync(TimeSpan delay, TimeProvider time, CancellationToken stopping)
    {
        var interval = value.Interval;
        try
        {
            await replaced.WaitAsync(delay, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The caller's loop ends.
        }

        return value.Interval != interval;
    }

    public void Dispose() => replaced.Dispose();
}
