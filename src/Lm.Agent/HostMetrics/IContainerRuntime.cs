namespace Lm.Agent.HostMetrics;

/// <summary>What a container runtime says of its containers. It is asked beside the ticks, in rounds one after the other; a tick takes what has been said by then.</summary>
internal interface IContainerRuntime : IDisposable
{
    /// <summary>Rounds that have begun.</summary>
    long BegunCount { get; }

    /// <summary>Rounds that have ended, well or not.</summary>
    long EndedCount { get; }

    /// <summary>Rounds that ended without a whole answer.</summary>
    long FailureCount { get; }

    /// <summary>Whether the last round that ended had a whole answer.</summary>
    bool IsUp { get; }

    /// <summary>The containers of the last list, by their ids. A container keeps its name and image for as long as it is listed.</summary>
    IReadOnlyDictionary<string, RuntimeContainer> Containers { get; }

    /// <summary>Containers of the last list that are left out: over a bound, or without a proper id.</summary>
    int OmittedCount { get; }

    /// <summary>Takes what has been said, and begins a round when it is time to.</summary>
    /// <param name="patience">How long the caller may wait; only the very first round is waited for at all.</param>
    void Look(TimeSpan patience);
}

/// <summary>A container as its runtime knows it.</summary>
/// <param name="Id">Its id: 64 hexadecimal digits.</param>
/// <param name="Name">Its name; empty when it has none.</param>
/// <param name="Image">Its image's name; empty when the runtime does not say.</param>
/// <param name="RestartCount">How often the runtime has started it again; null before that was asked.</param>
/// <param name="Health">What its health check says; null before that was asked.</param>
internal sealed record RuntimeContainer(string Id, string Name, string Image, long? RestartCount, ContainerHealth? Health);

/// <summary>What a container's health check says.</summary>
internal enum ContainerHealth
{
    /// <summary>It has none.</summary>
    Unchecked = -1,

    /// <summary>It is not healthy: the check fails, or has not succeeded yet since the start.</summary>
    Unhealthy = 0,

    /// <summary>It is healthy.</summary>
    Healthy = 1,
}
