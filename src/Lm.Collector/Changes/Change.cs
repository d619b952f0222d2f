using Lm.Platform;

namespace Lm.Collector.Changes;

/// <summary>What a person changed.</summary>
internal sealed record Change
{
    /// <summary>The kind of thing, as in <c>dashboard</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Which of its kind.</summary>
    public required string Id { get; init; }

    /// <summary>When.</summary>
    public required UnixMillis At { get; init; }

    /// <summary>By what right: a token or a session.</summary>
    public required string By { get; init; }

    /// <summary>The address that it came from.</summary>
    public required string From { get; init; }

    /// <summary>What it was before; null when there was none.</summary>
    public required string? Before { get; init; }

    /// <summary>What it is now; null when there is none any more.</summary>
    public required string? After { get; init; }
}
