using Lm.Platform;

namespace Lm.Collector.Changes;

/// <summary>What a person changed.</summary>
internal sealed record Change
{
    /// <summary>The kind of a record that no person made: what stands between two of these was taken over from an earlier journal, after its disk was lost.</summary>
    public const string Recovery = "recovery";

    /// <summary>Which: the first one.</summary>
    public const string RecoveryBegins = "begin";

    /// <summary>Which: the last one.</summary>
    public const string RecoveryEnds = "end";

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
