using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>How a source has fared since the agent started.</summary>
internal sealed class SourceHealth(string name)
{
    private readonly Label[] labels = [new Label("source", name)];
    private int omittedCount;

    /// <summary>The source's name.</summary>
    public string Name { get; } = name;

    /// <summary>The label <c>source</c>.</summary>
    public ReadOnlySpan<Label> Labels => labels;

    /// <summary>Ticks in which it gave no samples.</summary>
    public long FailureCount { get; private set; }

    /// <summary>Why it gave none in the last tick; <see cref="SourceFault.None"/> when it did.</summary>
    public SourceFault Fault { get; private set; } = SourceFault.None;

    /// <summary>Ticks without samples, one after the other, up to the last one; 0 when that one was good.</summary>
    public long FailuresInRow { get; private set; }

    /// <summary>What it left out in the last round.</summary>
    public int OmittedCount
    {
        get => omittedCount;
        set
        {
            omittedCount = value;
            HasOmitted |= value > 0;
        }
    }

    /// <summary>Whether it ever left anything out.</summary>
    public bool HasOmitted { get; private set; }

    /// <summary>Takes a tick's outcome.</summary>
    /// <param name="fault">Why there were no samples, or <see cref="SourceFault.None"/>.</param>
    public void Record(in SourceFault fault)
    {
        Fault = fault;
        FailuresInRow = fault.IsNone ? 0 : FailuresInRow + 1;
        FailureCount += fault.IsNone ? 0 : 1;
    }
}
